#include "base/hash.h"

#include <xxhash.h>

uint64_t sdi_hash64(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

sdi_hash128 sdi_hash128_seeded(const void *data, size_t length, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(data, length, seed);
    return (sdi_hash128){hash.low64, hash.high64};
}

sdi_hash128 sdi_hash128_of(const void *data, size_t length)
{
    XXH128_hash_t hash = XXH3_128bits(data, length);
    return (sdi_hash128){hash.low64, hash.high64};
}
