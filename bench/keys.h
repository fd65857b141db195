/* keys.h - which product a call asks for. Both sides of a contest share one bench_keys, so both see one mix. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "measure.h"

/* Where each thread stands in a recorded order; a line of the processor's cache for each. */
typedef struct bench_place {
    _Alignas(64) size_t next;
} bench_place;

typedef struct bench_keys {
    int64_t first, count;
    bool once; /* each key once, in order, and from the start again when all were used; else at random */
    _Atomic uint64_t used;
    const uint32_t
        *order; /* in place of both: which of the keys, as was recorded; every thread goes through all of it */
    size_t length;
    bench_place *places; /* of BENCH_THREADS_MAX */
} bench_keys;

static inline int64_t bench_key(bench_keys *keys, unsigned thread, uint64_t number)
{
    if (keys->order)
        return keys->first + keys->order[keys->places[thread].next++ % keys->length];
    uint64_t n = keys->once ? atomic_fetch_add(&keys->used, 1) : bench_random(thread, number);
    return keys->first + (int64_t)(n % (uint64_t)keys->count);
}

#endif
