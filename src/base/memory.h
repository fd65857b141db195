/* memory.h - allocation in one place, so that tests can make it fail at every point. */
#ifndef SDI_BASE_MEMORY_H
#define SDI_BASE_MEMORY_H

#include <stddef.h>

/* Like malloc, calloc, realloc, free; zero sizes give a pointer that can be freed. */
void *sdi_malloc(size_t size);
void *sdi_calloc(size_t count, size_t size);
void *sdi_realloc(void *memory, size_t size);
void sdi_free(void *memory);

/* sdi_strdup copies a C string; NULL gives NULL. sdi_memdup0 copies `length` bytes and appends a zero byte. */
char *sdi_strdup(const char *text);
char *sdi_memdup0(const void *data, size_t length);

#endif
