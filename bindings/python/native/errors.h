/* errors.h - the library's errors as Python's exceptions. The classes are those of shopdata/errors.py. With the GIL. */
#ifndef SDB_ERRORS_H
#define SDB_ERRORS_H

#include "python.h"
#include <stdarg.h>
#include <stdbool.h>

#include <shopdata/shopdata.h>

/* sdb_raise_status sets the exception for a call that failed with `status`, and frees `error` (NULL is fine). An
 * exception that is set already, by a signal's handler say, stays; AmbiguousCommit becomes its context. */
void sdb_raise_status(int status, shopdata_error *error);
/* sdb_raise_parameters does so for a call whose parameters are not as many as the statement takes. */
void sdb_raise_parameters(shopdata_error *error);
/* sdb_failed ends a call: it raises for a status below 0, hands over the log lines that came in the call, and is true
 * if an exception is set now. */
bool sdb_failed(int status, shopdata_error *error);
/* sdb_raise_as sets an exception of this class, "ParameterError" say; the rest is as for PyErr_Format. Always NULL.
 * sdb_raise_list takes the rest as a list. */
PyObject *sdb_raise_as(const char *class_name, const char *format, ...);
void sdb_raise_list(const char *class_name, const char *format, va_list arguments);

#endif
