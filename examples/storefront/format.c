#include "format.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DRAFT_SIZE = 512 };

/* What one call writes, gathered: an evbuffer takes long over each piece, however short. */
struct draft {
    struct evbuffer *out;
    size_t length;
    char text[DRAFT_SIZE];
};

typedef void (*escape_function)(struct draft *draft, const char *text);

void shop_put(struct evbuffer *out, const char *text)
{
    evbuffer_add(out, text, strlen(text));
}

static void hand_over(struct draft *draft)
{
    evbuffer_add(draft->out, draft->text, draft->length);
    draft->length = 0;
}

static void add(struct draft *draft, const char *text, size_t length)
{
    if (length > DRAFT_SIZE - draft->length)
        hand_over(draft);
    if (length > DRAFT_SIZE) {
        evbuffer_add(draft->out, text, length);
        return;
    }
    memcpy(draft->text + draft->length, text, length);
    draft->length += length;
}

static void add_text(struct draft *draft, const char *text)
{
    add(draft, text, strlen(text));
}

static void add_number(struct draft *draft, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    add_text(draft, digits);
}

static void format_with(struct evbuffer *out, escape_function escape, const char *format, va_list arguments)
{
    struct draft draft;
    draft.out = out;
    draft.length = 0;
    for (const char *percent; (percent = strchr(format, '%')); format = percent + 2) {
        add(&draft, format, (size_t)(percent - format));
        switch (percent[1]) {
        case 's':
            escape(&draft, va_arg(arguments, const char *));
            break;
        case 'd':
            add_number(&draft, va_arg(arguments, int));
            break;
        default:
            add(&draft, "%", 1);
            break;
        }
    }
    add_text(&draft, format);
    hand_over(&draft);
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

static void escape_html(struct draft *draft, const char *text)
{
    text = text ? text : "";
    for (size_t plain; *text; text += plain + (text[plain] != '\0')) {
        plain = strcspn(text, "&<>\"'");
        add(draft, text, plain);
        if (text[plain])
            add_text(draft, html_entity(text[plain]));
    }
}

/* Besides what JSON asks for, "<" is escaped: a browser that takes the answer for a page then finds no tag in it. */
static int needs_json_escape(unsigned char character)
{
    return character < 0x20 || character == '"' || character == '\\' || character == '<' || character == 0x7f;
}

static void escape_json(struct draft *draft, const char *text)
{
    char code[8];
    if (!text) {
        add_text(draft, "null");
        return;
    }
    add(draft, "\"", 1);
    for (const char *plain = text;; plain = ++text) {
        while (*text && !needs_json_escape((unsigned char)*text))
            text++;
        add(draft, plain, (size_t)(text - plain));
        if (!*text)
            break;
        snprintf(code, sizeof code, "\\u%04x", (unsigned)(unsigned char)*text);
        add_text(draft, code);
    }
    add(draft, "\"", 1);
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

/* By hand and not by isalnum: a locale must not widen what an address is. */
static bool is_plain_in_address(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte && strchr("-._~", byte));
}

void shop_address(struct evbuffer *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    struct draft draft;
    draft.out = out;
    draft.length = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        const char code[] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_plain_in_address(*text))
            add(&draft, text, 1);
        else
            add(&draft, code, sizeof code);
    }
    hand_over(&draft);
}
