#include "encode.h"

#include <datetime.h>
#include <math.h>
#include <string.h>

#include "types.h"

int sdb_encode_init(void)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------------------------ texts */

static void lone_surrogate(PyObject *string)
{
    Py_ssize_t index = 0;
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return;
    while (index < PyUnicode_GET_LENGTH(string) && !Py_UNICODE_IS_SURROGATE(PyUnicode_READ_CHAR(string, index)))
        index++;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "the str has a lone surrogate at index %zd, which no PostgreSQL text can hold",
                 index);
}

const char *sdb_encode_str(PyObject *string, Py_ssize_t *length)
{
    const char *text = PyUnicode_AsUTF8AndSize(string, length);
    if (!text) {
        lone_surrogate(string);
        return NULL;
    }
    if (!memchr(text, '\0', (size_t)*length))
        return text;
    PyErr_Format(PyExc_ValueError,
                 "the str has a NUL character at index %zd, which no PostgreSQL text can hold; pass bytes to a bytea",
                 PyUnicode_FindChar(string, 0, 0, PyUnicode_GET_LENGTH(string), 1));
    return NULL;
}

static int write_str(PyObject *value, sdb_text *text)
{
    Py_ssize_t length;
    const char *data = sdb_encode_str(value, &length);
    if (!data)
        return -1;
    sdb_text_append(text, data, (size_t)length);
    return 0;
}

/* What arrives is the caller's reference, or NULL with an exception. */
static int write_new(PyObject *string, sdb_text *text)
{
    int status = string && PyUnicode_Check(string) ? write_str(string, text) : -1;
    if (string && status < 0 && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "its text is a %.80s, not a str", Py_TYPE(string)->tp_name);
    Py_XDECREF(string);
    return status;
}

static int write_as_str(PyObject *value, sdb_text *text)
{
    return write_new(PyObject_Str(value), text);
}

static int write_bytes(PyObject *value, sdb_text *text)
{
    PyObject *bytes = PyBytes_FromObject(value);
    if (bytes)
        sdb_text_hex(text, (const unsigned char *)PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(bytes);
    return bytes ? 0 : -1;
}

static int write_json(PyObject *value, sdb_text *text)
{
    return write_new(PyObject_CallOneArg(sdb_type_objects.json_dumps, value), text);
}

static int write_wrapped_json(PyObject *value, sdb_text *text)
{
    return write_new(PyObject_CallMethodNoArgs(value, sdb_type_objects.text_name), text);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static int write_bool(PyObject *value, sdb_text *text)
{
    sdb_text_char(text, value == Py_True ? 't' : 'f');
    return 0;
}

/* Over 64 bits: for a numeric. Not by str(), which a subclass may have changed. */
static int write_int(PyObject *value, sdb_text *text)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return write_new(PyLong_Type.tp_repr(value), text);
    sdb_text_decimal(text, number);
    return 0;
}

static int write_index(PyObject *value, sdb_text *text)
{
    PyObject *number = PyNumber_Index(value);
    int status = number ? write_int(number, text) : -1;
    Py_XDECREF(number);
    return status;
}

static int write_float(PyObject *value, sdb_text *text)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (!isfinite(number)) {
        sdb_text_printf(text, "%s", isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return 0;
    }
    char *digits = PyOS_double_to_string(number, 'r', 0, 0, NULL);
    if (!digits)
        return -1;
    sdb_text_append(text, digits, strlen(digits));
    PyMem_Free(digits);
    return 0;
}

/* "NaN", "-NaN", "sNaN7": PostgreSQL has one NaN, and it does not signal. */
static int write_nan(const char *digits, sdb_text *text)
{
    if (strstr(digits, "sNaN")) {
        PyErr_SetString(PyExc_ValueError, "a signaling NaN; PostgreSQL's numeric knows only Decimal(\"NaN\")");
        return -1;
    }
    sdb_text_append(text, "NaN", 3);
    return 0;
}

static int write_decimal(PyObject *value, sdb_text *text)
{
    PyObject *string = sdb_type_objects.decimal->tp_str(value);
    const char *digits = string ? PyUnicode_AsUTF8(string) : NULL;
    int status = digits ? 0 : -1;
    if (digits && strstr(digits, "NaN"))
        status = write_nan(digits, text);
    else if (digits)
        sdb_text_append(text, digits, strlen(digits));
    Py_XDECREF(string);
    return status;
}

/* ----------------------------------------------------------------------------------------------------- dates, times */

static void put_date(PyObject *value, sdb_text *text)
{
    sdb_text_printf(text, "%04d-%02d-%02d", PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value),
                    PyDateTime_GET_DAY(value));
}

