#include "base/buffer.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 128 };

void sdi_buffer_free(sdi_buffer *buffer)
{
    if (!buffer->lent)
        sdi_free(buffer->data);
    *buffer = (sdi_buffer)SDI_BUFFER_INIT;
}

void sdi_buffer_clear(sdi_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

static size_t grown_capacity(const sdi_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    return capacity;
}

static char *moved(const sdi_buffer *buffer, size_t capacity)
{
    if (!buffer->lent)
        return sdi_realloc(buffer->data, capacity);
    char *data = sdi_malloc(capacity);
    if (data)
        memcpy(data, buffer->data, buffer->length);
    return data;
}

static bool grow(sdi_buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    size_t capacity = grown_capacity(buffer, buffer->length + more + 1);
    char *data = more >= SIZE_MAX / 2 - buffer->length ? NULL : moved(buffer, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    buffer->lent = false;
    buffer->data[buffer->length] = '\0';
    return true;
}

/* One byte more than is asked for: the zero behind the content. */
static inline bool has_room(sdi_buffer *buffer, size_t more)
{
    return (more < buffer->capacity - buffer->length && !buffer->failed) || grow(buffer, more);
}

bool sdi_buffer_reserve(sdi_buffer *buffer, size_t more)
{
    return has_room(buffer, more);
}

char *sdi_buffer_extend(sdi_buffer *buffer, size_t more)
{
    if (!has_room(buffer, more))
        return NULL;
    char *begin = buffer->data + buffer->length;
    buffer->length += more;
    buffer->data[buffer->length] = '\0';
    return begin;
}

void sdi_buffer_append(sdi_buffer *buffer, const void *data, size_t length)
{
    if (!has_room(buffer, length) || !length)
        return;
    char *begin = buffer->data + buffer->length;
    memcpy(begin, data, length);
    begin[length] = '\0';
    buffer->length += length;
}

void sdi_buffer_text(sdi_buffer *buffer, const char *text)
{
    sdi_buffer_append(buffer, text, strlen(text));
}

void sdi_buffer_char(sdi_buffer *buffer, char byte)
{
    if (!has_room(buffer, 1))
        return;
    buffer->data[buffer->length++] = byte;
    buffer->data[buffer->length] = '\0';
}

void sdi_buffer_decimal(sdi_buffer *buffer, int64_t number)
{
    char digits[20], *at = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % 10);
    } while (left /= 10);
    if (number < 0)
        *--at = '-';
    sdi_buffer_append(buffer, at, (size_t)(digits + sizeof digits - at));
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight digits at once: each in a byte of its own, the first in the lowest, as it comes to stand in memory. */
static void hex8(char *to, uint32_t number)
{
    uint64_t digits = (uint64_t)(number & 0xffff) << 32 | number >> 16;
    digits = (digits & UINT64_C(0x000000ff000000ff)) << 16 | (digits >> 8 & UINT64_C(0x000000ff000000ff));
    digits = (digits & UINT64_C(0x000f000f000f000f)) << 8 | (digits >> 4 & UINT64_C(0x000f000f000f000f));
    uint64_t letters = (digits + EACH_BYTE(6)) >> 4 & EACH_BYTE(1);
    digits = htole64(digits + EACH_BYTE('0') + letters * ('a' - '0' - 10));
    memcpy(to, &digits, sizeof digits);
}

void sdi_hex(char *to, uint64_t number, size_t digits)
{
    for (; digits >= 8; digits -= 8, number >>= 32)
        hex8(to + digits - 8, (uint32_t)number);
    for (; digits > 0; number >>= 4)
        to[--digits] = "0123456789abcdef"[number & 15];
}

void sdi_buffer_hex(sdi_buffer *buffer, uint64_t number, size_t digits)
{
    char *begin = sdi_buffer_extend(buffer, digits);
    if (begin)
        sdi_hex(begin, number, digits);
}

void sdi_buffer_vprintf(sdi_buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    if (!sdi_buffer_reserve(buffer, 0))
        return;
    va_copy(again, arguments);
    size_t room = buffer->capacity - buffer->length;
    int length = vsnprintf(buffer->data + buffer->length, room, format, arguments);
    if (length >= 0 && (size_t)length >= room && sdi_buffer_reserve(buffer, (size_t)length))
        length = vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
    buffer->failed |= length < 0;
    if (buffer->failed)
        buffer->data[buffer->length] = '\0';
    else
        buffer->length += (size_t)length;
}

void sdi_buffer_printf(sdi_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sdi_buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
}

char *sdi_buffer_take(sdi_buffer *buffer)
{
    char *data = sdi_buffer_reserve(buffer, 0) ? buffer->data : NULL;
    if (data && buffer->lent)
        data = sdi_memdup0(data, buffer->length);
    if (data)
        *buffer = (sdi_buffer)SDI_BUFFER_INIT;
    else
        sdi_buffer_free(buffer);
    return data;
}
