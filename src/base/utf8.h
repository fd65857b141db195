/* utf8.h - is this text UTF-8, and free of zero bytes, as PostgreSQL wants it? */
#ifndef SDI_BASE_UTF8_H
#define SDI_BASE_UTF8_H

#include <stddef.h>

/* sdi_utf8_fault returns the offset of the first byte that cannot stand in a PostgreSQL text (malformed, overlong,
 * surrogate, beyond U+10FFFF, or zero), `length` if there is none. */
size_t sdi_utf8_fault(const char *text, size_t length);

#endif
