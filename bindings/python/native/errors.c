#include "errors.h"

#include "log.h"

/* A name of shopdata.errors, as a new reference. Errors are rare enough to look it up each time. */
static PyObject *name_of_errors(const char *name)
{
    PyObject *module = PyImport_ImportModule("shopdata.errors");
    PyObject *attribute = module ? PyUnicode_InternFromString(name) : NULL; /* see types.h */
    PyObject *value = attribute ? PyObject_GetAttr(module, attribute) : NULL;
    Py_XDECREF(attribute);
    Py_XDECREF(module);
    return value;
}

static PyObject *exception_of(int status, const shopdata_error *error)
{
    PyObject *make = name_of_errors("of_status");
    PyObject *exception =
        make ? PyObject_CallFunction(make, "sssi", shopdata_status_name(status), shopdata_error_message(error),
                                     shopdata_error_sqlstate(error), shopdata_error_is_retriable(error))
             : NULL;
    Py_XDECREF(make);
    return exception;
}

static void raise_new(int status, const shopdata_error *error)
{
    PyObject *exception = exception_of(status, error);
    if (exception)
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_XDECREF(exception);
}

/* Who is interrupted behind COMMIT has to learn that nobody knows what became of it. */
static void tell_of_doubt(const shopdata_error *error)
{
    PyObject *type, *raised, *trace;
    PyErr_Fetch(&type, &raised, &trace);
    PyErr_NormalizeException(&type, &raised, &trace);
    PyObject *doubt = exception_of(SHOPDATA_ERR_AMBIGUOUS, error);
    if (raised && doubt)
        PyException_SetContext(raised, Py_NewRef(doubt));
    Py_XDECREF(doubt);
    PyErr_Restore(type, raised, trace);
}

void sdb_raise_status(int status, shopdata_error *error)
{
    if (!PyErr_Occurred())
        raise_new(status, error);
    else if (status == SHOPDATA_ERR_AMBIGUOUS)
        tell_of_doubt(error);
    shopdata_error_free(error);
}

void sdb_raise_parameters(shopdata_error *error)
{
    sdb_raise_as("ParameterError", "%s", shopdata_error_message(error));
    shopdata_error_free(error);
}

bool sdb_failed(int status, shopdata_error *error)
{
    if (status < 0)
        sdb_raise_status(status, error);
    sdb_log_drain();
    return PyErr_Occurred() != NULL;
}

void sdb_raise_list(const char *class_name, const char *format, va_list arguments)
{
    PyObject *class = name_of_errors(class_name);
    if (class)
        PyErr_FormatV(class, format, arguments);
    Py_XDECREF(class);
}

PyObject *sdb_raise_as(const char *class_name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sdb_raise_list(class_name, format, arguments);
    va_end(arguments);
    return NULL;
}
