/* behind.h - how many reads the primary had to answer, with replicas that are behind by so much. */
#ifndef BENCH_BEHIND_H
#define BENCH_BEHIND_H

#include "ours.h"

enum { BENCH_LAGS = 3, BENCH_MODES = 3 };

typedef struct bench_share {
    const char *mode;
    int lag_ms;
    uint64_t reads, writes, cached, replica, primary;
    double seconds;
} bench_share;

/* bench_behind_measure fills shares[BENCH_LAGS * BENCH_MODES], each over so many seconds. The clients are of the modes
 * fenced, ttl and none; `replicas` (conninfos of their superusers, NULL at the end) are made lag by
 * recovery_min_apply_delay. Each client has `keys` products of its own, from 1 on. False after an error. */
bool bench_behind_measure(shopdata_client *const clients[BENCH_MODES], const char *const *replicas, int64_t keys,
                          double seconds, bench_share *shares);

#endif
