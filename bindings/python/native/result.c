#include "result.h"

#include "row.h"
#include "shape.h"
#include "types.h"

/* ----------------------------------------------------------------------------------------------------------- errors */

/* Long values are cut off, between two characters. */
static PyObject *excerpt(sdb_slice text)
{
    enum { MOST = 60 };
    PyObject *whole = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "replace");
    if (!whole || PyUnicode_GET_LENGTH(whole) <= MOST)
        return whole;
    PyObject *begin = PyUnicode_Substring(whole, 0, MOST);
    PyObject *cut = begin ? PyUnicode_FromFormat("%U...", begin) : NULL;
    Py_XDECREF(begin);
    Py_DECREF(whole);
    return cut;
}

/* Months are said apart: many a user's interval has some. */
static const char *reason(const sdb_type *type)
{
    return type->oid == 1186 ? "it has months or years, which have no fixed length, or is out of range"
                             : "out of range";
}

static void refuse(const sdb_shape *shape, size_t row, size_t column, sdb_slice text)
{
    const sdb_type *type = shape->columns[column].type;
    PyObject *name = PyTuple_GET_ITEM(shape->names, (Py_ssize_t)column);
    PyObject *type_set, *value_set, *trace_set;
    PyErr_Fetch(&type_set, &value_set, &trace_set);
    PyObject *value = excerpt(text);
    if (value) {
        PyErr_Restore(type_set, value_set, trace_set);
        sdb_raise_from("DataError",
                       "row %zu, column \"%U\": Python's %s cannot hold the %s%s '%U', %s; select it as text: %U::text",
                       row, name, type->python, type->name, shape->columns[column].array ? "[]" : "", value,
                       reason(type), name);
        Py_DECREF(value);
        return;
    }
    Py_XDECREF(type_set);
    Py_XDECREF(value_set);
    Py_XDECREF(trace_set);
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static PyObject *decode_cell(const shopdata_result *result, const sdb_shape *shape, size_t row, size_t column)
{
    const sdb_column *how = &shape->columns[column];
    sdb_slice text = {NULL, 0};
    shopdata_result_text(result, row, column, &text.data, &text.length, NULL);
    if (!text.data)
        return Py_NewRef(Py_None);
    PyObject *value = how->array ? sdb_decode_array(text, how->type->decode) : how->type->decode(text);
    if (!value && (!PyErr_Occurred() || sdb_is_fault()))
        refuse(shape, row, column, text);
    return value;
}

static PyObject *decode_row(const shopdata_result *result, const sdb_shape *shape, size_t number)
{
    PyObject *row = sdb_row_new(shape->row_class, (Py_ssize_t)shape->count);
    for (size_t i = 0; row && i < shape->count; i++) {
        PyObject *value = decode_cell(result, shape, number, i);
        if (value)
            PyTuple_SET_ITEM(row, (Py_ssize_t)i, value);
        else
            Py_CLEAR(row);
    }
    if (row && !shape->collected)
        PyObject_GC_UnTrack(row); /* as Python does with a plain tuple of such values, but at its first collection */
    return row;
}

PyObject *sdb_rows(const shopdata_result *result)
{
    sdb_shape *shape = sdb_shape_of(result);
    size_t count = shopdata_result_rows(result);
    PyObject *rows = shape ? PyList_New((Py_ssize_t)count) : NULL;
    for (size_t i = 0; rows && i < count; i++) {
        PyObject *row = decode_row(result, shape, i);
        if (row)
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
        else
            Py_CLEAR(rows);
    }
    sdb_shape_release(shape);
    return rows;
}

PyObject *sdb_column_names(const shopdata_result *result)
{
    sdb_shape *shape = sdb_shape_of(result);
    PyObject *names = shape ? Py_NewRef(shape->names) : NULL;
    sdb_shape_release(shape);
    return names;
}

PyObject *sdb_column_types(const shopdata_result *result)
{
    Py_ssize_t count = (Py_ssize_t)shopdata_result_columns(result);
    PyObject *types = PyTuple_New(count);
    for (Py_ssize_t i = 0; types && i < count; i++) {
        PyObject *oid = PyLong_FromUnsignedLong(shopdata_result_column_type(result, (size_t)i));
        if (oid)
            PyTuple_SET_ITEM(types, i, oid);
        else
            Py_CLEAR(types);
    }
    return types;
}
