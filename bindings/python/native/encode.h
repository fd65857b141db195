/* encode.h - one Python value as the text that PostgreSQL reads. */
#ifndef SDB_ENCODE_H
#define SDB_ENCODE_H

#include "python.h"

#include "text.h"

int sdb_encode_init(void);

/* sdb_encode appends the text of any value but None and an Enum (see sdb_enum_value). -1 with an exception whose
 * message does not name the parameter yet: any Exception may be a fault of the value. */
int sdb_encode(PyObject *value, sdb_text *text);

/* sdb_encode_list appends a list or tuple as an array: {1,2,NULL}, {{"a","b"},{"c","d"}}. */
int sdb_encode_list(PyObject *list, sdb_text *text);

/* sdb_encode_str gives the UTF-8 of a str, which belongs to it. NULL for what no PostgreSQL text holds: NUL, a lone
 * surrogate. */
const char *sdb_encode_str(PyObject *string, Py_ssize_t *length);

/* sdb_enum_value: in place of an Enum its value, or that one's if it is an Enum too; else the value itself. A new
 * reference. An Enum is often an int or a str besides: its value counts, so this is asked before what it is. */
PyObject *sdb_enum_value(PyObject *value);
bool sdb_is_enum(PyObject *value);

/* sdb_is_bytes: bytes, a bytearray, a memoryview. Other buffers (arrays of numbers) are no bytea. */
bool sdb_is_bytes(PyObject *value);

#endif
