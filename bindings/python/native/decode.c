#include "decode.h"

#include <datetime.h>
#include <string.h>

#include "types.h"

int sdb_decode_init(void)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI ? 0 : -1;
}

static PyObject *decode_str(sdb_slice text)
{
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, NULL);
}

static PyObject *decode_bool(sdb_slice text)
{
    if (text.length != 1 || (*text.data != 't' && *text.data != 'f'))
        return NULL;
    return PyBool_FromLong(*text.data == 't');
}

static PyObject *decode_int(sdb_slice text)
{
    int64_t number;
    return sdb_parse_int64(text, &number) ? PyLong_FromLongLong(number) : NULL;
}

static bool is_word(sdb_slice text, const char *word)
{
    return text.length == strlen(word) && !memcmp(text.data, word, text.length);
}

/* Python's own reader, whatever the locale says, takes more than PostgreSQL writes: blanks, "nan", "1_0". */
static PyObject *decode_float(sdb_slice text)
{
    bool word = is_word(text, "NaN") || is_word(text, "Infinity") || is_word(text, "-Infinity");
    char digits[64];
    if (text.length == 0 || text.length >= sizeof digits)
        return NULL;
    memcpy(digits, text.data, text.length);
    digits[text.length] = '\0';
    if (!word && strspn(digits, "+-.0123456789eE") != text.length)
        return NULL;
    double number = PyOS_string_to_double(digits, NULL, NULL);
    return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
}

static PyObject *decode_decimal(sdb_slice text)
{
    PyObject *digits = PyUnicode_DecodeASCII(text.data, (Py_ssize_t)text.length, NULL);
    PyObject *number = digits ? PyObject_CallOneArg((PyObject *)sdb_type_objects.decimal, digits) : NULL;
    Py_XDECREF(digits);
    return number;
}

static PyObject *decode_bytes(sdb_slice text)
{
    if (text.length < 2)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(text.length / 2 - 1));
    if (bytes && !sdb_parse_hex(text, (unsigned char *)PyBytes_AS_STRING(bytes)))
        Py_CLEAR(bytes);
    return bytes;
}

/* UUID.__init__ is 1.5 us of Python; what it does is set these two, past its own __setattr__. */
static PyObject *new_uuid(PyObject *number)
{
    PyTypeObject *type = sdb_type_objects.uuid;
    PyObject *uuid = type->tp_alloc(type, 0);
    if (uuid && (PyObject_GenericSetAttr(uuid, sdb_type_objects.int_name, number) < 0 ||
                 PyObject_GenericSetAttr(uuid, sdb_type_objects.is_safe_name, sdb_type_objects.uuid_safe_unknown) < 0))
        Py_CLEAR(uuid);
    return uuid;
}

static PyObject *decode_uuid(sdb_slice text)
{
    char digits[33];
    PyObject *number = sdb_parse_uuid(text, digits) ? PyLong_FromString(digits, NULL, 16) : NULL;
    PyObject *uuid = number ? new_uuid(number) : NULL;
    Py_XDECREF(number);
    return uuid;
}

/* ----------------------------------------------------------------------------------------------------- dates, times */

static PyObject *decode_date(sdb_slice text)
{
    sdb_date d;
    return sdb_parse_date(text, &d) ? PyDateTimeAPI->Date_FromDate(d.year, d.month, d.day, PyDateTimeAPI->DateType)
                                    : NULL;
}

static PyObject *new_time(const sdb_time *t, PyObject *zone)
{
    return PyDateTimeAPI->Time_FromTime(t->hour, t->minute, t->second, t->microsecond, zone, PyDateTimeAPI->TimeType);
}

static PyObject *decode_time(sdb_slice text)
{
    sdb_time time;
    return sdb_parse_time(text, &time) ? new_time(&time, Py_None) : NULL;
}

static PyObject *new_zone(int offset)
{
    if (offset == 0)
        return Py_NewRef(PyDateTime_TimeZone_UTC);
    PyObject *delta = PyDateTimeAPI->Delta_FromDelta(0, offset, 0, 1, PyDateTimeAPI->DeltaType);
    PyObject *zone = delta ? PyTimeZone_FromOffset(delta) : NULL;
    Py_XDECREF(delta);
    return zone;
}

static PyObject *decode_timetz(sdb_slice text)
{
    sdb_time time;
    int offset;
    PyObject *zone = sdb_parse_timetz(text, &time, &offset) ? new_zone(offset) : NULL;
    PyObject *value = zone ? new_time(&time, zone) : NULL;
    Py_XDECREF(zone);
    return value;
}

static PyObject *new_datetime(const sdb_date *d, const sdb_time *t, PyObject *zone)
{
    return PyDateTimeAPI->DateTime_FromDateAndTime(d->year, d->month, d->day, t->hour, t->minute, t->second,
                                                   t->microsecond, zone, PyDateTimeAPI->DateTimeType);
}

static PyObject *decode_timestamp(sdb_slice text)
{
    sdb_date date;
    sdb_time time;
    return sdb_parse_timestamp(text, &date, &time) ? new_datetime(&date, &time, Py_None) : NULL;
}

