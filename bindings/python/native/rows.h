/* rows.h - the rows of a result as Python objects. */
#ifndef SDB_ROWS_H
#define SDB_ROWS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <shopdata/shopdata.h>

/* sdb_rows returns a new list with a Row for each row of the result (a subclass of tuple made per shape of result:
 * names and types of the columns), or NULL with an exception set. With the GIL. */
PyObject *sdb_rows(const shopdata_result *result);
/* sdb_row_type returns (borrowed) the class of the result's rows, NULL with an exception set. */
PyObject *sdb_row_type(const shopdata_result *result);

#endif
