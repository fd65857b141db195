/* roundtrips.c - what the library costs over the round trips that it makes, against bare hiredis and bare libpq.
 *
 * bench/run starts it among servers of its own; README.md tells how to read what it prints. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "behind.h"
#include "ours.h"
#include "report.h"
#include "shop.h"
#include "trace.h"

enum { HIT, MISS, CROWD_HIT, CROWD_MISS, FILL, WRITE, STRICT_WRITE, MODES, CROWD_MODES, CONTESTS };
/* The keys below HOT are read from the cache, the next HOT are written, all above are read once. */
enum { HOT = 1000, FILLS_A_SECOND = 3000, ACCESSES_A_SECOND = 1000, WHOLE_TRACE = 5000000, SKIPPED = 77 };

struct options {
    double seconds;
    const char *json, *trace;
    bool full;
};

struct servers {
    const char *primary, *replicas[3], *redis; /* the replicas end with NULL */
    const char *superusers[3];                 /* of the replicas; NULL where nobody may make them lag */
};

struct bench {
    struct options options;
    struct servers servers;
    int64_t products;
    PGconn *database;
    redisContext *cache;
    shopdata_client *whole; /* primary and both replicas */
    shopdata_client *one;   /* primary and the one replica that the bare side asks: the same work in the same place */
    shopdata_client *ttl;   /* as `whole`, without fences */
    shopdata_client *strict;
    shopdata_client *none; /* as `whole`, without a cache */
    bench_keys hot, written, cold, bare_cold;
    bench_ours hit, miss, fill, write, strict_write, ttl_hit;
    bench_bare get, query, cold_query, bare_write;
    bench_contest contests[CONTESTS];
    bench_hit_ratio hit_ratio;
    bench_share shares[BENCH_LAGS * BENCH_MODES];
    bench_report report;
};

/* ---- what is asked for */

static int usage(FILE *to)
{
    fprintf(to, "usage: roundtrips [--quick | --seconds N] [--json FILE] [--trace FILE [--full]]\n"
                "  --quick       10 seconds in place of 40\n"
                "  --seconds N   1 to 600\n"
                "  --json FILE   the figures for a program as well\n"
                "  --trace FILE  the hit ratio on recorded accesses: a number a line\n"
                "  --full        all of them, not just 1000 for each second\n");
    return to == stdout ? 0 : 2;
}

/* -1: go on; else the exit code. */
static int read_options(struct options *options, int count, char **arguments)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"trace", required_argument, NULL, 't'},
                                          {"full", no_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *options = (struct options){.seconds = 40};
    for (int found; (found = getopt_long(count, arguments, "h", known, NULL)) != -1;) {
        if (found == 'q')
            options->seconds = 10;
        else if (found == 's')
            options->seconds = strtod(optarg, NULL);
        else if (found == 'j')
            options->json = optarg;
        else if (found == 't')
            options->trace = optarg;
        else if (found == 'f')
            options->full = true;
        else
            return usage(found == 'h' ? stdout : stderr);
    }
    bool good = optind == count && options->seconds >= 1 && options->seconds <= 600;
    return good ? -1 : usage(stderr);
}

static bool find_servers(struct servers *servers)
{
    *servers = (struct servers){getenv("SHOPDATA_PRIMARY"),
                                {getenv("SHOPDATA_REPLICA1"), getenv("SHOPDATA_REPLICA2"), NULL},
                                getenv("SHOPDATA_REDIS"),
                                {getenv("SHOPDATA_SUPERUSER_REPLICA1"), getenv("SHOPDATA_SUPERUSER_REPLICA2"), NULL}};
    if (servers->primary && servers->replicas[0] && servers->replicas[1] && servers->redis)
        return true;
    fprintf(stderr,
            "roundtrips: needs two replicas and Redis: tests/launcher/launch run --replicas 2 --redis -- ...\n");
    return false;
}

/* ---- both sides of all contests */

static void divide_keys(struct bench *bench)
{
    bench->products = 3 * HOT + (int64_t)(bench->options.seconds * FILLS_A_SECOND);
    bench->hot = (bench_keys){.first = 1, .count = HOT};
    bench->written = (bench_keys){.first = 1 + HOT, .count = HOT};
    bench->cold = (bench_keys){.first = 1 + 2 * HOT, .count = bench->products - 2 * HOT, .once = true};
    bench->bare_cold = (bench_keys){.first = 1 + 2 * HOT, .count = bench->products - 2 * HOT, .once = true};
}

static bool prepare_servers(struct bench *bench)
{
    bench->database = bench_connect(bench->servers.primary);
    bench->cache = bench_connect_cache(bench->servers.redis);
    return bench->database && bench->cache && bench_forget(bench->cache) &&
           bench_shop_make(bench->database, bench->servers.replicas, bench->products);
}

/* What is written was read before: its fences stand, and are moved. */
static bool warm_written(struct bench *bench, shopdata_client *client)
{
    bench_ours reads = {.keys = &bench->written};
    bool good = bench_ours_open(&reads, client, bench_shop_read, 0) && bench_ours_warm(&reads);
    bench_ours_close(&reads);
    return good;
}