static void put_time(sdb_text *text, int hour, int minute, int second, int microsecond)
{
    sdb_text_printf(text, "%02d:%02d:%02d", hour, minute, second);
    if (microsecond)
        sdb_text_printf(text, ".%06d", microsecond);
}

static void put_moment(PyObject *value, sdb_text *text)
{
    put_date(value, text);
    sdb_text_char(text, ' ');
    put_time(text, PyDateTime_DATE_GET_HOUR(value), PyDateTime_DATE_GET_MINUTE(value),
             PyDateTime_DATE_GET_SECOND(value), PyDateTime_DATE_GET_MICROSECOND(value));
}

static int put_offset(PyObject *offset, sdb_text *text)
{
    long seconds = PyDateTime_DELTA_GET_DAYS(offset) * 86400L + PyDateTime_DELTA_GET_SECONDS(offset);
    if (PyDateTime_DELTA_GET_MICROSECONDS(offset)) {
        PyErr_SetString(PyExc_ValueError, "the offset of its tzinfo has fractions of a second, PostgreSQL's have none");
        return -1;
    }
    long size = seconds < 0 ? -seconds : seconds;
    sdb_text_printf(text, "%c%02ld:%02ld", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60)
        sdb_text_printf(text, ":%02ld", size % 60);
    return 0;
}

static int write_date(PyObject *value, sdb_text *text)
{
    put_date(value, text);
    return 0;
}

static PyObject *without_zone(PyObject *value)
{
    return PyDateTimeAPI->DateTime_FromDateAndTime(
        PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value),
        PyDateTime_DATE_GET_HOUR(value), PyDateTime_DATE_GET_MINUTE(value), PyDateTime_DATE_GET_SECOND(value),
        PyDateTime_DATE_GET_MICROSECOND(value), Py_None, PyDateTimeAPI->DateTimeType);
}

/* In UTC: a column without zone would drop any other offset and keep the hour. Within a day of datetime.min and
 * datetime.max that may not be possible: then with its own. */
static int write_aware(PyObject *value, PyObject *offset, sdb_text *text)
{
    PyObject *local = without_zone(value);
    PyObject *moment = local ? PyNumber_Subtract(local, offset) : NULL;
    int status = -1;
    if (moment) {
        put_moment(moment, text);
        sdb_text_append(text, "+00", 3);
        status = 0;
    } else if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        put_moment(value, text);
        status = put_offset(offset, text);
    }
    Py_XDECREF(moment);
    Py_XDECREF(local);
    return status;
}

/* NaT of pandas calls itself a datetime. It is told by what NaN is told by. */
static int is_moment(PyObject *value)
{
    if (PyDateTime_CheckExact(value))
        return 1;
    PyObject *equal = PyObject_RichCompare(value, value, Py_EQ);
    int same = equal ? PyObject_IsTrue(equal) : -1;
    Py_XDECREF(equal);
    if (same == 0)
        PyErr_Format(PyExc_ValueError, "a %.80s is no moment; pass None for NULL", Py_TYPE(value)->tp_name);
    return same;
}

/* A timedelta or None; a new reference. datetime checks what a tzinfo says, not what a subclass's own method does. */
static PyObject *offset_of(PyObject *value)
{
    PyObject *offset = PyObject_CallMethodNoArgs(value, sdb_type_objects.utcoffset_name);
    if (!offset || offset == Py_None || PyDelta_Check(offset))
        return offset;
    PyErr_Format(PyExc_TypeError, "its utcoffset() is a %.80s, not a timedelta or None", Py_TYPE(offset)->tp_name);
    Py_DECREF(offset);
    return NULL;
}

static int write_datetime(PyObject *value, sdb_text *text)
{
    if (is_moment(value) <= 0)
        return -1;
    PyObject *offset = offset_of(value);
    int status = offset ? 0 : -1;
    if (offset == Py_None)
        put_moment(value, text);
    else if (offset)
        status = write_aware(value, offset, text);
    Py_XDECREF(offset);
    return status;
}

