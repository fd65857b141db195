#include <string.h>

#include "encode.h"
#include "parse.h"

enum { UNKNOWN = -1 };

/* The shape that the first element of each dimension gave, and that all others must have. */
typedef struct dimensions {
    Py_ssize_t lengths[SDB_ARRAY_DEPTH_MAX];
    int leaf_depth; /* where the elements are that are no lists */
} dimensions;

static bool is_list(PyObject *value)
{
    return PyList_Check(value) || PyTuple_Check(value);
}

/* PostgreSQL writes what reads as something else in quotes, and so do we. */
static bool needs_quotes(const char *data, size_t length)
{
    if (length == 0 || (length == 4 && !PyOS_strnicmp(data, "null", 4)))
        return true;
    for (size_t i = 0; i < length; i++)
        if (strchr("{},\"\\ \t\n\r\v\f", data[i]))
            return true;
    return false;
}

static int write_element(PyObject *element, sdb_text *text)
{
    if (element == Py_None) {
        sdb_text_append(text, "NULL", 4);
        return 0;
    }
    size_t begin = text->length;
    int status = sdb_encode(element, text);
    if (status == 0 && needs_quotes(text->data + begin, text->length - begin))
        sdb_text_quote(text, begin);
    return status;
}

static int ragged(void)
{
    PyErr_SetString(PyExc_ValueError,
                    "its lists are nested unevenly; PostgreSQL's arrays have as many elements in each as in any other");
    return -1;
}

static int write_list(PyObject *list, sdb_text *text, dimensions *shape, int depth);

static int write_item(PyObject *item, sdb_text *text, dimensions *shape, int depth)
{
    if (is_list(item))
        return write_list(item, text, shape, depth);
    if (shape->leaf_depth == UNKNOWN)
        shape->leaf_depth = depth;
    return shape->leaf_depth == depth ? write_element(item, text) : ragged();
}

static int check_dimension(PyObject *list, dimensions *shape, int depth)
{
    if (depth == SDB_ARRAY_DEPTH_MAX) {
        PyErr_Format(PyExc_ValueError, "lists nested over %d deep, the most that PostgreSQL's arrays can be",
                     SDB_ARRAY_DEPTH_MAX);
        return -1;
    }
    Py_ssize_t length = PySequence_Fast_GET_SIZE(list);
    if (depth > 0 && length == 0) {
        PyErr_SetString(PyExc_ValueError, "an empty list within a list, which no PostgreSQL array can hold");
        return -1;
    }
    if (shape->lengths[depth] == UNKNOWN)
        shape->lengths[depth] = length;
    bool fits = shape->lengths[depth] == length && (shape->leaf_depth == UNKNOWN || shape->leaf_depth > depth);
    return fits ? 0 : ragged();
}

/* The list is asked anew for its length each time: converting an element may run code that changes it. */
static int write_list(PyObject *list, sdb_text *text, dimensions *shape, int depth)
{
    int status = check_dimension(list, shape, depth);
    sdb_text_char(text, '{');
    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(list); i++) {
        if (i > 0)
            sdb_text_char(text, ',');
        PyObject *item = sdb_enum_value(PySequence_Fast_GET_ITEM(list, i));
        status = item ? write_item(item, text, shape, depth + 1) : -1;
        Py_XDECREF(item);
    }
    sdb_text_char(text, '}');
    return status;
}

int sdb_encode_list(PyObject *list, sdb_text *text)
{
    /* "{}" would be an empty object to a json column. A form feed is a blank to arrays, and none to json: an error. */
    if (PySequence_Fast_GET_SIZE(list) == 0) {
        sdb_text_append(text, "{\f}", 3);
        return 0;
    }
    dimensions shape = {.leaf_depth = UNKNOWN};
    for (int i = 0; i < SDB_ARRAY_DEPTH_MAX; i++)
        shape.lengths[i] = UNKNOWN;
    return write_list(list, text, &shape, 0);
}