static bool open_ours(struct bench *bench)
{
    const struct servers *at = &bench->servers;
    const char *const whole[] = {"primary",  at->primary,     "replica1", at->replicas[0],
                                 "replica2", at->replicas[1], NULL};
    const char *const one[] = {"primary", at->primary, "replica1", at->replicas[0], NULL};
    bench->hit = (bench_ours){.keys = &bench->hot, .source = SHOPDATA_FROM_CACHE};
    bench->miss = (bench_ours){.keys = &bench->hot, .source = SHOPDATA_FROM_REPLICA};
    bench->fill = (bench_ours){.keys = &bench->cold, .source = SHOPDATA_FROM_REPLICA};
    bench->write = (bench_ours){.keys = &bench->written};
    bench->strict_write = bench->write;
    bench->ttl_hit = bench->hit;
    return (bench->whole = bench_open(whole, at->redis, "fenced")) &&
           (bench->one = bench_open(one, at->redis, "fenced")) && (bench->ttl = bench_open(whole, at->redis, "ttl")) &&
           (bench->none = bench_open(whole, at->redis, "none")) &&
           (bench->strict = bench_open(whole, at->redis, "strict")) &&
           bench_ours_open(&bench->hit, bench->whole, bench_shop_read, 0) &&
           bench_ours_open(&bench->miss, bench->one, bench_shop_read, SHOPDATA_NO_CACHE) &&
           bench_ours_open(&bench->fill, bench->one, bench_shop_read, 0) &&
           bench_ours_open(&bench->write, bench->whole, bench_shop_write, 0) && bench_ours_warm(&bench->hit) &&
           bench_ours_open(&bench->strict_write, bench->strict, bench_shop_write, 0) &&
           warm_written(bench, bench->whole) && warm_written(bench, bench->strict) &&
           bench_ours_open(&bench->ttl_hit, bench->ttl, bench_shop_read, 0) && bench_ours_warm(&bench->ttl_hit);
}

/* How long an entry is, from the cache itself. 0 after an error. */
static size_t entry_bytes(redisContext *cache)
{
    redisReply *reply =
        redisCommand(cache, "EVAL %s 0", "return redis.call('STRLEN', redis.call('KEYS', 'bench-fenced:*:e:*')[1])");
    size_t length = reply && reply->type == REDIS_REPLY_INTEGER ? (size_t)reply->integer : 0;
    if (!length)
        bench_complain("Redis", "no entry of the library is there");
    freeReplyObject(reply);
    return length;
}

static bool open_bare(struct bench *bench)
{
    const struct servers *at = &bench->servers;
    size_t length = entry_bytes(bench->cache);
    bench->get = (bench_bare){.keys = &bench->hot, .length = length};
    bench->query = (bench_bare){.keys = &bench->hot};
    bench->cold_query = (bench_bare){.keys = &bench->bare_cold};
    bench->bare_write = (bench_bare){.keys = &bench->written};
    bench->report.entry_bytes = length;
    return length > 0 && bench_bare_open(&bench->get, BENCH_THREADS_MAX, NULL, NULL, at->redis) &&
           bench_bare_open(&bench->query, BENCH_THREADS_MAX, at->replicas[0], bench_shop_read, NULL) &&
           bench_bare_open(&bench->cold_query, 1, at->replicas[0], bench_shop_read, NULL) &&
           bench_bare_open(&bench->bare_write, 1, at->primary, bench_shop_write, at->redis) &&
           bench_bare_fill(&bench->get);
}

static void set_contests(struct bench *bench)
{
    const bench_side hit = {.what = "shared-cache hit", .call = bench_ours_read, .self = &bench->hit};
    const bench_side ttl_hit = {.what = "libshopdata in mode ttl", .call = bench_ours_read, .self = &bench->ttl_hit};
    const bench_side miss = {.what = "replica read without cache", .call = bench_ours_read, .self = &bench->miss};
    const bench_side fill = {.what = "first read of a key", .call = bench_ours_read, .self = &bench->fill};
    const bench_side write = {.what = "UPDATE by key", .call = bench_ours_write, .self = &bench->write};
    const bench_side strict = {
        .what = "UPDATE by key in mode strict", .call = bench_ours_write, .self = &bench->strict_write};
    const bench_side get = {.what = "hiredis GET", .call = bench_bare_get, .self = &bench->get};
    const bench_side query = {.what = "PQexecPrepared", .call = bench_bare_query, .self = &bench->query};
    const bench_side cold = {.what = "PQexecPrepared", .call = bench_bare_query, .self = &bench->cold_query};
    const bench_side plain = {
        .what = "pipelined BEGIN UPDATE COMMIT, then SET", .call = bench_bare_write, .self = &bench->bare_write};
    const bench_contest contests[CONTESTS] = {
        [HIT] = {.name = "hit", .threads = 1, .sides = {hit, get}},
        [MISS] = {.name = "miss", .threads = 1, .sides = {miss, query}},
        [CROWD_HIT] = {.name = "hit", .threads = 8, .sides = {hit, get}},
        [CROWD_MISS] = {.name = "miss", .threads = 8, .sides = {miss, query}},
        [FILL] = {.name = "first fill", .threads = 1, .sides = {fill, cold}},
        [WRITE] = {.name = "write", .threads = 1, .sides = {write, plain}},
        [STRICT_WRITE] = {.name = "strict write", .threads = 1, .sides = {strict, plain}},
        [MODES] = {.name = "fenced hit", .threads = 1, .sides = {hit, ttl_hit}},
        [CROWD_MODES] = {.name = "fenced hit", .threads = 8, .sides = {hit, ttl_hit}}};
    memcpy(bench->contests, contests, sizeof contests);
}

