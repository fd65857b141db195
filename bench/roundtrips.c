/* roundtrips.c - what the library costs over the round trips that it makes, against bare hiredis, libpq and
 * libmemcached.
 *
 * bench/run starts it among servers of its own, and makes tables of the JSON that it prints. */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "behind.h"
#include "contests.h"
#include "report.h"
#include "trace.h"
#include "world.h"

enum { ACCESSES_A_SECOND = 1000, WHOLE_TRACE = 5000000, LOCAL_HITS = 100000, SKIPPED = 77 };

struct options {
    double seconds, curve_seconds;
    const char *trace, *only;
    unsigned crowd;
    bool full;
};

struct bench {
    struct options options;
    bench_world world;
    bench_contest contests[BENCH_CONTESTS], curves[BENCH_CURVES_MAX];
    bench_hit_ratio hit_ratio;
    bench_share shares[BENCH_LAGS * BENCH_MODES];
    bench_report report;
};

/* ---- what is asked for */

static int usage(FILE *to)
{
    fprintf(to, "usage: roundtrips [--seconds N] [--curves N [--threads N]] [--trace FILE [--full]] [--only GLOB]\n"
                "  --seconds N   for the contests, 1 to 600 (default 40)\n"
                "  --curves N    so many seconds more for the same over 1, 2, 4... threads\n"
                "  --threads N   to so many, 1 to 256 (default 256)\n"
                "  --trace FILE  recorded accesses, a number a line; invented without\n"
                "  --full        replay all of them, not just 1000 for each second\n"
                "  --only GLOB   no contests and curves but these: `hit 64', `memcached*'\n");
    return to == stdout ? 0 : 2;
}

static bool read_option(struct options *options, int found)
{
    switch (found) {
    case 's':
        options->seconds = strtod(optarg, NULL);
        return true;
    case 'c':
        options->curve_seconds = strtod(optarg, NULL);
        return true;
    case 'n':
        options->crowd = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 't':
        options->trace = optarg;
        return true;
    case 'f':
        options->full = true;
        return true;
    case 'o':
        options->only = optarg;
        return true;
    default:
        return false;
    }
}

