/* base64.h - bytes as text for URLs, headers and cookies: base64url without padding (RFC 4648, section 5). */
#ifndef SDI_BASE_BASE64_H
#define SDI_BASE_BASE64_H

#include "base/buffer.h"
#include "base/slice.h"

void sdi_base64_encode(const void *bytes, size_t length, sdi_buffer *text);
/* sdi_base64_decode appends the bytes. False if the text is not what sdi_base64_encode makes of any bytes: each value
 * has one text only. */
bool sdi_base64_decode(sdi_slice text, sdi_buffer *bytes);

#endif
