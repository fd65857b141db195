#include "format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef void (*escape_function)(struct evbuffer *out, const char *text);

void shop_put(struct evbuffer *out, const char *text)
{
    evbuffer_add(out, text, strlen(text));
}

static void format_with(struct evbuffer *out, escape_function escape, const char *format, va_list arguments)
{
    for (const char *percent; (percent = strchr(format, '%')); format = percent + 2) {
        evbuffer_add(out, format, (size_t)(percent - format));
        switch (percent[1]) {
        case 's':
            escape(out, va_arg(arguments, const char *));
            break;
        case 'd':
            evbuffer_add_printf(out, "%d", va_arg(arguments, int));
            break;
        default:
            evbuffer_add(out, "%", 1);
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

static void escape_html(struct evbuffer *out, const char *text)
{
    text = text ? text : "";
    for (size_t plain; *text; text += plain + (text[plain] != '\0')) {
        plain = strcspn(text, "&<>\"'");
        evbuffer_add(out, text, plain);
        if (text[plain])
            shop_put(out, html_entity(text[plain]));
    }
}

/* Besides what JSON asks for, "<" is escaped: a browser that takes the answer for a page then finds no tag in it. */
static int needs_json_escape(unsigned char character)
{
    return character < 0x20 || character == '"' || character == '\\' || character == '<' || character == 0x7f;
}

static void escape_json(struct evbuffer *out, const char *text)
{
    if (!text) {
        shop_put(out, "null");
        return;
    }
    evbuffer_add(out, "\"", 1);
    for (const char *plain = text;; plain = ++text) {
        while (*text && !needs_json_escape((unsigned char)*text))
            text++;
        evbuffer_add(out, plain, (size_t)(text - plain));
        if (!*text)
            break;
        evbuffer_add_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
    }
    evbuffer_add(out, "\"", 1);
}

void shop_html(struct evbuffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_with(out, escape_html, format, arguments);
    va_end(arguments);
}

void shop_json(struct evbuffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_with(out, escape_json, format, arguments);
    va_end(arguments);
}
