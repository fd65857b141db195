#include "cache/redis/slot.h"

/* CRC-16/XMODEM: polynomial 0x1021, four bits at a time. */
static uint16_t crc16(sdi_slice bytes)
{
    static const uint16_t table[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                       0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    uint16_t crc = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        crc = (uint16_t)(crc << 4) ^ table[(crc >> 12) ^ (byte >> 4)];
        crc = (uint16_t)(crc << 4) ^ table[(crc >> 12) ^ (byte & 15)];
    }
    return crc;
}

uint16_t sdi_redis_slot(sdi_slice key)
{
    const char *open = memchr(key.data, '{', key.length);
    if (open) {
        size_t rest = key.length - (size_t)(open + 1 - key.data);
        const char *close = memchr(open + 1, '}', rest);
        if (close && close > open + 1)
            key = (sdi_slice){open + 1, (size_t)(close - open - 1)};
    }
    return crc16(key) % SDI_REDIS_SLOTS;
}
