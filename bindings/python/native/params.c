#include "params.h"

#include "encode.h"
#include "types.h"

/* Takes over the caller's reference, which may be NULL. */
static int keep(sdb_params *params, PyObject *bytes)
{
    if (bytes && !params->kept)
        params->kept = PyList_New(0);
    int status = bytes && params->kept ? PyList_Append(params->kept, bytes) : -1;
    Py_XDECREF(bytes);
    return status;
}

static int add_text(sdb_params *params, PyObject *value)
{
    PyObject *bytes = NULL;
    sdb_text text;
    sdb_text_begin(&text);
    if (sdb_encode(value, &text) == 0)
        bytes = PyBytes_FromStringAndSize(text.data, (Py_ssize_t)text.length);
    sdb_text_end(&text);
    if (keep(params, bytes) < 0)
        return -1;
    params->list[params->count] = shopdata_text_n(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    return 0;
}

static int add_str(sdb_params *params, PyObject *value)
{
    Py_ssize_t length;
    const char *text = sdb_encode_str(value, &length);
    if (!text)
        return -1;
    params->list[params->count] = shopdata_text_n(text, (size_t)length);
    return 0;
}

static int add_bytes(sdb_params *params, PyObject *value)
{
    if (!PyBytes_Check(value)) {
        value = PyBytes_FromObject(value);
        if (keep(params, value) < 0)
            return -1;
    }
    params->list[params->count] = shopdata_bytes(PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    return 0;
}

static int add_int(sdb_params *params, PyObject *value)
{
    int overflow;
    params->list[params->count] = shopdata_int64(PyLong_AsLongLongAndOverflow(value, &overflow));
    return overflow ? add_text(params, value) : 0;
}

/* What is no Enum. Bytes and floats have kinds of their own, all else is text. */
static int add_plain(sdb_params *params, PyObject *value)
{
    shopdata_param *to = &params->list[params->count];
    if (PyUnicode_Check(value))
        return add_str(params, value);
    if (PyBool_Check(value))
        *to = shopdata_bool(value == Py_True);
    else if (PyLong_Check(value))
        return add_int(params, value);
    else if (value == Py_None)
        *to = shopdata_null();
    else if (PyFloat_Check(value))
        *to = shopdata_double(PyFloat_AS_DOUBLE(value));
    else if (sdb_is_bytes(value))
        return add_bytes(params, value);
    else
        return add_text(params, value);
    return 0;
}

/* An Enum's value lives as long as the Enum: but where a property makes it, so it is kept. */
static int add_enum(sdb_params *params, PyObject *value)
{
    PyObject *inner = sdb_enum_value(value);
    if (!inner)
        return -1;
    Py_INCREF(inner);
    int status = keep(params, inner) < 0 ? -1 : add_plain(params, inner);
    Py_DECREF(inner);
    return status;
}

static int add(sdb_params *params, PyObject *value)
{
    bool plain = PyLong_CheckExact(value) || PyUnicode_CheckExact(value);
    int status = !plain && sdb_is_enum(value) ? add_enum(params, value) : add_plain(params, value);
    params->count += status == 0;
    return status;
}

static void name_parameter(size_t index, PyObject *names)
{
    if (!sdb_is_fault())
        return;
    PyObject *type, *fault, *trace;
    PyErr_Fetch(&type, &fault, &trace);
    PyErr_NormalizeException(&type, &fault, &trace);
    PyObject *said = fault ? PyObject_Str(fault) : NULL;
    PyErr_Restore(type, fault, trace);
    if (said && names && (Py_ssize_t)index < PyTuple_GET_SIZE(names))
        sdb_raise_from("ParameterError", "parameter :%S: %U", PyTuple_GET_ITEM(names, (Py_ssize_t)index), said);
    else if (said)
        sdb_raise_from("ParameterError", "parameter $%zu: %U", index + 1, said);
    Py_XDECREF(said);
}

int sdb_params_fill(PyObject *const *values, Py_ssize_t count, PyObject *names, sdb_params *params)
{
    params->count = 0;
    params->kept = NULL;
    params->list = params->inlined;
    if (count > SDB_PARAMS_INLINE)
        params->list = PyMem_New(shopdata_param, (size_t)count);
    int status = params->list ? 0 : -1;
    if (status < 0)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; status == 0 && i < count; i++)
        status = add(params, values[i]);
    if (status < 0) {
        name_parameter(params->count, names);
        sdb_params_free(params);
    }
    return status;
}

void sdb_params_free(sdb_params *params)
{
    Py_CLEAR(params->kept);
    if (params->list != params->inlined)
        PyMem_Free(params->list);
    params->list = params->inlined;
    params->count = 0;
}
