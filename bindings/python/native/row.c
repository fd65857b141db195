#include "row.h"

#include <stdbool.h>

#include "types.h"

enum { CLASSES_MAX = 1024, TWICE = -1 };

static PyObject *classes;      /* tuple of names -> class */
static PyObject *columns_name; /* "__columns__": a class' tuple of names */
static PyObject *places_name;  /* "__places__": a class' dict of name -> place, TWICE if two have it */

/* ---------------------------------------------------------------------------------------------------------- getters */

/* What stands in a row's class under a column's name. */
typedef struct row_column {
    PyObject_HEAD Py_ssize_t place;
    PyObject *name;
} row_column;

static void getter_free(PyObject *self)
{
    Py_XDECREF(((row_column *)self)->name);
    PyObject_Free(self);
}

static void raise_twice(PyObject *exception, PyObject *name)
{
    PyErr_Format(exception, "more than one column is named \"%U\"; name them with AS, or ask by number", name);
}

static PyObject *getter_get(PyObject *self, PyObject *row, PyObject *type)
{
    (void)type;
    const row_column *column = (row_column *)self;
    if (!row)
        return Py_NewRef(self);
    if (column->place == TWICE)
        raise_twice(PyExc_AttributeError, column->name);
    else if (PyTuple_Check(row) && column->place < PyTuple_GET_SIZE(row))
        return Py_NewRef(PyTuple_GET_ITEM(row, column->place));
    else
        PyErr_Format(PyExc_TypeError, "\"%U\" is a column of rows, not of a %.80s", column->name,
                     Py_TYPE(row)->tp_name);
    return NULL;
}

static PyTypeObject getter_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shopdata._native.Column",
    .tp_doc = "A column of a row's class.",
    .tp_basicsize = sizeof(row_column),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = getter_free,
    .tp_descr_get = getter_get,
};

static PyObject *new_getter(PyObject *name, Py_ssize_t place)
{
    row_column *column = PyObject_New(row_column, &getter_type);
    if (column) {
        column->place = place;
        column->name = Py_NewRef(name);
    }
    return (PyObject *)column;
}

/* ---------------------------------------------------------------------------------------------------------- classes */

/* Python would not work with a column in place of __class__ or __len__: these have row["__len__"] only. */
static bool is_special(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    return length >= 4 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_' &&
           PyUnicode_READ_CHAR(name, length - 1) == '_' && PyUnicode_READ_CHAR(name, length - 2) == '_';
}

static int add_column(PyObject *body, PyObject *places, PyObject *name, Py_ssize_t place)
{
    int twice = PyDict_Contains(places, name);
    if (twice < 0)
        return -1;
    place = twice ? TWICE : place;
    PyObject *number = PyLong_FromSsize_t(place);
    PyObject *column = new_getter(name, place);
    int status = number && column ? PyDict_SetItem(places, name, number) : -1;
    if (status == 0 && !is_special(name))
        status = PyDict_SetItem(body, name, column);
    Py_XDECREF(number);
    Py_XDECREF(column);
    return status;
}

/* The body of the class statement. */
static PyObject *new_body(PyObject *names)
{
    PyObject *places = PyDict_New();
    PyObject *body = Py_BuildValue("{s:(),s:s,O:O}", "__slots__", "__module__", "shopdata", columns_name, names);
    int status = places && body ? PyDict_SetItem(body, places_name, places) : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(names); i++)
        status = add_column(body, places, PyTuple_GET_ITEM(names, i), i);
    if (status < 0)
        Py_CLEAR(body);
    Py_XDECREF(places);
    return body;
}

static PyTypeObject *new_class(PyObject *names)
{
    PyObject *body = new_body(names);
    PyObject *class =
        body ? PyObject_CallFunction((PyObject *)&PyType_Type, "s(O)O", "Row", &sdb_row_type, body) : NULL;
    Py_XDECREF(body);
    if (class && PyDict_GET_SIZE(classes) >= CLASSES_MAX)
        PyDict_Clear(classes);
    if (class && PyDict_SetItem(classes, names, class) < 0)
        Py_CLEAR(class);
    return (PyTypeObject *)class;
}

PyTypeObject *sdb_row_class(PyObject *names)
{
    PyObject *known = PyDict_GetItemWithError(classes, names);
    if (known)
        return (PyTypeObject *)Py_NewRef(known);
    return PyErr_Occurred() ? NULL : new_class(names);
}

static bool are_names(PyObject *names)
{
    bool all = PyTuple_CheckExact(names);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(names); i++)
        all = PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i));
    return all;
}

/* From 3.14 on a tuple keeps its hash; what is allocated by zeros would have hashed to 0. */
PyObject *sdb_row_new(PyTypeObject *class, Py_ssize_t count)
{
    PyObject *row = class->tp_alloc(class, count);
#if PY_VERSION_HEX >= 0x030e0000
    if (row)
        ((PyTupleObject *)row)->ob_hash = -1;
#endif
    return row;
}

