#include "base/utf8.h"

#include <stdint.h>

/* How many bytes the character beginning with `first` has; 0 if none begins so. */
static size_t character_length(unsigned char first)
{
    if (first < 0x80)
        return first != 0;
    if (first < 0xC2)
        return 0; /* a continuation byte, or an overlong two-byte form */
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* The second byte is where overlong forms, surrogates and too large values show (RFC 3629, section 4). */
static int second_byte_fits(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

size_t sdi_utf8_fault(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < length) {
        size_t size = character_length(bytes[at]);
        if (size == 0 || size > length - at || (size > 1 && !second_byte_fits(bytes[at], bytes[at + 1])))
            return at;
        for (size_t i = 2; i < size; i++)
            if ((bytes[at + i] & 0xC0) != 0x80)
                return at;
        at += size;
    }
    return length;
}
