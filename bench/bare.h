/* bare.h - the other side of each contest: hiredis and libpq as a careful programmer would use them without a library,
 * a connection for each thread. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <stddef.h>

#include "keys.h"

typedef struct bench_bare {
    PGconn *databases[BENCH_THREADS_MAX]; /* NULL: not asked for */
    redisContext *caches[BENCH_THREADS_MAX];
    bench_keys *keys;
    size_t length;  /* of the value that the cache holds for each key */
    unsigned batch; /* how many keys a call of bench_bare_get_batch or _query_batch asks for */
} bench_bare;

PGconn *bench_connect(const char *conninfo);
redisContext *bench_connect_cache(const char *address);

/* bench_forget empties the cache of all that any run of the benchmark left there. */
bool bench_forget(redisContext *cache);

/* bench_bare_open connects for `threads` threads. `sql` is prepared as "p" on each connection to `conninfo`. Conninfo
 * or address may be NULL. */
bool bench_bare_open(bench_bare *bare, unsigned threads, const char *conninfo, const char *sql, const char *address);
void bench_bare_close(bench_bare *bare);
/* bench_bare_fill puts a value of bare->length bytes under every key. */
bool bench_bare_fill(bench_bare *bare);

/* For bench_side.call; `self` is a bench_bare. */
bool bench_bare_get(void *self, unsigned thread, uint64_t number);         /* a synchronous GET */
bool bench_bare_query(void *self, unsigned thread, uint64_t number);       /* PQexecPrepared */
bool bench_bare_get_batch(void *self, unsigned thread, uint64_t number);   /* pipelined GETs */
bool bench_bare_query_batch(void *self, unsigned thread, uint64_t number); /* PQexecPrepared, one after the other */
/* BEGIN, the prepared UPDATE and COMMIT in one pipeline, then a SET: what it takes to write and to tell a cache. */
bool bench_bare_write(void *self, unsigned thread, uint64_t number);

#endif
