/* catalog_key.h - what an element of a catalog question asks for, as text: by this its answers are recorded and found.
 */
#ifndef SDI_TESTS_CATALOG_KEY_H
#define SDI_TESTS_CATALOG_KEY_H

#include <string.h>

#include "base/buffer.h"
#include "model/catalog.h"

/* The element number `ord` of an array literal whose elements are all in quotes; false behind the last. */
static inline bool array_element_at(const char *array, size_t ord, sdi_buffer *out)
{
    const char *at = array + 1;
    for (size_t i = 1; *at == '"'; i++) {
        for (at++; *at != '"'; at++) {
            at += *at == '\\';
            if (i == ord)
                sdi_buffer_char(out, *at);
        }
        if (i == ord)
            return true;
        at += at[1] == ',' ? 2 : 1;
    }
    return false;
}

/* "name", or "kind schema name" for the question that asks for three. */
static inline bool catalog_key(const sdi_catalog_question *question, size_t ord, sdi_buffer *key)
{
    for (size_t i = 0; i < question->count; i++) {
        if (i)
            sdi_buffer_char(key, ' ');
        if (!array_element_at(question->texts[i], ord, key))
            return false;
    }
    return true;
}

#endif
