/* world.h - everything that takes part: the servers, our clients, the bare connections. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "bare.h"
#include "bare_memcached.h"
#include "ours.h"
#include "pages.h"
#include "recorded.h"

typedef struct bench_servers {
    const char *primary, *replicas[3], *redis; /* the replicas end with NULL */
    const char *superusers[3];                 /* of the replicas; NULL where nobody may make them lag */
    const char *memcached, *pgpool;            /* NULL: not there */
} bench_servers;

typedef struct bench_world {
    bench_servers servers;
    int64_t products;
    unsigned crowd; /* threads that the bare side has connections for */
    size_t entry_bytes;
    PGconn *database;
    redisContext *cache;
    bench_recorded recorded;
    shopdata_client *whole; /* primary and both replicas, the shared cache alone */
    shopdata_client *one;   /* primary and the one replica that the bare side asks: the same work in the same place */
    shopdata_client *ttl;   /* as `whole`, without fences */
    shopdata_client *strict;
    shopdata_client *none;  /* as `whole`, without a cache */
    shopdata_client *tiers; /* as `whole`, with the cache in this process before it */
    shopdata_client *memcached;
    bench_keys hot, written, cold, bare_cold, traced;
    bench_ours hit, batch_hit, miss, batch_miss, fill, write, strict_write, ttl_hit, local_hit, traced_hit,
        memcached_hit;
    bench_bare get, batch_get, query, batch_query, cold_query, bare_write;
    bench_bare_memcached memcached_get;
    bench_pages pages, bare_pages, reads, bare_reads; /* the last two: the first without writes */
    bool local, pooled;                               /* is it there: the cache in this process; pgpool-II */
} bench_world;

/* bench_world_open connects, makes tables and fills caches, for about so many seconds of measurement; crowds of at most
 * `crowd` threads. trace: recorded accesses, NULL: invented ones. False after an error; close it then as well. */
bool bench_world_open(bench_world *world, double seconds, unsigned crowd, const char *trace);
void bench_world_close(bench_world *world);

/* bench_world_strayed: how many answers came from elsewhere than was measured. bench_world_allocations: how often so
 * many local hits allocate memory; -1 where it cannot be counted, or there are none. */
uint64_t bench_world_strayed(const bench_world *world);
long bench_world_allocations(bench_world *world, long hits);

#endif