static int write_offset_of(PyObject *value, sdb_text *text)
{
    PyObject *offset = offset_of(value);
    int status = offset ? 0 : -1;
    if (offset == Py_None) {
        PyErr_SetString(PyExc_ValueError, "the offset of its tzinfo depends on a date; pass a datetime, or a time with"
                                          " a fixed offset (datetime.timezone)");
        status = -1;
    } else if (offset)
        status = put_offset(offset, text);
    Py_XDECREF(offset);
    return status;
}

static int write_time(PyObject *value, sdb_text *text)
{
    put_time(text, PyDateTime_TIME_GET_HOUR(value), PyDateTime_TIME_GET_MINUTE(value),
             PyDateTime_TIME_GET_SECOND(value), PyDateTime_TIME_GET_MICROSECOND(value));
    return ((PyDateTime_Time *)value)->hastzinfo ? write_offset_of(value, text) : 0;
}

/* timedelta(hours=-1) is one day less and 23 hours more; an interval's day is not always 24 hours: one sign for both.
 */
static int write_timedelta(PyObject *value, sdb_text *text)
{
    int64_t days = PyDateTime_DELTA_GET_DAYS(value), second = 1000000, day = 86400 * second;
    int64_t rest = PyDateTime_DELTA_GET_SECONDS(value) * second + PyDateTime_DELTA_GET_MICROSECONDS(value);
    if (days < 0 && rest > 0) {
        days++;
        rest -= day;
    }
    int64_t size = rest < 0 ? -rest : rest;
    sdb_text_printf(text, "%lld days %s%lld.%06lld secs", (long long)days, rest < 0 ? "-" : "",
                    (long long)(size / second), (long long)(size % second));
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- choice */

bool sdb_is_enum(PyObject *value)
{
    return PyObject_TypeCheck(value, sdb_type_objects.enumeration);
}

PyObject *sdb_enum_value(PyObject *value)
{
    Py_INCREF(value);
    while (value && sdb_is_enum(value))
        Py_SETREF(value, PyObject_GetAttr(value, sdb_type_objects.value_name));
    return value;
}

bool sdb_is_bytes(PyObject *value)
{
    return PyBytes_Check(value) || PyByteArray_Check(value) || PyMemoryView_Check(value);
}

static bool is_address(PyObject *value)
{
    for (size_t i = 0; i < sizeof sdb_type_objects.addresses / sizeof *sdb_type_objects.addresses; i++)
        if (PyObject_TypeCheck(value, sdb_type_objects.addresses[i]))
            return true;
    return false;
}

/* A bool is an int besides, a datetime a date. */
static int (*writer_of(PyObject *value))(PyObject *, sdb_text *)
{
    return PyBool_Check(value)                                   ? write_bool
           : PyLong_Check(value)                                 ? write_int
           : PyUnicode_Check(value)                              ? write_str
           : PyFloat_Check(value)                                ? write_float
           : PyObject_TypeCheck(value, sdb_type_objects.decimal) ? write_decimal
           : PyDateTime_Check(value)                             ? write_datetime
           : PyDate_Check(value)                                 ? write_date
           : PyTime_Check(value)                                 ? write_time
           : PyDelta_Check(value)                                ? write_timedelta
           : PyObject_TypeCheck(value, sdb_type_objects.uuid)    ? write_as_str
           : PyObject_TypeCheck(value, sdb_type_objects.json)    ? write_wrapped_json
           : PyDict_Check(value)                                 ? write_json
           : PyList_Check(value) || PyTuple_Check(value)         ? sdb_encode_list
           : sdb_is_bytes(value)                                 ? write_bytes
           : is_address(value)                                   ? write_as_str
           : PyIndex_Check(value)                                ? write_index
                                                                 : NULL;
}

static int unknown(PyObject *value)
{
    PyErr_Format(
        PyExc_TypeError,
        "cannot pass a value of type %.80s; convert it first, to str, int, list... or wrap it in shopdata.Json",
        Py_TYPE(value)->tp_name);
    return -1;
}

int sdb_encode(PyObject *value, sdb_text *text)
{
    int (*writer)(PyObject *, sdb_text *) = writer_of(value);
    int status = writer ? writer(value, text) : unknown(value);
    if (status == 0 && text->failed) {
        PyErr_NoMemory();
        status = -1;
    }
    return status;
}
