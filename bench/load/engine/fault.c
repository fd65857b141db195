#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libpq's messages have several lines, and end with a line break. */
static void one_line(char *text)
{
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
        text[--length] = '\0';
    for (char *at = text; (at = strpbrk(at, "\r\n"));)
        *at = ' ';
}

bool load_fail(load_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    one_line(fault->text);
    return false;
}

void load_complain(const char *format, ...)
{
    char text[sizeof((load_fault *)NULL)->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    one_line(text);
    fprintf(stderr, "shopload: %s\n", text);
}
