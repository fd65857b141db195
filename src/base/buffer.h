/* buffer.h - a growing byte buffer.
 *
 * An allocation that fails makes the buffer "failed": later appends do nothing, and the caller checks once, at the end.
 * A zero byte always follows the content, so `data` of a text buffer is a C string. */
#ifndef SDI_BASE_BUFFER_H
#define SDI_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sdi_buffer {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
    bool lent; /* the room is somebody else's: sdi_buffer_lend */
} sdi_buffer;

#define SDI_BUFFER_INIT                                                                                                \
    {                                                                                                                  \
        NULL, 0, 0, false, false                                                                                       \
    }

/* sdi_buffer_lend makes an empty buffer in this room, which outlives it; what does not fit goes to memory of its own.
 */
static inline void sdi_buffer_lend(sdi_buffer *buffer, char *room, size_t size)
{
    *room = '\0';
    *buffer = (sdi_buffer){.data = room, .capacity = size, .lent = true};
}

/* sdi_buffer_free releases the content and makes the buffer empty and usable again. */
void sdi_buffer_free(sdi_buffer *buffer);
/* sdi_buffer_clear drops the content and keeps the room; it does not forgive a failure. */
void sdi_buffer_clear(sdi_buffer *buffer);

/* sdi_buffer_reserve makes room for `more` bytes behind the content; false (and failed) without memory. */
bool sdi_buffer_reserve(sdi_buffer *buffer, size_t more);
/* sdi_buffer_extend appends `more` unset bytes and returns where they begin, NULL without memory. */
char *sdi_buffer_extend(sdi_buffer *buffer, size_t more);

void sdi_buffer_append(sdi_buffer *buffer, const void *data, size_t length);
void sdi_buffer_text(sdi_buffer *buffer, const char *text);
void sdi_buffer_char(sdi_buffer *buffer, char byte);
/* sdi_buffer_decimal, sdi_buffer_hex append a number without the cost of a format; hexadecimal in so many digits, with
 * zeros in front. sdi_hex writes the digits alone. */
void sdi_hex(char *to, uint64_t number, size_t digits);
void sdi_buffer_decimal(sdi_buffer *buffer, int64_t number);
void sdi_buffer_hex(sdi_buffer *buffer, uint64_t number, size_t digits);
void sdi_buffer_printf(sdi_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sdi_buffer_vprintf(sdi_buffer *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* sdi_buffer_take hands the content (never NULL, zero-terminated) to the caller and empties the buffer.
 * NULL if the buffer has failed; it is freed then. */
char *sdi_buffer_take(sdi_buffer *buffer);

#endif
