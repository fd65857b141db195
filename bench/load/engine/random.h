/* random.h - random numbers of which each seed has its own, everywhere the same: SplitMix64, as a state that goes on
 * and as a function of numbers. */
#ifndef LOAD_RANDOM_H
#define LOAD_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct load_random {
    uint64_t state;
} load_random;

/* load_random_mix spreads the bits of a number over all of it; no two numbers become the same. */
static inline uint64_t load_random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* load_random_of begins a stream: of the seed, of one of its purposes, and of the number of a thing within. */
static inline load_random load_random_of(uint64_t seed, uint64_t purpose, uint64_t number)
{
    uint64_t mixed = load_random_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    mixed = load_random_mix(mixed ^ (purpose * UINT64_C(0xd1342543de82ef95) + 1));
    return (load_random){load_random_mix(mixed ^ (number * UINT64_C(0x9e3779b97f4a7c15) + 1))};
}

static inline uint64_t load_random_next(load_random *random)
{
    return load_random_mix(random->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* load_random_uniform is above 0 and below 1. */
static inline double load_random_uniform(load_random *random)
{
    return ((double)(load_random_next(random) >> 12) + 0.5) * 0x1p-52;
}

/* load_random_exponential has the mean 1: what lies between two arrivals that know nothing of each other. */
static inline double load_random_exponential(load_random *random)
{
    return -log(load_random_uniform(random));
}

__extension__ typedef unsigned __int128 load_wide;

/* load_random_below is 0 .. limit - 1, all alike to 2^-64 of the limit (Lemire's multiplication). */
static inline uint64_t load_random_below(load_random *random, uint64_t limit)
{
    return (uint64_t)(((load_wide)load_random_next(random) * limit) >> 64);
}

#endif
