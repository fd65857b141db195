/* lru.h - a cache bounded in bytes in which the longest unused goes first: what the local cache is held against. */
#ifndef BENCH_LRU_H
#define BENCH_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_lru bench_lru;

/* bench_lru_new: for objects numbered from 0 to below `objects`. NULL without memory. */
bench_lru *bench_lru_new(size_t objects, size_t room);
void bench_lru_free(bench_lru *lru);
/* bench_lru_read: is the object there? Then it is, and takes that much. */
bool bench_lru_read(bench_lru *lru, uint32_t object, size_t bytes);

#endif
