#include "decode.h"

/* Lists that are open, from the outermost on. Each but the first is in the one before it, which owns it. */
typedef struct nest {
    PyObject *lists[SDB_ARRAY_DEPTH_MAX + 1];
    int depth;
} nest;

/* Takes over the caller's reference, which may be NULL. */
static bool append(nest *open, PyObject *value)
{
    bool done = value && open->depth > 0 && PyList_Append(open->lists[open->depth - 1], value) == 0;
    Py_XDECREF(value);
    return done;
}

static bool open_list(nest *open)
{
    PyObject *list = PyList_New(0);
    if (!list || (open->depth > 0 && !append(open, Py_NewRef(list)))) {
        Py_XDECREF(list);
        return false;
    }
    if (open->depth > 0)
        Py_DECREF(list);
    open->lists[open->depth++] = list;
    return true;
}

static bool take(nest *open, enum sdb_array_token token, const sdb_array *array, sdb_decode decode)
{
    switch (token) {
    case SDB_ARRAY_OPEN:
        return open_list(open);
    case SDB_ARRAY_CLOSE:
        open->depth--;
        return true;
    case SDB_ARRAY_NULL:
        return append(open, Py_NewRef(Py_None));
    case SDB_ARRAY_ITEM:
        return append(open, decode(array->item));
    default:
        return false;
    }
}

PyObject *sdb_decode_array(sdb_slice text, sdb_decode decode)
{
    sdb_array array;
    nest open = {{NULL}, 0};
    sdb_array_begin(&array, text);
    enum sdb_array_token token = sdb_array_next(&array);
    while (token != SDB_ARRAY_END && take(&open, token, &array, decode))
        token = sdb_array_next(&array);
    sdb_array_end(&array);
    if (token != SDB_ARRAY_END)
        Py_CLEAR(open.lists[0]);
    return open.lists[0];
}
