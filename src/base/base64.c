#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void sdi_base64_encode(const void *bytes, size_t length, sdi_buffer *text)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)at[i] << 16;
        group |= i + 1 < length ? (uint32_t)at[i + 1] << 8 : 0;
        group |= i + 2 < length ? at[i + 2] : 0;
        size_t digits = length - i < 3 ? length - i + 1 : 4;
        for (size_t digit = 0; digit < digits; digit++)
            sdi_buffer_char(text, alphabet[group >> (18 - 6 * digit) & 63]);
    }
}

static int value_of(char digit)
{
    const char *at = digit ? strchr(alphabet, digit) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

bool sdi_base64_decode(sdi_slice text, sdi_buffer *bytes)
{
    uint32_t group = 0, bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = value_of(text.data[i]);
        if (value < 0)
            return false;
        group = (group << 6 | (uint32_t)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sdi_buffer_char(bytes, (char)(group >> bits & 0xff));
        }
    }
    return bits < 6 && (group & ((1u << bits) - 1)) == 0;
}
