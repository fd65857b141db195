/* ours.h - the library's side of each contest. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <shopdata/shopdata.h>

#include "keys.h"

/* One statement of one client; a session for each thread. */
typedef struct bench_ours {
    shopdata_statement *statement;
    shopdata_session *sessions[BENCH_THREADS_MAX];
    bench_keys *keys;
    int source;               /* who should answer: one of enum shopdata_source */
    _Atomic uint64_t strayed; /* answers from elsewhere: right, but not what is measured */
} bench_ours;

/* bench_open makes a client of these nodes (a list of NAME, CONNINFO pairs that ends with NULL) and the Redis server,
 * in this `cache.mode`, or without a cache in mode "none"; each mode has keys of its own. */
shopdata_client *bench_open(const char *const *nodes, const char *redis, const char *mode);

/* bench_ours_open: `flags` as in shopdata_session_set_flags. */
bool bench_ours_open(bench_ours *ours, shopdata_client *client, const char *sql, unsigned flags);
void bench_ours_close(bench_ours *ours);
/* bench_ours_warm_key asks for a key until the cache answers, bench_ours_warm for every one. */
bool bench_ours_warm_key(bench_ours *ours, int64_t key);
bool bench_ours_warm(bench_ours *ours);
/* bench_ours_ask reads this key: the source of the answer, negative after an error. bench_ours_change writes it. */
int bench_ours_ask(bench_ours *ours, unsigned thread, int64_t key);
bool bench_ours_change(bench_ours *ours, unsigned thread, int64_t key, uint64_t number);

/* For bench_side.call; `self` is a bench_ours. The read's only parameter is the key; the write's are key and number. */
bool bench_ours_read(void *self, unsigned thread, uint64_t number);
bool bench_ours_write(void *self, unsigned thread, uint64_t number);

#endif
