/* tally.h - all that is counted and timed in one phase. Any thread counts at any time. */
#ifndef LOAD_TALLY_H
#define LOAD_TALLY_H

#include "errors.h"
#include "histogram.h"
#include "interactions.h"
#include "sources.h"
#include "statements.h"

/* What is counted; `second` and `result` print most of it. */
enum load_count {
    LOAD_REQUESTS, /* that ended well */
    LOAD_FAILED,
    LOAD_DROPPED,
    LOAD_LATE_BUSY, /* sent late for want of a free thread */
    LOAD_LATE_FREE, /* sent late although a thread was free: it woke too late */
    LOAD_HITS,
    LOAD_MISSES,
    LOAD_VERSIONS_CHECKED,
    LOAD_STALE_READS,
    LOAD_ROWS_WRITTEN,
    LOAD_EXPIRIES,
    LOAD_EXPIRY_READERS,
    LOAD_EXPIRIES_CROWDED,
    LOAD_COUNTS
};

/* Times, of all requests together. */
enum load_time {
    LOAD_LATENCY,        /* from the intended time */
    LOAD_SERVICE,        /* from the sending */
    LOAD_FAILED_LATENCY, /* from the intended time, of requests that ended in an error */
    LOAD_START_DELAY,    /* from the intended time to the sending, where a thread was free */
    LOAD_STALENESS,
    LOAD_TIMES
};

typedef _Atomic(load_histogram *) load_lazy_histogram; /* NULL: nothing was recorded */

typedef struct load_tally {
    _Atomic uint64_t counts[LOAD_COUNTS];
    _Atomic uint64_t sources[LOAD_SOURCES]; /* of statements that were reads */
    _Atomic uint64_t busy_threads, most_readers;
    load_lazy_histogram times[LOAD_TIMES];
    load_lazy_histogram latency_by[LOAD_INTERACTIONS][LOAD_SOURCES], service_by[LOAD_INTERACTIONS][LOAD_SOURCES];
    _Atomic uint64_t failed_by[LOAD_INTERACTIONS][LOAD_SOURCES];
    load_lazy_histogram statements[LOAD_STATEMENTS][LOAD_SOURCES][LOAD_CACHED_KINDS];
    _Atomic uint64_t rows[LOAD_STATEMENTS][LOAD_SOURCES][LOAD_CACHED_KINDS];
    load_errors errors;
} load_tally;

/* load_tally_new is NULL without memory. */
load_tally *load_tally_new(void);
void load_tally_free(load_tally *tally);

void load_tally_count(load_tally *tally, enum load_count what);
uint64_t load_tally_counted(const load_tally *tally, enum load_count what);
/* load_tally_time records in a histogram that is made when it is needed; without memory for it nothing is. */
void load_tally_time(load_lazy_histogram *histogram, int64_t ns);
/* load_tally_highest keeps the highest number. */
void load_tally_highest(_Atomic uint64_t *highest, uint64_t number);

/* A request that is over. */
typedef struct load_request {
    enum load_interaction interaction;
    enum load_source source; /* the furthest */
    int64_t intended_ns, sent_ns, ended_ns;
    bool failed;
} load_request;
void load_tally_request(load_tally *tally, const load_request *request);

/* One call of a statement that went well. */
typedef struct load_call {
    enum load_statement statement;
    enum load_source source;
    enum load_cached cached;
    size_t rows;
    int64_t began_ns, ended_ns;
} load_call;
void load_tally_call(load_tally *tally, const load_call *call);

#endif
