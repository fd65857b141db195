#include "format.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16384 };

typedef void (*escape_function)(struct shop_output *out, const char *text);

static bool make_room(struct shop_output *out, size_t length)
{
    size_t room = out->room ? out->room : FIRST_ROOM;
    while (room - out->length < length)
        room *= 2;
    char *text = out->failed ? NULL : realloc(out->text, room);
    out->failed = !text;
    out->text = text ? text : out->text;
    out->room = text ? room : out->room;
    return text != NULL;
}

void shop_add(struct shop_output *out, const void *text, size_t length)
{
    if (out->room - out->length < length && !make_room(out, length))
        return;
    if (length)
        memcpy(out->text + out->length, text, length);
    out->length += length;
}

void shop_put(struct shop_output *out, const char *text)
{
    shop_add(out, text, strlen(text));
}

static void add_number(struct shop_output *out, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    shop_put(out, digits);
}

static void format_with(struct shop_output *out, escape_function escape, const char *format, va_list arguments)
{
    for (const char *percent; (percent = strchr(format, '%')); format = percent + 2) {
        shop_add(out, format, (size_t)(percent - format));
        switch (percent[1]) {
        case 's':
            escape(out, va_arg(arguments, const char *));
            break;
        case 'd':
            add_number(out, va_arg(arguments, int));
            break;
        default:
            shop_add(out, "%", 1);
            break;
        }
    }
    shop_put(out, format);
}

static const char *html_entity(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return "&#39;";
    }
}

static void escape_html(struct shop_output *out, const char *text)
{
    text = text ? text : "";
    for (size_t plain; *text; text += plain + (text[plain] != '\0')) {
        plain = strcspn(text, "&<>\"'");
        shop_add(out, text, plain);
        if (text[plain])
            shop_put(out, html_entity(text[plain]));
    }
}

/* Besides what JSON asks for, "<" is escaped: a browser that takes the answer for a page then finds no tag in it. */
static int needs_json_escape(unsigned char character)
{
    return character < 0x20 || character == '"' || character == '\\' || character == '<' || character == 0x7f;
}

static void escape_json(struct shop_output *out, const char *text)
{
    char code[8];
    if (!text) {
        shop_put(out, "null");
        return;
    }
    shop_add(out, "\"", 1);
    for (const char *plain = text;; plain = ++text) {
        while (*text && !needs_json_escape((unsigned char)*text))
            text++;
        shop_add(out, plain, (size_t)(text - plain));
        if (!*text)
            break;
        snprintf(code, sizeof code, "\\u%04x", (unsigned)(unsigned char)*text);
        shop_put(out, code);
    }
    shop_add(out, "\"", 1);
}

void shop_html(struct shop_output *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_with(out, escape_html, format, arguments);
    va_end(arguments);
}

void shop_json(struct shop_output *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_with(out, escape_json, format, arguments);
    va_end(arguments);
}

/* By hand and not by isalnum: a locale must not widen what an address is. */
static bool is_plain_in_address(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte && strchr("-._~", byte));
}

void shop_address(struct shop_output *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const char *plain = text;; plain = ++text) {
        while (is_plain_in_address(*text))
            text++;
        shop_add(out, plain, (size_t)(text - plain));
        if (!*text)
            break;
        unsigned char byte = (unsigned char)*text;
        const char code[] = {'%', digits[byte >> 4], digits[byte & 15]};
        shop_add(out, code, sizeof code);
    }
}
