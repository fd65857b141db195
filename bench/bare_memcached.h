/* bare_memcached.h - the other side of a hit on memcached: libmemcached's get, a handle for each thread. */
#ifndef BENCH_BARE_MEMCACHED_H
#define BENCH_BARE_MEMCACHED_H

#include <libmemcached/memcached.h>
#include <stddef.h>

#include "keys.h"

typedef struct bench_bare_memcached {
    memcached_st *handles[BENCH_THREADS_MAX];
    bench_keys *keys;
    size_t length; /* of the value of each key */
} bench_bare_memcached;

/* bench_bare_memcached_open connects for so many threads to HOST:PORT, and stores a value under every key. */
bool bench_bare_memcached_open(bench_bare_memcached *bare, unsigned threads, const char *address);
void bench_bare_memcached_close(bench_bare_memcached *bare);

/* For bench_side.call; `self` is a bench_bare_memcached. */
bool bench_bare_memcached_get(void *self, unsigned thread, uint64_t number);

#endif
