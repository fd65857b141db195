/* wire.h - numbers as little-endian bytes, for what leaves the process. */
#ifndef SDI_MODEL_WIRE_H
#define SDI_MODEL_WIRE_H

#include <stdint.h>

#include "base/buffer.h"

static inline uint32_t sdi_read_u32(const void *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t sdi_read_u64(const void *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return sdi_read_u32(b) | (uint64_t)sdi_read_u32(b + 4) << 32;
}

static inline void sdi_put_u32(void *bytes, uint32_t value)
{
    unsigned char *b = (unsigned char *)bytes;
    for (int i = 0; i < 4; i++)
        b[i] = (unsigned char)(value >> (8 * i));
}

static inline void sdi_put_u64(void *bytes, uint64_t value)
{
    sdi_put_u32(bytes, (uint32_t)value);
    sdi_put_u32((unsigned char *)bytes + 4, (uint32_t)(value >> 32));
}

static inline void sdi_wire_u32(sdi_buffer *buffer, uint32_t value)
{
    char *at = sdi_buffer_extend(buffer, 4);
    if (at)
        sdi_put_u32(at, value);
}

static inline void sdi_wire_u64(sdi_buffer *buffer, uint64_t value)
{
    char *at = sdi_buffer_extend(buffer, 8);
    if (at)
        sdi_put_u64(at, value);
}

#endif
