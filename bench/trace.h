/* trace.h - the hit ratio on recorded accesses, through the library and a Redis that evicts, against a cache of the
 * same size with perfect invalidation. */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include "ours.h"

typedef struct bench_hit_ratio {
    bool measured;
    size_t accesses, writes, objects;
    double entries, fences;                /* in Redis, on average over the second half */
    double fenced_bytes, bare_bytes;       /* of Redis's memory for an object: with its fence, in mode ttl */
    double ours, perfect, perfect_roomier; /* shares of the reads that the cache answered */
    uint64_t evicted, errors;
    double seconds;
} bench_hit_ratio;

/* Who takes part. `replicas` ends with NULL. */
typedef struct bench_trace_world {
    PGconn *primary;
    redisContext *cache;
    const char *const *replicas;
    shopdata_client *fenced, *ttl;
} bench_trace_world;

/* bench_trace_measure replays the first `most` lines of the file, a key each; 2.35 % of them become writes. */
bool bench_trace_measure(const char *path, size_t most, const bench_trace_world *world, bench_hit_ratio *ratio_out);

#endif
