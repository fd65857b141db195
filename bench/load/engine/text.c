#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(load_text *text, size_t more)
{
    if (text->failed || text->length + more <= text->capacity)
        return !text->failed;
    size_t capacity = (text->length + more) * 2;
    char *data = realloc(text->data, capacity);
    text->failed = data == NULL;
    if (text->failed)
        return false;
    text->data = data;
    text->capacity = capacity;
    return true;
}

void load_text_add(load_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (reserve(text, (size_t)needed + 1)) {
        vsnprintf(text->data + text->length, (size_t)needed + 1, format, again);
        text->length += (size_t)needed;
    }
    va_end(again);
}

void load_text_add_copied(load_text *text, const char *value)
{
    if (!reserve(text, 2 * strlen(value) + 1))
        return;
    for (; *value; value++) {
        const char *escaped = strchr("\\\t\n\r", *value);
        if (escaped)
            text->data[text->length++] = '\\';
        text->data[text->length++] = *value == '\t' ? 't' : *value == '\n' ? 'n' : *value == '\r' ? 'r' : *value;
    }
}

void load_text_free(load_text *text)
{
    free(text->data);
    *text = (load_text){NULL, 0, 0, false};
}
