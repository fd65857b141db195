#include "behind.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "recorded.h"
#include "shop.h"

enum { WRITES_IN_10000 = 235, SETTLE_MS = 300 };

static const char *const modes[BENCH_MODES] = {"fenced", "ttl", "none"};
static const int lags[BENCH_LAGS] = {0, 10, 1000};

/* Readers and the writer are different sessions: who reads has not written. */
struct side {
    bench_ours reads, writes;
    int64_t first, count;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool set_lag(const char *const *replicas, int lag_ms)
{
    char sql[80];
    bool good = true;
    snprintf(sql, sizeof sql, "ALTER SYSTEM SET recovery_min_apply_delay = %d", lag_ms);
    for (; *replicas && good; replicas++) {
        PGconn *replica = bench_connect(*replicas);
        good = replica && bench_sql(replica, sql) && bench_sql(replica, "SELECT pg_reload_conf()");
        PQfinish(replica);
    }
    return good;
}

static int64_t product(const struct side *side, uint64_t number)
{
    return side->first + bench_zipf(bench_random(2, number), side->count);
}

static bool step(struct side *side, uint64_t number, bench_share *share)
{
    int64_t key = product(side, number);
    if (bench_random(3, number) % 10000 < WRITES_IN_10000) {
        share->writes++;
        return bench_ours_change(&side->writes, 0, key, number);
    }
    int source = bench_ours_ask(&side->reads, 0, key);
    share->reads++;
    share->cached += source == SHOPDATA_FROM_CACHE;
    share->replica += source == SHOPDATA_FROM_REPLICA;
    share->primary += source == SHOPDATA_FROM_PRIMARY;
    return source >= 0;
}

/* All modes in turns, so that they meet the same replicas. */
static bool run(struct side *sides, double seconds, uint64_t *number, bench_share *shares)
{
    bool good = true;
    double began = now();
    for (int i = 0; i < BENCH_MODES; i++)
        shares[i].reads = shares[i].writes = shares[i].cached = shares[i].replica = shares[i].primary = 0;
    for (; good && now() - began < seconds; ++*number)
        for (int i = 0; i < BENCH_MODES && good; i++)
            good = step(&sides[i], *number, &shares[i]);
    for (int i = 0; i < BENCH_MODES; i++)
        shares[i].seconds = now() - began;
    return good;
}

static bool open_sides(struct side *sides, shopdata_client *const *clients, int64_t keys)
{
    for (int i = 0; i < BENCH_MODES; i++) {
        sides[i] = (struct side){.first = 1 + i * keys, .count = keys};
        if (!bench_ours_open(&sides[i].reads, clients[i], bench_shop_read, 0) ||
            !bench_ours_open(&sides[i].writes, clients[i], bench_shop_write, 0))
            return false;
        for (int64_t key = 0; key < keys && strcmp(modes[i], "none") != 0; key++)
            if (!bench_ours_warm_key(&sides[i].reads, sides[i].first + key))
                return false;
    }
    return true;
}

bool bench_behind_measure(shopdata_client *const clients[BENCH_MODES], const char *const *replicas, int64_t keys,
                          double seconds, bench_share *shares)
{
    struct side sides[BENCH_MODES] = {0};
    uint64_t number = 0;
    bool good = open_sides(sides, clients, keys);
    for (int lag = 0; lag < BENCH_LAGS; lag++) {
        bench_share *of_lag = &shares[lag * BENCH_MODES];
        for (int i = 0; i < BENCH_MODES; i++)
            of_lag[i] = (bench_share){.mode = modes[i], .lag_ms = lags[lag]};
        good = good && set_lag(replicas, lags[lag]) && run(sides, (lags[lag] + SETTLE_MS) / 1000.0, &number, of_lag) &&
               run(sides, seconds, &number, of_lag);
    }
    for (int i = 0; i < BENCH_MODES; i++) {
        bench_ours_close(&sides[i].reads);
        bench_ours_close(&sides[i].writes);
    }
    return set_lag(replicas, 0) && good;
}