PyObject *sdb_row_restore(PyObject *names, PyObject *values)
{
    if (!are_names(names) || !PyTuple_CheckExact(values) || PyTuple_GET_SIZE(names) != PyTuple_GET_SIZE(values)) {
        PyErr_SetString(PyExc_TypeError, "a row is made of a tuple of column names and one of as many values");
        return NULL;
    }
    PyTypeObject *class = sdb_row_class(names);
    PyObject *row = class ? sdb_row_new(class, PyTuple_GET_SIZE(values)) : NULL;
    for (Py_ssize_t i = 0; row && i < PyTuple_GET_SIZE(values); i++)
        PyTuple_SET_ITEM(row, i, Py_NewRef(PyTuple_GET_ITEM(values, i)));
    Py_XDECREF(class);
    return row;
}

/* ------------------------------------------------------------------------------------------------------------- rows */

/* A class can be changed, by whoever wants to; then its rows are no rows, but nothing is read behind their end. */
static PyObject *columns_of(PyObject *row)
{
    PyObject *columns = PyObject_GetAttr((PyObject *)Py_TYPE(row), columns_name);
    if (!columns || (are_names(columns) && PyTuple_GET_SIZE(columns) == PyTuple_GET_SIZE(row)))
        return columns;
    PyErr_SetString(PyExc_TypeError, "somebody changed __columns__ of the row's class");
    Py_DECREF(columns);
    return NULL;
}

/* shopdata.Row(names, values): for pickle, and for tests of those who use the library. */
static PyObject *row_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"names", "values", NULL};
    PyObject *names, *values;
    if (type != &sdb_row_type) {
        PyErr_SetString(PyExc_TypeError, "rows are made of their names and values: shopdata.Row(names, values)");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO:Row", words, &names, &values))
        return NULL;
    return sdb_row_restore(names, values);
}

static void raise_unknown(PyObject *exception, PyObject *row, PyObject *name)
{
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *columns = columns_of(row);
    PyObject *list = comma && columns ? PyUnicode_Join(comma, columns) : NULL;
    if (list)
        PyErr_Format(exception, "no column \"%U\"; there are: %U", name, list);
    Py_XDECREF(list);
    Py_XDECREF(columns);
    Py_XDECREF(comma);
}

/* The place of a column, or -1 with KeyError. */
static Py_ssize_t place_of(PyObject *row, PyObject *name)
{
    PyObject *places = PyObject_GetAttr((PyObject *)Py_TYPE(row), places_name);
    PyObject *number = places && PyDict_Check(places) ? PyDict_GetItemWithError(places, name) : NULL;
    Py_ssize_t place = number ? PyLong_AsSsize_t(number) : -1;
    if (number && place == TWICE)
        raise_twice(PyExc_KeyError, name);
    else if (places && !PyErr_Occurred() && (!number || place < 0 || place >= PyTuple_GET_SIZE(row))) {
        raise_unknown(PyExc_KeyError, row, name);
        place = -1;
    }
    Py_XDECREF(places);
    return place;
}

static PyObject *row_subscript(PyObject *row, PyObject *key)
{
    if (!PyUnicode_Check(key))
        return PyTuple_Type.tp_as_mapping->mp_subscript(row, key);
    Py_ssize_t place = place_of(row, key);
    return place < 0 ? NULL : Py_NewRef(PyTuple_GET_ITEM(row, place));
}

static PyObject *row_getattro(PyObject *row, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(row, name);
    if (value || !PyErr_ExceptionMatches(PyExc_AttributeError) || is_special(name))
        return value;
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyObject *places = PyObject_GetAttr((PyObject *)Py_TYPE(row), places_name);
    int known = places ? PySequence_Contains(places, name) : -1;
    Py_XDECREF(places);
    if (known) {
        PyErr_Restore(type, error, trace);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    raise_unknown(PyExc_AttributeError, row, name);
    return NULL;
}

/* One "name='x'" of the repr. */
static PyObject *repr_column(PyObject *row, PyObject *columns, Py_ssize_t i)
{
    return PyUnicode_FromFormat("%U=%R", PyTuple_GET_ITEM(columns, i), PyTuple_GET_ITEM(row, i));
}

static PyObject *join_columns(PyObject *row, PyObject *columns)
{
    PyObject *parts = PyList_New(0);
    int status = parts ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(row); i++) {
        PyObject *part = repr_column(row, columns, i);
        status = part ? PyList_Append(parts, part) : -1;
        Py_XDECREF(part);
    }
    PyObject *comma = status == 0 ? PyUnicode_FromString(", ") : NULL;
    PyObject *joined = comma ? PyUnicode_Join(comma, parts) : NULL;
    Py_XDECREF(comma);
    Py_XDECREF(parts);
    return joined;
}