/* Connections are in UTC; a function that sets a zone of its own may still write another offset. */
static PyObject *decode_timestamptz(sdb_slice text)
{
    sdb_date date;
    sdb_time time;
    int offset;
    if (!sdb_parse_timestamptz(text, &date, &time, &offset))
        return NULL;
    PyObject *local = new_datetime(&date, &time, PyDateTime_TimeZone_UTC);
    if (!local || offset == 0)
        return local;
    PyObject *east = PyDateTimeAPI->Delta_FromDelta(0, offset, 0, 1, PyDateTimeAPI->DeltaType);
    PyObject *value = east ? PyNumber_Subtract(local, east) : NULL;
    Py_XDECREF(east);
    Py_DECREF(local);
    return value;
}

static PyObject *decode_interval(sdb_slice text)
{
    sdb_span s;
    return sdb_parse_interval(text, &s)
               ? PyDateTimeAPI->Delta_FromDelta(s.days, s.seconds, s.microseconds, 0, PyDateTimeAPI->DeltaType)
               : NULL;
}

/* ------------------------------------------------------------------------------------------------------------- json */

/* The scanner wants no blank in front and leaves what comes behind; jsonb has neither. */
static PyObject *scan(PyObject *string)
{
    PyObject *pair = PyObject_CallFunction(sdb_type_objects.json_scan, "Oi", string, 0);
    PyObject *value = NULL;
    if (pair && PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
        PyLong_AsSsize_t(PyTuple_GET_ITEM(pair, 1)) == PyUnicode_GET_LENGTH(string))
        value = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    Py_XDECREF(pair);
    return value;
}

static PyObject *decode_json(sdb_slice text)
{
    PyObject *string = decode_str(text);
    PyObject *value = string ? scan(string) : NULL;
    if (string && !value) {
        PyErr_Clear();
        value = PyObject_CallOneArg(sdb_type_objects.json_decode, string);
    }
    Py_XDECREF(string);
    return value;
}

/* ----------------------------------------------------------------------------------------------------------- choice */

/* OIDs of PostgreSQL's own types are the same on every server (pg_type.dat). */
static const sdb_type types[] = {
    {16, 1000, "boolean", "bool", decode_bool, false},
    {17, 1001, "bytea", "bytes", decode_bytes, false},
    {18, 1002, "\"char\"", "str", decode_str, false},
    {19, 1003, "name", "str", decode_str, false},
    {20, 1016, "bigint", "int", decode_int, false},
    {21, 1005, "smallint", "int", decode_int, false},
    {23, 1007, "integer", "int", decode_int, false},
    {24, 1008, "regproc", "str", decode_str, false},
    {25, 1009, "text", "str", decode_str, false},
    {26, 1028, "oid", "int", decode_int, false},
    {114, 199, "json", "json", decode_json, true},
    {142, 143, "xml", "str", decode_str, false},
    {650, 651, "cidr", "str", decode_str, false},
    {700, 1021, "real", "float", decode_float, false},
    {701, 1022, "double precision", "float", decode_float, false},
    {774, 775, "macaddr8", "str", decode_str, false},
    {790, 791, "money", "str", decode_str, false},
    {829, 1040, "macaddr", "str", decode_str, false},
    {869, 1041, "inet", "str", decode_str, false},
    {1042, 1014, "character", "str", decode_str, false},
    {1043, 1015, "character varying", "str", decode_str, false},
    {1082, 1182, "date", "datetime.date", decode_date, false},
    {1083, 1183, "time", "datetime.time", decode_time, false},
    {1114, 1115, "timestamp", "datetime.datetime", decode_timestamp, false},
    {1184, 1185, "timestamptz", "datetime.datetime", decode_timestamptz, false},
    {1186, 1187, "interval", "datetime.timedelta", decode_interval, false},
    {1266, 1270, "timetz", "datetime.time", decode_timetz, false},
    {1560, 1561, "bit", "str", decode_str, false},
    {1562, 1563, "bit varying", "str", decode_str, false},
    {1700, 1231, "numeric", "decimal.Decimal", decode_decimal, false},
    {2205, 2210, "regclass", "str", decode_str, false},
    {2206, 2211, "regtype", "str", decode_str, false},
    {2950, 2951, "uuid", "uuid.UUID", decode_uuid, false},
    {3614, 3643, "tsvector", "str", decode_str, false},
    {3615, 3645, "tsquery", "str", decode_str, false},
    {3802, 3807, "jsonb", "json", decode_json, true},
    {3904, 3905, "int4range", "str", decode_str, false},
    {3906, 3907, "numrange", "str", decode_str, false},
    {3908, 3909, "tsrange", "str", decode_str, false},
    {3910, 3911, "tstzrange", "str", decode_str, false},
    {3912, 3913, "daterange", "str", decode_str, false},
    {3926, 3927, "int8range", "str", decode_str, false},
};

static const sdb_type other = {0, 0, "other", "str", decode_str, false};

const sdb_type *sdb_type_of(uint32_t oid, bool *array)
{
    *array = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid || types[i].array_oid == oid) {
            *array = types[i].array_oid == oid;
            return &types[i];
        }
    return &other;
}
