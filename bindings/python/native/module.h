/* module.h - what is written by hand of the module shopdata._native: types, and calls that SWIG need not wrap. */
#ifndef SDB_MODULE_H
#define SDB_MODULE_H

#include "python.h"

/* sdb_module_ready adds it all; 0 or -1. */
int sdb_module_ready(PyObject *module);

#endif
