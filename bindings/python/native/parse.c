#include "parse.h"

#include <string.h>

bool sdb_parse_int64(sdb_slice text, int64_t *number)
{
    const char *at = text.data, *end = text.data + text.length;
    bool negative = text.length && *at == '-';
    at += negative;
    if (at == end)
        return false;
    uint64_t value = 0, most = (uint64_t)INT64_MAX + negative;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit > 9 || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sdb_parse_hex(sdb_slice text, unsigned char *bytes)
{
    if (text.length < 2 || text.length % 2 || text.data[0] != '\\' || text.data[1] != 'x')
        return false;
    for (size_t i = 2; i < text.length; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        *bytes++ = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool sdb_parse_uuid(sdb_slice text, char digits[33])
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.length != sizeof pattern - 1)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) {
        bool hyphen = pattern[i] == '-';
        if (hyphen ? text.data[i] != '-' : hex_digit(text.data[i]) < 0)
            return false;
        if (!hyphen)
            digits[count++] = text.data[i];
    }
    digits[count] = '\0';
    return true;
}

/* ----------------------------------------------------------------------------------------------------------- arrays */

/* Bounds that do not begin at 1 stand in front: "[0:1]={7,8}". A list counts from 0 whatever they are. */
static const char *behind_bounds(sdb_slice text)
{
    const char *equals = text.length && *text.data == '[' ? memchr(text.data, '=', text.length) : NULL;
    if (!equals)
        return text.data;
    for (const char *at = text.data; at < equals; at++)
        if (!strchr("[]:-+0123456789", *at))
            return text.data;
    return equals + 1;
}

void sdb_array_begin(sdb_array *array, sdb_slice text)
{
    array->at = behind_bounds(text);
    array->end = text.data + text.length;
    array->depth = 0;
    array->after_value = array->opened = false;
    sdb_text_begin(&array->unescaped);
}

void sdb_array_end(sdb_array *array)
{
    sdb_text_end(&array->unescaped);
}

static enum sdb_array_token quoted(sdb_array *array)
{
    sdb_text *text = &array->unescaped;
    text->length = 0;
    while (++array->at < array->end && *array->at != '"') {
        if (*array->at == '\\' && ++array->at == array->end)
            return SDB_ARRAY_BAD;
        sdb_text_char(text, *array->at);
    }
    if (array->at >= array->end || text->failed)
        return SDB_ARRAY_BAD;
    array->at++;
    array->item = (sdb_slice){text->data, text->length};
    return SDB_ARRAY_ITEM;
}

static enum sdb_array_token unquoted(sdb_array *array)
{
    const char *begin = array->at;
    while (array->at < array->end && !strchr(",{}\"", *array->at))
        array->at++;
    size_t length = (size_t)(array->at - begin);
    array->item = (sdb_slice){begin, length};
    if (length == 4 && !memcmp(begin, "NULL", 4))
        return SDB_ARRAY_NULL;
    return length ? SDB_ARRAY_ITEM : SDB_ARRAY_BAD;
}

static enum sdb_array_token opening(sdb_array *array)
{
    array->at++;
    array->opened = true;
    return ++array->depth > SDB_ARRAY_DEPTH_MAX ? SDB_ARRAY_BAD : SDB_ARRAY_OPEN;
}

static enum sdb_array_token closing(sdb_array *array)
{
    array->at++;
    array->depth--;
    array->opened = false;
    array->after_value = true;
    return SDB_ARRAY_CLOSE;
}

static enum sdb_array_token value(sdb_array *array)
{
    if (*array->at == '{')
        return opening(array);
    if (array->depth == 0)
        return SDB_ARRAY_BAD;
    array->opened = false;
    array->after_value = true;
    return *array->at == '"' ? quoted(array) : unquoted(array);
}

enum sdb_array_token sdb_array_next(sdb_array *array)
{
    if (array->at == array->end)
        return array->depth == 0 && array->after_value ? SDB_ARRAY_END : SDB_ARRAY_BAD;
    if (array->depth == 0 && array->after_value)
        return SDB_ARRAY_BAD;
    if (*array->at == '}' && (array->after_value || array->opened))
        return closing(array);
    if (array->after_value) {
        if (*array->at++ != ',' || array->at == array->end)
            return SDB_ARRAY_BAD;
        array->after_value = false;
    }
    return value(array);
}
