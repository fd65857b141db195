/* params.h - Python's values as parameters of a statement. */
#ifndef SDB_PARAMS_H
#define SDB_PARAMS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <shopdata/shopdata.h>

enum { SDB_PARAMS_INLINE = 16 };

/* The parameters of one call. Texts and bytes point into the Python objects where they can, and into `kept` where a
 * value had to be written as text first; both live until sdb_params_free. */
typedef struct sdb_params {
    shopdata_param *list; /* $1..$count: `inlined`, or allocated when there are more */
    size_t count;
    PyObject *kept; /* a list of what `list` points into and nobody else holds; NULL: nothing */
    shopdata_param inlined[SDB_PARAMS_INLINE];
} sdb_params;

/* sdb_params_fill writes `count` values as parameters; `names` is a tuple of their names, for messages (":price"), or
 * NULL where they are $1..$count. The values stay the caller's and must live as long as `params`. 0; or -1 with a
 * ParameterError set that names the parameter and its type, and nothing to free. With the GIL. */
int sdb_params_fill(PyObject *const *values, Py_ssize_t count, PyObject *names, sdb_params *params);
void sdb_params_free(sdb_params *params);

#endif
