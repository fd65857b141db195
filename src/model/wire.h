/* wire.h - numbers as little-endian bytes, for what leaves the process. */
#ifndef SDI_MODEL_WIRE_H
#define SDI_MODEL_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"

static inline uint32_t sdi_read_u32(const void *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

static inline uint64_t sdi_read_u64(const void *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

static inline void sdi_put_u32(void *bytes, uint32_t value)
{
    value = htole32(value);
    memcpy(bytes, &value, sizeof value);
}

static inline void sdi_put_u64(void *bytes, uint64_t value)
{
    value = htole64(value);
    memcpy(bytes, &value, sizeof value);
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
