#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void *sdi_malloc(size_t size)
{
    return malloc(size ? size : 1);
}

void *sdi_calloc(size_t count, size_t size)
{
    return calloc(count ? count : 1, size ? size : 1);
}

void *sdi_realloc(void *memory, size_t size)
{
    return realloc(memory, size ? size : 1);
}

void sdi_free(void *memory)
{
    free(memory);
}

char *sdi_strdup(const char *text)
{
    return text ? sdi_memdup0(text, strlen(text)) : NULL;
}

char *sdi_memdup0(const void *data, size_t length)
{
    char *copy = sdi_malloc(length + 1);
    if (!copy)
        return NULL;
    if (length)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}
