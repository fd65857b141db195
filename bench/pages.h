/* pages.h - what a shop's pages ask for, as it was recorded: by the library with all its caches, and by libpq through
 * pgpool-II with its query cache. The same SQL, the same servers, the same order. */
#ifndef BENCH_PAGES_H
#define BENCH_PAGES_H

#include <libpq-fe.h>
#include <shopdata/shopdata.h>

#include "keys.h"
#include "recorded.h"

enum { BENCH_PAGE_STATEMENTS = 3 };

/* One side. Objects of the trace are products or, by their type, shelves; `writes` of 10,000 accesses are sales. */
typedef struct bench_pages {
    const bench_recorded *recorded;
    unsigned threads, writes;
    shopdata_statement *statements[BENCH_PAGE_STATEMENTS]; /* ours */
    shopdata_session *sessions[BENCH_THREADS_MAX];
    PGconn *connections[BENCH_THREADS_MAX]; /* theirs */
    bench_place places[BENCH_THREADS_MAX];
} bench_pages;

/* bench_pages_make makes the shelves; the products are those of shop.h, at least as many as the trace has objects. */
bool bench_pages_make(PGconn *primary, const char *const *replicas);
void bench_pages_drop(PGconn *primary);

/* Both read what the trace asks for once before they return, so that what can be cached is. */
bool bench_pages_open_ours(bench_pages *pages, shopdata_client *client);
bool bench_pages_open_theirs(bench_pages *pages, const char *conninfo);
void bench_pages_close(bench_pages *pages);

/* For bench_side.call; `self` is a bench_pages. */
bool bench_pages_ours(void *self, unsigned thread, uint64_t number);
bool bench_pages_theirs(void *self, unsigned thread, uint64_t number);

#endif
