/* params.h - Python's values as parameters of a statement. */
#ifndef SDB_PARAMS_H
#define SDB_PARAMS_H

#include "python.h"

#include <shopdata/shopdata.h>

enum { SDB_PARAMS_INLINE = 16 };

/* The parameters of one call; on the stack of who makes it, and not moved. Texts and bytes point into the values where
 * they can. What had to be written as text first, or could change while the library looks (a bytearray), is in `kept`.
 */
typedef struct sdb_params {
    shopdata_param *list; /* $1..$count: `inlined`, or allocated when there are more */
    size_t count;
    PyObject *kept; /* a list; NULL: nothing */
    shopdata_param inlined[SDB_PARAMS_INLINE];
} sdb_params;

/* sdb_params_fill writes `count` values as parameters; `names` is a tuple of their names, for messages, or
 * NULL where they are $1..$count. The values stay the caller's and must live as long as `params`. Up to
 * SDB_PARAMS_INLINE ints, strs, bytes, floats, bools and None take no memory. 0; or -1 with a ParameterError set that
 * names the parameter and its type (or a MemoryError), and nothing to free. With the GIL. */
int sdb_params_fill(PyObject *const *values, Py_ssize_t count, PyObject *names, sdb_params *params);
/* sdb_params_free needs the GIL, too. */
void sdb_params_free(sdb_params *params);

#endif
