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
    unsigned batch;           /* how many keys bench_ours_read_batch asks for in one call */
    _Atomic uint64_t strayed; /* answers from elsewhere: right, but not what is measured */
} bench_ours;

enum { BENCH_BATCH_MAX = 64, BENCH_LOCAL_EACH = 100 };

/* What a client is to be. */
typedef struct bench_client {
    const char *const *nodes;  /* NAME, CONNINFO pairs, NULL at the end */
    const char *kind, *cache;  /* `cache.kind`: "redis", "memcached", "none"; and its address */
    const char *mode, *prefix; /* `cache.mode`; its keys begin with "bench-PREFIX" */
    const char *local_bytes;   /* "0": no cache in this process */
} bench_client;

shopdata_client *bench_open(const bench_client *wanted);

/* bench_ours_open: `flags` as in shopdata_session_set_flags. */
bool bench_ours_open(bench_ours *ours, shopdata_client *client, const char *sql, unsigned flags);
void bench_ours_close(bench_ours *ours);
/* bench_ours_warm_key asks for a key until a cache answers (ours->source, if that is one), bench_ours_warm for every
 * one. bench_ours_answers: does ours->source answer for the first key, within a second? */
bool bench_ours_answers(bench_ours *ours);
bool bench_ours_warm_key(bench_ours *ours, int64_t key);
bool bench_ours_warm(bench_ours *ours);
/* bench_ours_ask reads this key: the source of the answer, negative after an error. bench_ours_change writes it. */
int bench_ours_ask(bench_ours *ours, unsigned thread, int64_t key);
bool bench_ours_change(bench_ours *ours, unsigned thread, int64_t key, uint64_t number);

/* For bench_side.call; `self` is a bench_ours. The read's only parameter is the key; the write's are key and number. */
bool bench_ours_read(void *self, unsigned thread, uint64_t number);
bool bench_ours_write(void *self, unsigned thread, uint64_t number);
bool bench_ours_read_batch(void *self, unsigned thread, uint64_t number); /* ours->batch keys in one query_many */
/* BENCH_LOCAL_EACH reads: one takes less than looking at the clock. The first of them is checked. */
bool bench_ours_read_often(void *self, unsigned thread, uint64_t number);

#endif
