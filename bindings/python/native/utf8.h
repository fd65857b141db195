/* utf8.h - texts between Python and the library. With the GIL. */
#ifndef SDB_UTF8_H
#define SDB_UTF8_H

#include "python.h"
#include <stdbool.h>

/* sdb_text_of gives a str as UTF-8, which lives as long as the str; NULL for None. false with ParameterError set for
 * anything else, for a NUL character and for a lone surrogate. */
bool sdb_text_of(PyObject *object, const char **text_out);
/* sdb_texts_of does so for a list of them. *texts_out: PyMem_Free. */
bool sdb_texts_of(PyObject *list, const char ***texts_out, size_t *count_out);
/* sdb_to_text makes a str; None of NULL. */
PyObject *sdb_to_text(const char *text);

#endif
