#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmemcached/memcached.h>
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
    snprintf(machine->memcached, sizeof machine->memcached, "%s", memcached_lib_version());
    snprintf(machine->build, sizeof machine->build, "%s", BENCH_BUILD);
}

uint64_t bench_report_errors(const bench_report *report)
{
    uint64_t errors = 0;
    for (size_t i = 0; i < report->count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            errors += report->contests[i].sides[who].errors;
    for (size_t i = 0; i < report->curve_count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            errors += report->curves[i].sides[who].errors;
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
                 {"library", machine->library}, {"build", machine->build},       {"libmemcached", machine->memcached}};
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
    fprintf(to, "\"%s\": {", who == BENCH_OURS ? "ours" : "bare");
    json_text(to, "what", side->what);
    fprintf(to, ", \"threads\": %u, \"calls\": %" PRIu64 ", \"errors\": %" PRIu64 ",\n       ",
            bench_threads(contest, who), side->calls, side->errors);
    json_spread(to, "microseconds", bench_micros(contest, who));
    fputs(", ", to);
    json_spread(to, "tail", bench_tail(contest, who));
    fputs(",\n       ", to);
    json_spread(to, "calls_per_second", bench_rate(contest, who));
    fputs("},\n      ", to);
}

static void json_contest(const bench_contest *contest, FILE *to)
{
    fputs("    {", to);
    json_text(to, "name", contest->name);
    fprintf(to, ", \"threads\": %u, ", contest->threads);
    if (contest->missing) {
        json_text(to, "missing", contest->missing);
        fputc('}', to);
        return;
    }
    fprintf(to, "\"rounds\": %zu,\n      ", contest->rounds);
    json_side(contest, BENCH_OURS, to);
    if (contest->sides[BENCH_BARE].call)
        json_side(contest, BENCH_BARE, to);
    fprintf(to, "\"ratio_of\": \"%s\", ", contest->ratio_of == BENCH_TIME ? "time" : "speed");
    json_spread(to, "ratio", bench_ratio(contest));
    fputc('}', to);
}

static void json_contests(const char *name, const bench_contest *contests, size_t count, FILE *to)
{
    fprintf(to, "  \"%s\": [\n", name);
    for (size_t i = 0; i < count; i++) {
        json_contest(&contests[i], to);
        fputs(i + 1 < count ? ",\n" : "\n", to);
    }
    fputs("  ]", to);
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
    fprintf(to, "  \"accesses\": %zu, \"objects\": %zu, \"recorded\": %s, \"allocations\": %ld,\n", report->accesses,
            report->objects, report->recorded ? "true" : "false", report->allocations);
    fprintf(to, "  \"errors\": %" PRIu64 ", \"reads\": %" PRIu64 ", \"strayed\": %" PRIu64 ",\n",
            bench_report_errors(report), report->reads, report->strayed);
    json_contests("contests", report->contests, report->count, to);
    fputs(",\n", to);
    json_contests("curves", report->curves, report->curve_count, to);
    json_shares(report->shares, to);
    json_hit_ratio(report->hit_ratio, to);
    fputs("}\n", to);
}
