#include "types.h"

#include "decode.h"
#include "encode.h"
#include "errors.h"
#include "row.h"

sdb_types sdb_type_objects;

static PyObject *attribute(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return found;
}

static int keep_types(void)
{
    static const struct {
        const char *module, *name;
        PyTypeObject **to;
    } wanted[] = {
        {"decimal", "Decimal", &sdb_type_objects.decimal},
        {"uuid", "UUID", &sdb_type_objects.uuid},
        {"enum", "Enum", &sdb_type_objects.enumeration},
        {"shopdata.types", "Json", &sdb_type_objects.json},
        {"ipaddress", "IPv4Address", &sdb_type_objects.addresses[0]},
        {"ipaddress", "IPv6Address", &sdb_type_objects.addresses[1]},
        {"ipaddress", "IPv4Network", &sdb_type_objects.addresses[2]},
        {"ipaddress", "IPv6Network", &sdb_type_objects.addresses[3]},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        PyObject *type = attribute(wanted[i].module, wanted[i].name);
        if (!type)
            return -1;
        Py_XSETREF(*wanted[i].to, (PyTypeObject *)type);
    }
    return 0;
}

static int keep(PyObject **to, PyObject *object)
{
    if (!object)
        return -1;
    Py_XSETREF(*to, object);
    return 0;
}

/* json.JSONDecoder().scan_once is the scanner in C; .decode takes blanks around, too, and says what is wrong. */
static int keep_json(void)
{
    PyObject *class = attribute("json", "JSONDecoder");
    PyObject *decoder = class ? PyObject_CallNoArgs(class) : NULL;
    Py_XDECREF(class);
    int status = decoder ? keep(&sdb_type_objects.json_scan, PyObject_GetAttrString(decoder, "scan_once")) : -1;
    if (status == 0)
        status = keep(&sdb_type_objects.json_decode, PyObject_GetAttrString(decoder, "decode"));
    Py_XDECREF(decoder);
    return status == 0 ? keep(&sdb_type_objects.json_dumps, attribute("shopdata.types", "dump_json")) : status;
}

static int keep_safe(void)
{
    PyObject *class = attribute("uuid", "SafeUUID");
    int status = class ? keep(&sdb_type_objects.uuid_safe_unknown, PyObject_GetAttrString(class, "unknown")) : -1;
    Py_XDECREF(class);
    return status;
}

static int keep_names(void)
{
    static const struct {
        const char *name;
        PyObject **to;
    } wanted[] = {
        {"_text", &sdb_type_objects.text_name},      {"utcoffset", &sdb_type_objects.utcoffset_name},
        {"value", &sdb_type_objects.value_name},     {"int", &sdb_type_objects.int_name},
        {"is_safe", &sdb_type_objects.is_safe_name},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (keep(wanted[i].to, PyUnicode_InternFromString(wanted[i].name)) < 0)
            return -1;
    return 0;
}

int sdb_types_init(void)
{
    if (keep_types() < 0 || keep_json() < 0 || keep_safe() < 0 || keep_names() < 0)
        return -1;
    return sdb_encode_init() < 0 || sdb_decode_init() < 0 || sdb_row_init() < 0 ? -1 : 0;
}

/* ---------------------------------------------------------------------------------------------------------- raising */

/* The exception that is set, as an object; NULL if none is, or none with a place in Python code to tell of. */
static PyObject *take_exception(void)
{
    PyObject *type, *exception, *trace;
    PyErr_Fetch(&type, &exception, &trace);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &exception, &trace);
    if (trace)
        PyException_SetTraceback(exception, trace);
    else
        Py_CLEAR(exception);
    Py_DECREF(type);
    Py_XDECREF(trace);
    return exception;
}

static void add_cause(PyObject *cause)
{
    PyObject *type, *exception, *trace;
    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    if (exception)
        PyException_SetCause(exception, Py_NewRef(cause));
    PyErr_Restore(type, exception, trace);
}

void sdb_raise_from(const char *class_name, const char *format, ...)
{
    PyObject *cause = take_exception();
    va_list arguments;
    va_start(arguments, format);
    sdb_raise_list(class_name, format, arguments);
    va_end(arguments);
    if (cause)
        add_cause(cause);
    Py_XDECREF(cause);
}

int sdb_is_fault(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError);
}
