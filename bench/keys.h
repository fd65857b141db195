/* keys.h - which product a call asks for. Both sides of a contest share one bench_keys, so both see one mix. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "measure.h"

typedef struct bench_keys {
    int64_t first, count;
    bool once; /* each key once, in order, and from the start again when all were used; else at random */
    _Atomic uint64_t used;
} bench_keys;

static inline int64_t bench_key(bench_keys *keys, unsigned thread, uint64_t number)
{
    uint64_t n = keys->once ? atomic_fetch_add(&keys->used, 1) : bench_random(thread, number);
    return keys->first + (int64_t)(n % (uint64_t)keys->count);
}

#endif