/* ---- the run */

static bool set_up(struct bench *bench)
{
    divide_keys(bench);
    if (!prepare_servers(bench) || !open_ours(bench) || !open_bare(bench))
        return false;
    set_contests(bench);
    bench->report.products = (size_t)bench->products;
    bench->report.hot = HOT;
    bench->report.seconds = bench->options.seconds;
    bench->report.contests = bench->contests;
    bench->report.count = CONTESTS;
    bench_machine_look(&bench->report.machine, bench->database, bench->cache);
    return true;
}

static void tear_down(struct bench *bench)
{
    bench_ours *ours[] = {&bench->hit,   &bench->miss,         &bench->fill,
                          &bench->write, &bench->strict_write, &bench->ttl_hit};
    bench_bare *bare[] = {&bench->get, &bench->query, &bench->cold_query, &bench->bare_write};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        bench_ours_close(ours[i]);
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        bench_bare_close(bare[i]);
    shopdata_close(bench->whole);
    shopdata_close(bench->one);
    shopdata_close(bench->ttl);
    shopdata_close(bench->strict);
    shopdata_close(bench->none);
    if (bench->database)
        bench_shop_drop(bench->database);
    PQfinish(bench->database);
    if (bench->cache)
        redisFree(bench->cache);
}

static bool is_written(FILE *file)
{
    return fflush(file) == 0 && !ferror(file);
}

static bool write_json(const bench_report *report, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file)
        bench_report_json(report, file);
    bool good = file && is_written(file);
    if (!good)
        bench_complain(path, strerror(errno));
    if (file)
        fclose(file);
    return good;
}

static uint64_t calls_of(const struct bench *bench)
{
    uint64_t calls = 0;
    for (size_t i = 0; i < CONTESTS; i++)
        calls += bench->contests[i].sides[BENCH_OURS].calls;
    return calls;
}

/* A figure is none if calls failed, or if more than one in a hundred did something else than is measured. */
static bool is_valid(const struct bench *bench)
{
    bool enough = true;
    for (size_t i = 0; i < CONTESTS; i++)
        enough = enough && bench->contests[i].rounds > 0;
    if (!enough)
        bench_complain("no figures", "the machine was too slow to finish one round");
    return enough && bench_report_errors(&bench->report) == 0 && bench->report.strayed * 100 <= calls_of(bench);
}

/* What is measured behind the contests: how good the cache is, rather than how fast. */
static bool measure_shares(struct bench *bench)
{
    enum { PART = 40 };
    const struct options *options = &bench->options;
    shopdata_client *const clients[BENCH_MODES] = {bench->whole, bench->ttl, bench->none};
    if (bench->servers.superusers[0] && bench->servers.superusers[1]) {
        bench->report.shares = bench->shares;
        if (!bench_behind_measure(clients, bench->servers.superusers, HOT, options->seconds / PART, bench->shares))
            return false;
    }
    if (!options->trace)
        return true;
    size_t most = options->full ? WHOLE_TRACE : (size_t)(options->seconds * ACCESSES_A_SECOND);
    const bench_trace_world world = {bench->database, bench->cache, bench->servers.replicas, bench->whole, bench->ttl};
    bench->report.hit_ratio = &bench->hit_ratio;
    return bench_trace_measure(options->trace, most, &world, &bench->hit_ratio);
}

static bool measure(struct bench *bench)
{
    if (!bench_measure(bench->contests, CONTESTS, bench->options.seconds) || !measure_shares(bench))
        return false;
    bench->report.strayed = bench->hit.strayed + bench->miss.strayed + bench->fill.strayed + bench->ttl_hit.strayed;
    bench_report_print(&bench->report, stdout);
    if (!is_written(stdout)) {
        bench_complain("standard output", strerror(errno));
        return false;
    }
    if (bench->options.json && !write_json(&bench->report, bench->options.json))
        return false;
    return is_valid(bench);
}

int main(int count, char **arguments)
{
    static struct bench bench; /* too large for the stack */
    int code = read_options(&bench.options, count, arguments);
    if (code >= 0)
        return code;
    if (!find_servers(&bench.servers))
        return SKIPPED;
    bool good = set_up(&bench) && measure(&bench);
    tear_down(&bench);
    if (!good)
        fprintf(stderr, "roundtrips: failed\n");
    return good ? 0 : 1;
}
