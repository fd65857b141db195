#include "answer.h"

#include "result.h"

typedef struct answer {
    PyObject_HEAD PyObject *rows; /* a list */
    shopdata_result *result;
    char fenced;
} answer;

static PyTypeObject answer_type;
static PyTypeObject *made_as = &answer_type;

PyObject *sdb_answer_new(shopdata_result *result, bool fenced)
{
    PyObject *rows = sdb_rows(result);
    answer *made = rows ? (answer *)made_as->tp_alloc(made_as, 0) : NULL;
    if (!made) {
        Py_XDECREF(rows);
        shopdata_result_free(result);
        return NULL;
    }
    made->rows = rows;
    made->result = result;
    made->fenced = fenced;
    return (PyObject *)made;
}

PyObject *sdb_answer_made_as(PyObject *module, PyObject *class)
{
    (void)module;
    if (!PyType_Check(class) || !PyType_IsSubtype((PyTypeObject *)class, &answer_type))
        return PyErr_Format(PyExc_TypeError, "a subclass of Answer is wanted");
    made_as = (PyTypeObject *)Py_NewRef(class); /* for good: there is one */
    Py_RETURN_NONE;
}

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(((answer *)object)->rows);
    return 0;
}

static int clear(PyObject *object)
{
    Py_CLEAR(((answer *)object)->rows);
    return 0;
}

static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear(object);
    shopdata_result_free(((answer *)object)->result);
    Py_TYPE(object)->tp_free(object);
}

/* The garbage collector may have taken the rows of what is about to go. */
static PyObject *rows_of(PyObject *object)
{
    PyObject *rows = ((answer *)object)->rows;
    if (!rows)
        PyErr_SetString(PyExc_RuntimeError, "the result is being collected");
    return rows;
}

static Py_ssize_t length(PyObject *object)
{
    PyObject *rows = rows_of(object);
    return rows ? PyObject_Size(rows) : -1;
}

static PyObject *subscript(PyObject *object, PyObject *key)
{
    PyObject *rows = rows_of(object);
    return rows ? PyObject_GetItem(rows, key) : NULL;
}

static PyObject *item(PyObject *object, Py_ssize_t index)
{
    PyObject *rows = rows_of(object);
    return rows ? PySequence_GetItem(rows, index) : NULL;
}

static PyObject *iterate(PyObject *object)
{
    PyObject *rows = rows_of(object);
    return rows ? PyObject_GetIter(rows) : NULL;
}

static PyObject *get_columns(PyObject *object, void *unused)
{
    (void)unused;
    return sdb_column_names(((answer *)object)->result);
}

static PyObject *get_types(PyObject *object, void *unused)
{
    (void)unused;
    return sdb_column_types(((answer *)object)->result);
}

static PyObject *get_changed(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(shopdata_result_changed(((answer *)object)->result));
}

static PyObject *get_source(PyObject *object, void *unused)
{
    (void)unused;
    switch (shopdata_result_source(((answer *)object)->result)) {
    case SHOPDATA_FROM_CACHE:
        return PyUnicode_InternFromString("cache");
    case SHOPDATA_FROM_REPLICA:
        return PyUnicode_InternFromString("replica");
    case SHOPDATA_FROM_STALE:
        return PyUnicode_InternFromString("stale");
    case SHOPDATA_FROM_LOCAL:
        return PyUnicode_InternFromString("local");
    default:
        return PyUnicode_InternFromString("primary");
    }
}

static PyObject *get_node(PyObject *object, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(shopdata_result_node(((answer *)object)->result));
}

/* Milliseconds as seconds; below 0: not known. */
static PyObject *seconds(int64_t ms)
{
    return ms < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)ms / 1000);
}

static PyObject *get_age(PyObject *object, void *unused)
{
    (void)unused;
    return seconds(shopdata_result_age_ms(((answer *)object)->result));
}

static PyObject *get_staleness(PyObject *object, void *unused)
{
    (void)unused;
    return seconds(shopdata_result_staleness_ms(((answer *)object)->result));
}

static PyMemberDef members[] = {{"_rows", T_OBJECT, offsetof(answer, rows), 0, NULL},
                                {"fenced", T_BOOL, offsetof(answer, fenced), READONLY,
                                 "False: the write stands, but the shared cache could not be told of it."},
                                {NULL, 0, 0, 0, NULL}};
static PyGetSetDef getters[] = {
    {"columns", get_columns, NULL, "The names of the columns.", NULL},
    {"types", get_types, NULL, "PostgreSQL's type OIDs of the columns.", NULL},
    {"changed", get_changed, NULL, "How many rows a write changed; for a read, the rows it found.", NULL},
    {"source", get_source, NULL, "Who answered: cache, replica, primary, stale, or local.", NULL},
    {"node", get_node, NULL, "The node that read the rows from the database.", NULL},
    {"age", get_age, NULL, "Seconds since the rows were read from the database.", NULL},
    {"staleness", get_staleness, NULL, "A bound in seconds: since when a write may have overtaken the rows.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PySequenceMethods sequence = {.sq_length = length, .sq_item = item};
static PyMappingMethods mapping = {.mp_length = length, .mp_subscript = subscript};

static PyTypeObject answer_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shopdata._native.Answer",
    .tp_basicsize = sizeof(answer),
    .tp_dealloc = dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = traverse,
    .tp_clear = clear,
    .tp_iter = iterate,
    .tp_as_sequence = &sequence,
    .tp_as_mapping = &mapping,
    .tp_members = members,
    .tp_getset = getters,
};

int sdb_answer_ready(PyObject *module)
{
    if (PyType_Ready(&answer_type) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Answer", (PyObject *)&answer_type);
}
