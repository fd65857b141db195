/* hash.h - xxHash (XXH3): fast and well mixed, but no defence against somebody who searches for collisions. Whoever
 * looks up by hash compares the full key afterwards. */
#ifndef SDI_BASE_HASH_H
#define SDI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct sdi_hash128 {
    uint64_t low, high;
} sdi_hash128;

uint64_t sdi_hash64(const void *data, size_t length);
sdi_hash128 sdi_hash128_of(const void *data, size_t length);
/* sdi_hash128_seeded: who does not know the seed cannot look for two texts of one hash; where the full key is not
 * compared. */
sdi_hash128 sdi_hash128_seeded(const void *data, size_t length, uint64_t seed);

#endif