/* -1: go on; else the exit code. */
static int read_options(struct options *options, int count, char **arguments)
{
    static const struct option known[] = {
        {"seconds", required_argument, NULL, 's'}, {"curves", required_argument, NULL, 'c'},
        {"threads", required_argument, NULL, 'n'}, {"trace", required_argument, NULL, 't'},
        {"full", no_argument, NULL, 'f'},          {"only", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    *options = (struct options){.seconds = 40, .crowd = BENCH_THREADS_MAX};
    for (int found; (found = getopt_long(count, arguments, "h", known, NULL)) != -1;)
        if (!read_option(options, found))
            return usage(found == 'h' ? stdout : stderr);
    bool good = optind == count && options->seconds >= 1 && options->seconds <= 600 && options->curve_seconds >= 0 &&
                options->curve_seconds <= 600 && options->crowd >= 1 && options->crowd <= BENCH_THREADS_MAX;
    return good ? -1 : usage(stderr);
}

static bool find_servers(bench_servers *servers)
{
    *servers = (bench_servers){
        .primary = getenv("SHOPDATA_PRIMARY"),
        .replicas = {getenv("SHOPDATA_REPLICA1"), getenv("SHOPDATA_REPLICA2"), NULL},
        .redis = getenv("SHOPDATA_REDIS"),
        .superusers = {getenv("SHOPDATA_SUPERUSER_REPLICA1"), getenv("SHOPDATA_SUPERUSER_REPLICA2"), NULL},
        .memcached = getenv("SHOPDATA_MEMCACHED"),
        .pgpool = getenv("SHOPDATA_PGPOOL")};
    if (servers->primary && servers->replicas[0] && servers->replicas[1] && servers->redis)
        return true;
    fprintf(stderr,
            "roundtrips: needs two replicas and Redis: tests/launcher/launch run --replicas 2 --redis -- ...\n");
    return false;
}

/* ---- the run */

/* By name and threads, as a profiler shows them. */
static void choose(const char *only, bench_contest *contests, size_t count)
{
    for (size_t i = 0; only && i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s %u", contests[i].name, contests[i].threads);
        if (fnmatch(only, name, 0) != 0)
            contests[i].missing = "it was not asked for";
    }
}

static bool set_up(struct bench *bench)
{
    const struct options *options = &bench->options;
    bench_world *world = &bench->world;
    bench_report *report = &bench->report;
    if (!bench_world_open(world, options->seconds, options->curve_seconds > 0 ? options->crowd : 1, options->trace))
        return false;
    bench_contests_set(world, bench->contests);
    choose(options->only, bench->contests, BENCH_CONTESTS);
    *report = (bench_report){.entry_bytes = world->entry_bytes,
                             .products = (size_t)world->products,
                             .hot = (size_t)world->hot.count,
                             .accesses = world->recorded.count,
                             .objects = world->recorded.object_count,
                             .recorded = !world->recorded.invented,
                             .seconds = options->seconds,
                             .contests = bench->contests,
                             .count = BENCH_CONTESTS,
                             .curves = bench->curves};
    if (options->curve_seconds > 0)
        report->curve_count = bench_curves_set(world, options->crowd, bench->curves);
    choose(options->only, bench->curves, report->curve_count);
    bench_machine_look(&report->machine, world->database, world->cache);
    return true;
}

static uint64_t reads_of(const struct bench *bench)
{
    uint64_t reads = 0;
    for (size_t i = 0; i < BENCH_CONTESTS; i++) {
        const bench_side *side = &bench->contests[i].sides[BENCH_OURS];
        reads += side->calls * (side->each ? side->each : 1);
    }
    return reads;
}

/* A figure is none if calls failed. How many came from elsewhere than is measured is for the reader to judge. */
static bool is_valid(const struct bench *bench)
{
    bool enough = true;
    for (size_t i = 0; i < BENCH_CONTESTS; i++)
        enough = enough && (bench->contests[i].missing || bench->contests[i].rounds > 0);
    if (!enough)
        bench_complain("no figures", "the machine was too slow to finish one round");
    return enough && bench_report_errors(&bench->report) == 0;
}

/* What is measured behind the contests: how good the cache is, rather than how fast. */
static bool measure_shares(struct bench *bench)
{
    enum { PART = 40 };
    const struct options *options = &bench->options;
    const bench_world *world = &bench->world;
    shopdata_client *const clients[BENCH_MODES] = {world->whole, world->ttl, world->none};
    if (world->servers.superusers[0] && world->servers.superusers[1]) {
        bench->report.shares = bench->shares;
        if (!bench_behind_measure(clients, world->servers.superusers, world->hot.count, options->seconds / PART,
                                  bench->shares))
            return false;
    }
    if (!options->trace)
        return true;
    size_t most = options->full ? WHOLE_TRACE : (size_t)(options->seconds * ACCESSES_A_SECOND);
    const bench_trace_world where = {world->database, world->cache, world->servers.replicas, world->whole, world->ttl};
    bench->report.hit_ratio = &bench->hit_ratio;
    return bench_trace_measure(options->trace, most, &where, &bench->hit_ratio);
}

static bool measure(struct bench *bench)
{
    const struct options *options = &bench->options;
    bench_report *report = &bench->report;
    if (!bench_measure(bench->contests, BENCH_CONTESTS, options->seconds) ||
        !bench_measure(bench->curves, report->curve_count, options->curve_seconds))
        return false;
    report->reads = reads_of(bench);
    report->strayed = bench_world_strayed(&bench->world);
    report->allocations = bench_world_allocations(&bench->world, LOCAL_HITS);
    if (!options->only && !measure_shares(bench))
        return false;
    bench_report_json(report, stdout);
    if (fflush(stdout) || ferror(stdout)) {
        bench_complain("standard output", strerror(errno));
        return false;
    }
    return is_valid(bench);
}

int main(int count, char **arguments)
{
    static struct bench bench; /* too large for the stack */
    int code = read_options(&bench.options, count, arguments);
    if (code >= 0)
        return code;
    if (!find_servers(&bench.world.servers))
        return SKIPPED;
    bool good = set_up(&bench) && measure(&bench);
    bench_world_close(&bench.world);
    if (!good)
        fprintf(stderr, "roundtrips: failed\n");
    return good ? 0 : 1;
}
