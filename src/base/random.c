#include "base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

static _Thread_local uint64_t state;

uint64_t sdi_nonce(void)
{
    uint64_t nonce;
    if (getrandom(&nonce, sizeof nonce, 0) == (ssize_t)sizeof nonce)
        return nonce;
    /* A kernel without getrandom: time, process and address still differ between those who could meet. */
    return (uint64_t)sdi_now() * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)&nonce;
}

uint64_t sdi_random(void)
{
    if (!state)
        state = sdi_nonce();
    /* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014) */
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

uint64_t sdi_random_below(uint64_t limit)
{
    return limit ? sdi_random() % limit : 0;
}

static int64_t jitter_width(int64_t value, unsigned percent)
{
    return value / 100 * percent + value % 100 * percent / 100;
}

int64_t sdi_jitter(int64_t value, unsigned percent)
{
    int64_t width = jitter_width(value, percent);
    return width <= 0 ? value : value - width + (int64_t)sdi_random_below((uint64_t)(2 * width + 1));
}

int64_t sdi_jitter_most(int64_t value, unsigned percent)
{
    return value + jitter_width(value, percent);
}
