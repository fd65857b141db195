#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shopdata/shopdata.h>

/* ---- the machine */

/* Copies what stands behind the first line of `text` that begins with `name`, from its colon to its end. */
static void take_line(const char *text, const char *name, char *value, size_t size)
{
    const char *found = strstr(text, name);
    found = found ? strchr(found, ':') : NULL;
    if (!found)
        return;
    found += 1 + strspn(found + 1, " ");
    snprintf(value, size, "%.*s", (int)strcspn(found, "\r\n"), found);
}

static void look_at_cpu(bench_machine *machine)
{
    char text[4096];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(machine->cpu, sizeof machine->cpu, "unknown");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        take_line(text, "model name", machine->cpu, sizeof machine->cpu);
    }
    machine->cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (getloadavg(&machine->load, 1) != 1)
        machine->load = -1;
}

static void look_at_redis(bench_machine *machine, redisContext *cache)
{
    redisReply *reply = redisCommand(cache, "INFO server");
    snprintf(machine->redis, sizeof machine->redis, "unknown");
    if (reply && reply->type == REDIS_REPLY_STRING)
        take_line(reply->str, "redis_version", machine->redis, sizeof machine->redis);
    freeReplyObject(reply);
}

static void look_at_postgres(bench_machine *machine, PGconn *database)
{
    PGresult *result =
        PQexec(database, "SELECT current_setting('server_version'), format("
                         "'fsync %s, synchronous_commit %s, shared_buffers %s', current_setting('fsync'), "
                         "current_setting('synchronous_commit'), current_setting('shared_buffers'))");
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
    snprintf(machine->postgres, sizeof machine->postgres, "%s", good ? PQgetvalue(result, 0, 0) : "unknown");
    snprintf(machine->settings, sizeof machine->settings, "%s", good ? PQgetvalue(result, 0, 1) : "unknown");
    PQclear(result);
}

