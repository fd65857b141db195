/* report.h - what was measured, on what, as JSON: table.py makes tables of it. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "behind.h"
#include "measure.h"
#include "trace.h"

/* Figures without the machine that they were taken on mean nothing. */
typedef struct bench_machine {
    char cpu[128], postgres[64], settings[96], redis[32], libpq[16], hiredis[16], library[32], build[64], memcached[16];
    long cores;
    double load; /* of the machine in the last minute, before the measurement */
} bench_machine;

typedef struct bench_report {
    bench_machine machine;
    size_t entry_bytes, products, hot;
    size_t accesses, objects; /* of the trace, as far as it is replayed by threads */
    bool recorded;            /* else invented */
    long allocations;         /* by so many local hits; -1: not counted */
    double seconds;
    uint64_t reads, strayed; /* answers to us; those from elsewhere than the contest wants them */
    const bench_contest *contests;
    size_t count;
    const bench_contest *curves;
    size_t curve_count;
    const bench_share *shares;        /* BENCH_LAGS * BENCH_MODES of them; NULL: not measured */
    const bench_hit_ratio *hit_ratio; /* NULL: there was no trace */
} bench_report;

void bench_machine_look(bench_machine *machine, PGconn *database, redisContext *cache);
void bench_report_json(const bench_report *report, FILE *to);
uint64_t bench_report_errors(const bench_report *report);

#endif
