/* fuzz.h - what fuzz targets share: taking an input apart, and saying what must hold.
 *
 * A target is NAME.c with LLVMFuzzerTestOneInput. tests/fuzz/run drives it by libFuzzer (clang); replay.c feeds it its
 * seeds as a unit test (any compiler). */
#ifndef SDI_TESTS_FUZZ_H
#define SDI_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shopdata/shopdata.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/slice.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* An input that is being taken apart; behind its end are zeros. */
typedef struct fuzz_input {
    const uint8_t *data;
    size_t left;
} fuzz_input;

static inline uint64_t fuzz_number(fuzz_input *in, size_t bytes)
{
    uint64_t number = 0;
    for (; bytes && in->left; bytes--, in->left--)
        number = number << 8 | *in->data++;
    return number;
}

/* Evenly enough over 0 .. limit - 1. */
static inline size_t fuzz_below(fuzz_input *in, size_t limit)
{
    return (size_t)(fuzz_number(in, 2) % limit);
}

static inline sdi_slice fuzz_rest(const fuzz_input *in)
{
    return (sdi_slice){(const char *)in->data, in->left};
}

/* A text as long as the next byte says. */
static inline sdi_slice fuzz_text(fuzz_input *in)
{
    size_t length = (size_t)fuzz_number(in, 1);
    sdi_slice text = {(const char *)in->data, length < in->left ? length : in->left};
    in->data += text.length;
    in->left -= text.length;
    return text;
}

/* A copy that ends where the text ends: the sanitizer sees who reads on. */
static inline char *fuzz_exact(sdi_slice text)
{
    char *copy = sdi_malloc(text.length);
    HOLDS(copy);
    if (text.length)
        memcpy(copy, text.data, text.length);
    return copy;
}

static inline sdi_slice fuzz_slice(const sdi_buffer *buffer)
{
    return (sdi_slice){buffer->data ? buffer->data : "", buffer->length};
}

/* What the header promises of every error; frees it. */
static inline void fuzz_error(int status, shopdata_error **error)
{
    const char *message = shopdata_error_message(*error);
    HOLDS((status < 0) == (*error != NULL));
    HOLDS(shopdata_error_status(*error) == status);
    HOLDS((status < 0) == (*message != '\0'));
    HOLDS(sdi_utf8_fault(message, strlen(message)) == strlen(message));
    HOLDS(status == SHOPDATA_ERR_CONFIG || !strchr(message, '\n'));
    shopdata_error_free(*error);
    *error = NULL;
}

#endif
