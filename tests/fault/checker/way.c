#include "way.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rows.h"

bool answer_add(answer *a, int64_t row, int64_t version, const char *payload, size_t length)
{
    if (a->count == SIGHTINGS_MAX)
        return false;
    a->seen[a->count++] = (sighting){(size_t)row, version, row_intact(row, version, payload, length)};
    return true;
}

void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("freshness: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

const char *environment(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        give_up("%s is not set: run it under tests/launcher/launch run", name);
    return value;
}
