/* perfect.h - a cache with perfect invalidation, simulated: a write forgets the object at once, and costs no room.
 *
 * It evicts as Redis does under allkeys-lru, which is no exact LRU: five keys at random, the sixteen longest unused of
 * those seen are remembered, the longest unused of these goes. And it knows time in whole seconds only, so a replay in
 * which a day's accesses take a minute must tell the second of each. */
#ifndef BENCH_PERFECT_H
#define BENCH_PERFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_perfect bench_perfect;

/* bench_perfect_new: for objects numbered from 0 to below `objects`, of which it holds `room` (at least one). NULL
 * without memory. */
bench_perfect *bench_perfect_new(size_t objects, size_t room);
void bench_perfect_free(bench_perfect *perfect);

/* bench_perfect_read says whether the object is there; it is from now on. */
bool bench_perfect_read(bench_perfect *perfect, uint32_t object, uint32_t second);
void bench_perfect_forget(bench_perfect *perfect, uint32_t object);

#endif
