/* slice.h - a view of bytes that belong to somebody else. */
#ifndef SDI_BASE_SLICE_H
#define SDI_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct sdi_slice {
    const char *data;
    size_t length;
} sdi_slice;

static inline sdi_slice sdi_slice_of(const char *text)
{
    return (sdi_slice){text, text ? strlen(text) : 0};
}

static inline bool sdi_slice_equal(sdi_slice a, sdi_slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#endif
