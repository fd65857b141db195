#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sdb_text_begin(sdb_text *text)
{
    text->data = text->room;
    text->length = 0;
    text->capacity = sizeof text->room;
    text->failed = false;
}

void sdb_text_end(sdb_text *text)
{
    if (text->data != text->room)
        free(text->data);
    sdb_text_begin(text);
}

static bool grow(sdb_text *text, size_t capacity)
{
    char *larger = malloc(capacity);
    if (!larger)
        return false;
    memcpy(larger, text->data, text->length);
    if (text->data != text->room)
        free(text->data);
    text->data = larger;
    text->capacity = capacity;
    return true;
}

char *sdb_text_extend(sdb_text *text, size_t length)
{
    if (!text->failed && length > text->capacity - text->length) {
        size_t doubled = 2 * text->capacity;
        text->failed = length > SIZE_MAX / 4 || doubled > SIZE_MAX / 4 || !grow(text, doubled + length);
    }
    if (text->failed)
        return NULL;
    text->length += length;
    return text->data + text->length - length;
}

void sdb_text_append(sdb_text *text, const char *data, size_t length)
{
    char *at = sdb_text_extend(text, length);
    if (at && length)
        memcpy(at, data, length);
}

void sdb_text_char(sdb_text *text, char c)
{
    sdb_text_append(text, &c, 1);
}

void sdb_text_decimal(sdb_text *text, int64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[--first] = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        digits[--first] = '-';
    sdb_text_append(text, digits + first, sizeof digits - first);
}

void sdb_text_printf(sdb_text *text, const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        text->failed = true;
    else
        sdb_text_append(text, line, (size_t)length);
}

void sdb_text_hex(sdb_text *text, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    sdb_text_append(text, "\\x", 2);
    char *at = length > SIZE_MAX / 4 ? NULL : sdb_text_extend(text, 2 * length);
    text->failed |= !at;
    for (size_t i = 0; at && i < length; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
}

static bool needs_escape(char c)
{
    return c == '"' || c == '\\';
}

void sdb_text_quote(sdb_text *text, size_t begin)
{
    size_t length = text->length - begin, more = 2;
    for (size_t i = begin; i < text->length; i++)
        more += needs_escape(text->data[i]);
    if (!sdb_text_extend(text, more))
        return;
    /* From the end, so that no byte is overwritten before it was moved. */
    char *from = text->data + begin + length, *to = text->data + text->length;
    *--to = '"';
    while (from > text->data + begin) {
        *--to = *--from;
        if (needs_escape(*from))
            *--to = '\\';
    }
    *--to = '"';
}
