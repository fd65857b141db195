/* prng.h - random numbers of which each seed has its own, everywhere the same: SplitMix64. */
#ifndef SDI_TESTS_SUPPORT_PRNG_H
#define SDI_TESTS_SUPPORT_PRNG_H

#include <stdint.h>

typedef struct prng {
    uint64_t state;
} prng;

static inline uint64_t prng_next(prng *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* prng_below is 0 .. limit - 1; the limits here are so small that the bias does not matter. */
static inline uint64_t prng_below(prng *random, uint64_t limit)
{
    return prng_next(random) % limit;
}

#endif
