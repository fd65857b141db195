/* answer.h - what a call returns: the rows as Python objects, and the library's result for all else that may be asked
 * of it. shopdata.Result is a subclass; it is told once, so that no Python code runs to make one. */
#ifndef SDB_ANSWER_H
#define SDB_ANSWER_H

#include "python.h"
#include <stdbool.h>

#include <shopdata/shopdata.h>

/* sdb_answer_ready prepares the type and adds it to the module as `Answer`; 0 or -1. */
int sdb_answer_ready(PyObject *module);
/* sdb_answer_made_as names the subclass that sdb_answer_new makes. None, or NULL with an exception set. */
PyObject *sdb_answer_made_as(PyObject *module, PyObject *class);
/* sdb_answer_new decodes the rows. It takes the result over (in every case). */
PyObject *sdb_answer_new(shopdata_result *result, bool fenced);

#endif