void bench_machine_look(bench_machine *machine, PGconn *database, redisContext *cache)
{
    look_at_cpu(machine);
    look_at_redis(machine, cache);
    look_at_postgres(machine, database);
    int libpq = PQlibVersion();
    snprintf(machine->libpq, sizeof machine->libpq, "%d.%d", libpq / 10000, libpq % 10000);
    snprintf(machine->hiredis, sizeof machine->hiredis, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    snprintf(machine->library, sizeof machine->library, "%s", shopdata_version());
    snprintf(machine->build, sizeof machine->build, "%s", BENCH_BUILD);
}

/* ---- the table */

static void print_machine(const bench_report *report, FILE *to)
{
    const bench_machine *machine = &report->machine;
    fprintf(to, "%ld cores, %s; load before the run %.1f\n", machine->cores, machine->cpu, machine->load);
    fprintf(to, "PostgreSQL %s (%s), Redis %s; libpq %s, hiredis %s, libshopdata %s (%s)\n", machine->postgres,
            machine->settings, machine->redis, machine->libpq, machine->hiredis, machine->library, machine->build);
    if (machine->load > 1)
        fprintf(to, "The machine was busy with other things: trust the ratios, with their spread, not the times.\n");
    fprintf(to, "%zu products, %zu of them read again and again; an entry of the cache has %zu bytes\n",
            report->products, report->hot, report->entry_bytes);
}

static const char *unit_of(const bench_contest *contest)
{
    return contest->threads > 1 ? "1000/s" : "us";
}

/* What the table shows of one side: microseconds a call, or thousands of calls a second. */
static double figure_of(const bench_contest *contest, enum bench_who who)
{
    return contest->threads > 1 ? bench_rate(contest, who).median / 1000 : bench_micros(contest, who).median;
}

static void print_contest(const bench_contest *contest, FILE *to)
{
    bench_spread ratio = bench_ratio(contest);
    fprintf(to, "%-13s %7u  %-7s %10.1f %10.1f   %6.2f  %5.2f to %5.2f  %6zu  %s\n", contest->name, contest->threads,
            unit_of(contest), figure_of(contest, BENCH_OURS), figure_of(contest, BENCH_BARE), ratio.median, ratio.p10,
            ratio.p90, contest->rounds, contest->sides[BENCH_BARE].what);
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void print_shares(const bench_share *shares, FILE *to)
{
    fprintf(to,
            "\nOf a read-mostly load (2.35 %% writes), reads that went to the primary with replicas so far behind:\n");
    fprintf(to, "%-18s", "cache.mode");
    for (size_t lag = 0; lag < BENCH_LAGS; lag++)
        fprintf(to, "%7d ms", shares[lag * BENCH_MODES].lag_ms);
    for (size_t mode = 0; mode < BENCH_MODES; mode++) {
        bool none = strcmp(shares[mode].mode, "none") == 0;
        fprintf(to, "\n%-18s", none ? "(no cache)" : shares[mode].mode);
        for (size_t lag = 0; lag < BENCH_LAGS; lag++) {
            const bench_share *share = &shares[lag * BENCH_MODES + mode];
            fprintf(to, "%8.2f %%", percent((double)share->primary, (double)share->reads));
        }
    }
    fprintf(to, "\nof %.0f reads and %.0f writes a second by each\n", (double)shares->reads / shares->seconds,
            (double)shares->writes / shares->seconds);
}

static void print_hit_ratio(const bench_hit_ratio *ratio, FILE *to)
{
    fprintf(to, "\nHit ratio on %zu recorded accesses of %zu objects, %zu of them made writes, while Redis evicts:\n",
            ratio->accesses, ratio->objects, ratio->writes);
    fprintf(to, "libshopdata       %6.2f %%  with %.0f answers and %.0f fences in Redis, %" PRIu64 " evicted\n",
            100 * ratio->ours, ratio->entries, ratio->fences, ratio->evicted);
    fprintf(to,
            "perfect           %6.2f %%  with as many answers, invalidation at once and for nothing: %+.2f points\n",
            100 * ratio->perfect, 100 * (ratio->ours - ratio->perfect));
    fprintf(
        to,
        "perfect, roomier  %6.2f %%  with the fences' room for answers too (%.0f bytes each, not %.0f): %+.2f points\n",
        100 * ratio->perfect_roomier, ratio->bare_bytes, ratio->fenced_bytes,
        100 * (ratio->ours - ratio->perfect_roomier));
}

static void print_rest(const bench_report *report, FILE *to)
{
    if (report->shares)
        print_shares(report->shares, to);
    else
        fprintf(to, "\nReplicas were not made to lag: SHOPDATA_SUPERUSER_REPLICA1 and 2 are not set.\n");
    if (report->hit_ratio)
        print_hit_ratio(report->hit_ratio, to);
    else
        fprintf(to, "\nNo hit ratio: there is no trace (bench/run --data DIR).\n");
}

void bench_report_print(const bench_report *report, FILE *to)
{
    print_machine(report, to);
    fprintf(to, "\n%-13s %7s  %-7s %10s %10s   %6s  %14s  %6s  %s\n", "libshopdata", "threads", "unit", "ours", "bare",
            "ratio", "8 in 10 within", "rounds", "bare is");
    for (size_t i = 0; i < report->count; i++)
        print_contest(&report->contests[i], to);
    fprintf(to,
            "\nus: a call's time, ratio = ours / bare (lower is better); 1000/s: thousands of calls a second, ratio = "
            "ours / bare (higher is better).\n");
    fprintf(to, "%" PRIu64 " errors, %" PRIu64 " answers from elsewhere than measured, %.0f s\n",
            bench_report_errors(report), report->strayed, report->seconds);
    print_rest(report, to);
}

uint64_t bench_report_errors(const bench_report *report)
{
    uint64_t errors = 0;
    for (size_t i = 0; i < report->count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            errors += report->contests[i].sides[who].errors;
    return errors;
}

/* ---- JSON */

static void json_text(FILE *to, const char *name, const char *text)
{
    fprintf(to, "\"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        if ((unsigned char)*text >= ' ')
            fputc(*text, to);
    }
    fputc('"', to);
}

static void json_spread(FILE *to, const char *name, bench_spread spread)
{
    fprintf(to, "\"%s\": {\"p10\": %.4f, \"median\": %.4f, \"p90\": %.4f}", name, spread.p10, spread.median,
            spread.p90);
}

static void json_machine(const bench_machine *machine, FILE *to)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"cpu", machine->cpu},         {"postgres", machine->postgres}, {"settings", machine->settings},
                 {"redis", machine->redis},     {"libpq", machine->libpq},       {"hiredis", machine->hiredis},
                 {"library", machine->library}, {"build", machine->build}};
    fprintf(to, "  \"machine\": {\"cores\": %ld, \"load\": %.2f", machine->cores, machine->load);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fputs(", ", to);
        json_text(to, texts[i].name, texts[i].text);
    }
    fputs("},\n", to);
}

