/* row.h - the class of rows: a tuple whose columns have names. */
#ifndef SDB_ROW_H
#define SDB_ROW_H

#include "python.h"

/* shopdata.Row, and its subclasses: one for each list of column names. */
extern PyTypeObject sdb_row_type;

int sdb_row_init(void);

/* sdb_row_class gives the class for a tuple of names; a new reference. Made once, and kept while there is room. */
PyTypeObject *sdb_row_class(PyObject *names);

/* sdb_row_new makes a row of such a class, whose values are still to be set, all of them. */
PyObject *sdb_row_new(PyTypeObject *class, Py_ssize_t count);

/* sdb_row_restore makes a row of a tuple of names and one of values: what pickle does. */
PyObject *sdb_row_restore(PyObject *names, PyObject *values);

#endif