static PyObject *row_repr(PyObject *row)
{
    PyObject *columns = columns_of(row);
    PyObject *inner = columns ? join_columns(row, columns) : NULL;
    PyObject *whole = inner ? PyUnicode_FromFormat("Row(%U)", inner) : NULL;
    Py_XDECREF(inner);
    Py_XDECREF(columns);
    return whole;
}

static PyObject *row_keys(PyObject *row, PyObject *unused)
{
    (void)unused;
    return columns_of(row);
}

static PyObject *row_fields(PyObject *row, void *unused)
{
    (void)unused;
    return columns_of(row);
}

static PyObject *row_values(PyObject *row, PyObject *unused)
{
    (void)unused;
    return PyTuple_GetSlice(row, 0, PyTuple_GET_SIZE(row));
}

static PyObject *row_items(PyObject *row, PyObject *unused)
{
    (void)unused;
    PyObject *columns = columns_of(row);
    PyObject *items = columns ? PyTuple_New(PyTuple_GET_SIZE(row)) : NULL;
    for (Py_ssize_t i = 0; items && i < PyTuple_GET_SIZE(row); i++) {
        PyObject *pair = PyTuple_Pack(2, PyTuple_GET_ITEM(columns, i), PyTuple_GET_ITEM(row, i));
        if (pair)
            PyTuple_SET_ITEM(items, i, pair);
        else
            Py_CLEAR(items);
    }
    Py_XDECREF(columns);
    return items;
}

/* A dict has room for one of two columns of a name only: then KeyError. */
static PyObject *row_asdict(PyObject *row, PyObject *unused)
{
    (void)unused;
    PyObject *columns = columns_of(row), *dict = columns ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; dict && i < PyTuple_GET_SIZE(row); i++) {
        PyObject *name = PyTuple_GET_ITEM(columns, i);
        if (place_of(row, name) != i || PyDict_SetItem(dict, name, PyTuple_GET_ITEM(row, i)) < 0)
            Py_CLEAR(dict);
    }
    Py_XDECREF(columns);
    return dict;
}

static PyObject *row_reduce(PyObject *row, PyObject *unused)
{
    (void)unused;
    PyObject *values = PyTuple_GetSlice(row, 0, PyTuple_GET_SIZE(row)), *columns = columns_of(row);
    PyObject *reduced = values && columns ? Py_BuildValue("O(OO)", &sdb_row_type, columns, values) : NULL;
    Py_XDECREF(values);
    Py_XDECREF(columns);
    return reduced;
}

static PyMethodDef row_methods[] = {
    {"keys", row_keys, METH_NOARGS, "The names of the columns, as a tuple."},
    {"values", row_values, METH_NOARGS, "The values, as a plain tuple."},
    {"items", row_items, METH_NOARGS, "Pairs of a column's name and its value, as a tuple."},
    {"_asdict", row_asdict, METH_NOARGS, "The row as a dict; KeyError if two columns have the same name."},
    {"__reduce__", row_reduce, METH_NOARGS, "What pickle and copy make a row of."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef row_getset[] = {
    {"_fields", row_fields, NULL, "The names of the columns, as a tuple.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMappingMethods row_mapping = {.mp_subscript = row_subscript};

PyTypeObject sdb_row_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shopdata.Row",
    .tp_doc = "A row: a tuple whose values are also its columns, by name: row.price, row[\"price\"], row[0].",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = row_new,
    .tp_getattro = row_getattro,
    .tp_repr = row_repr,
    .tp_as_mapping = &row_mapping,
    .tp_methods = row_methods,
    .tp_getset = row_getset,
};

static PyObject *no_columns(void)
{
    PyObject *names = PyTuple_New(0), *places = PyDict_New();
    int status = names && places && !PyDict_SetItem(sdb_row_type.tp_dict, columns_name, names) &&
                         !PyDict_SetItem(sdb_row_type.tp_dict, places_name, places)
                     ? 0
                     : -1;
    Py_XDECREF(places);
    if (status < 0)
        Py_CLEAR(names);
    return names;
}

int sdb_row_init(void)
{
    if (classes)
        return 0;
    sdb_row_type.tp_base = &PyTuple_Type;
    columns_name = PyUnicode_InternFromString("__columns__");
    places_name = PyUnicode_InternFromString("__places__");
    if (!columns_name || !places_name || PyType_Ready(&getter_type) < 0 || PyType_Ready(&sdb_row_type) < 0)
        return -1;
    PyObject *none = no_columns();
    Py_XDECREF(none);
    classes = none ? PyDict_New() : NULL;
    return classes ? 0 : -1;
}