static void json_side(const bench_contest *contest, enum bench_who who, FILE *to)
{
    const bench_side *side = &contest->sides[who];
    fprintf(to, "      \"%s\": {", who == BENCH_OURS ? "ours" : "bare");
    json_text(to, "what", side->what);
    fprintf(to, ", \"calls\": %" PRIu64 ", \"errors\": %" PRIu64 ", ", side->calls, side->errors);
    json_spread(to, "microseconds", bench_micros(contest, who));
    fputs(", ", to);
    json_spread(to, "calls_per_second", bench_rate(contest, who));
    fputs("},\n", to);
}

static void json_contest(const bench_contest *contest, FILE *to)
{
    fputs("    {", to);
    json_text(to, "name", contest->name);
    fprintf(to, ", \"threads\": %u, \"rounds\": %zu,\n", contest->threads, contest->rounds);
    json_side(contest, BENCH_OURS, to);
    json_side(contest, BENCH_BARE, to);
    fprintf(to, "      \"ratio_of\": \"%s\", ", contest->threads > 1 ? "calls per second" : "microseconds");
    json_spread(to, "ratio", bench_ratio(contest));
    fputc('}', to);
}

static void json_shares(const bench_share *shares, FILE *to)
{
    fputs(",\n  \"primary_shares\": [", to);
    for (size_t i = 0; shares && i < BENCH_LAGS * BENCH_MODES; i++)
        fprintf(to,
                "%s\n    {\"mode\": \"%s\", \"lag_ms\": %d, \"reads\": %" PRIu64 ", \"writes\": %" PRIu64
                ", \"cache\": %" PRIu64 ", \"replica\": %" PRIu64 ", \"primary\": %" PRIu64 ", \"seconds\": %.3f}",
                i ? "," : "", shares[i].mode, shares[i].lag_ms, shares[i].reads, shares[i].writes, shares[i].cached,
                shares[i].replica, shares[i].primary, shares[i].seconds);
    fputs("]", to);
}

static void json_hit_ratio(const bench_hit_ratio *ratio, FILE *to)
{
    fputs(",\n  \"hit_ratio\": ", to);
    if (!ratio) {
        fputs("null\n", to);
        return;
    }
    fprintf(to, "{\"accesses\": %zu, \"writes\": %zu, \"objects\": %zu, \"seconds\": %.1f,\n    ", ratio->accesses,
            ratio->writes, ratio->objects, ratio->seconds);
    fprintf(to, "\"entries\": %.0f, \"fences\": %.0f, \"evicted\": %" PRIu64 ", ", ratio->entries, ratio->fences,
            ratio->evicted);
    fprintf(to, "\"bytes\": %.0f, \"bytes_without_fence\": %.0f,\n    ", ratio->fenced_bytes, ratio->bare_bytes);
    fprintf(to, "\"ours\": %.4f, \"perfect\": %.4f, \"perfect_roomier\": %.4f}\n", ratio->ours, ratio->perfect,
            ratio->perfect_roomier);
}

void bench_report_json(const bench_report *report, FILE *to)
{
    fputs("{\n", to);
    json_machine(&report->machine, to);
    fprintf(to, "  \"products\": %zu, \"hot\": %zu, \"entry_bytes\": %zu, \"seconds\": %.1f,\n", report->products,
            report->hot, report->entry_bytes, report->seconds);
    fprintf(to, "  \"errors\": %" PRIu64 ", \"strayed\": %" PRIu64 ",\n  \"contests\": [\n",
            bench_report_errors(report), report->strayed);
    for (size_t i = 0; i < report->count; i++) {
        json_contest(&report->contests[i], to);
        fputs(i + 1 < report->count ? ",\n" : "\n", to);
    }
    fputs("  ]", to);
    json_shares(report->shares, to);
    json_hit_ratio(report->hit_ratio, to);
    fputs("}\n", to);
}
