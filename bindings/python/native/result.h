/* result.h - the rows of a result as Python's. */
#ifndef SDB_RESULT_H
#define SDB_RESULT_H

#include "python.h"

#include <shopdata/shopdata.h>

/* All take a result that stays the caller's, need the GIL, and return a new reference, NULL with an exception.
 * DataError names row, column and type of a value that Python cannot hold, or that is not what its type writes. */

/* sdb_rows: a list of shopdata.Row. */
PyObject *sdb_rows(const shopdata_result *result);
/* sdb_column_names: a tuple of str; the same object for results of the same columns. */
PyObject *sdb_column_names(const shopdata_result *result);
/* sdb_column_types: a tuple of int, PostgreSQL's type OIDs. */
PyObject *sdb_column_types(const shopdata_result *result);

#endif
