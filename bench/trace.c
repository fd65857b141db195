#include "trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "perfect.h"
#include "recorded.h"
#include "shop.h"

enum { WRITES_IN_10000 = 235, ROOM_SHARE = 5, LOOKS = 20, BODY = 200 };

static const char object_read[] = "SELECT object_id, body FROM bench_object WHERE object_id = $1";
static const char object_write[] = "UPDATE bench_object SET changed = $2 WHERE object_id = $1";

struct trace {
    bench_recorded recorded;
    uint32_t *seconds; /* of the replay: when each key was asked for */
};

static bool is_write(size_t number)
{
    return bench_random(0, number) % 10000 < WRITES_IN_10000;
}

static bool trace_open(struct trace *trace, const char *path, size_t most)
{
    trace->seconds = calloc(most, sizeof *trace->seconds);
    return bench_recorded_open(&trace->recorded, path, most) && trace->seconds;
}

static void trace_close(struct trace *trace)
{
    bench_recorded_close(&trace->recorded);
    free(trace->seconds);
}

/* ---- the table */

static bool copy_objects(PGconn *primary, const struct trace *trace)
{
    char line[32 + BODY + 1], body[BODY + 1];
    PGresult *result = PQexec(primary, "COPY bench_object (object_id, body) FROM STDIN");
    bool good = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    memset(body, 'x', BODY);
    body[BODY] = '\0';
    for (size_t i = 0; i < trace->recorded.object_count && good; i++) {
        int length = snprintf(line, sizeof line, "%" PRId64 "\t%s\n", trace->recorded.distinct[i], body);
        good = PQputCopyData(primary, line, length) == 1;
    }
    good = good && PQputCopyEnd(primary, NULL) == 1;
    while ((result = PQgetResult(primary))) {
        good = good && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!good)
        bench_complain("COPY", PQerrorMessage(primary));
    return good;
}

static bool make_objects(const bench_trace_world *world, const struct trace *trace)
{
    return bench_sql(world->primary, "DROP TABLE IF EXISTS bench_object") &&
           bench_sql(world->primary, "CREATE TABLE bench_object (object_id bigint PRIMARY KEY, body text NOT NULL, "
                                     "changed integer NOT NULL DEFAULT 0) WITH (autovacuum_enabled = off)") &&
           copy_objects(world->primary, trace) && bench_sql(world->primary, "VACUUM ANALYZE bench_object") &&
           bench_shop_await(world->primary, world->replicas);
}

/* ---- Redis */

/* A number out of INFO; 0 if it is not there. */
static double info(redisContext *cache, const char *section, const char *name)
{
    redisReply *reply = redisCommand(cache, "INFO %s", section);
    const char *at = reply && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
    double value = at ? strtod(at + strlen(name), NULL) : 0;
    freeReplyObject(reply);
    return value;
}

static bool configure(redisContext *cache, double maxmemory, const char *policy)
{
    redisReply *reply =
        redisCommand(cache, "CONFIG SET maxmemory %lld maxmemory-policy %s", (long long)maxmemory, policy);
    bool good = reply && reply->type == REDIS_REPLY_STATUS;
    if (!good)
        bench_complain("CONFIG SET", reply ? reply->str : cache->errstr);
    freeReplyObject(reply);
    return good;
}

static double count_keys(redisContext *cache, const char *pattern)
{
    redisReply *reply = redisCommand(cache, "EVAL %s 0 %s", "return #redis.call('KEYS', ARGV[1])", pattern);
    double count = reply && reply->type == REDIS_REPLY_INTEGER ? (double)reply->integer : 0;
    freeReplyObject(reply);
    return count;
}

/* Redis's memory without what its clients' buffers happen to take. */
static double memory_for_data(redisContext *cache)
{
    return info(cache, "memory", "used_memory:") - info(cache, "memory", "mem_clients_normal:");
}

/* What Redis's memory grows by for each of so many objects; 0 after an error. *memory_out: how much it is then. */
static double cost_of(bench_ours *ours, redisContext *cache, const struct trace *trace, size_t room, double *memory_out)
{
    static const struct timespec shrinking = {0, 300000000}; /* Redis makes its table smaller in its own time */
    if (!bench_forget(cache))
        return 0;
    nanosleep(&shrinking, NULL);
    double before = memory_for_data(cache);
    for (size_t i = 0; i < room; i++)
        if (!bench_ours_warm_key(ours, trace->recorded.distinct[i * (trace->recorded.object_count / room)]))
            return 0;
    *memory_out = info(cache, "memory", "used_memory:");
    double grown = memory_for_data(cache) - before;
    if (grown <= 0)
        bench_complain("Redis", "its memory did not grow with what was stored");
    return grown / (double)room;
}

/* ---- both sides */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void look(redisContext *cache, bench_hit_ratio *ratio)
{
    ratio->entries += count_keys(cache, "bench-fenced:*:e:*") / LOOKS;
    ratio->fences += count_keys(cache, "bench-fenced:*:f:*") / LOOKS;
}

static void replay(struct trace *trace, bench_ours *reads, bench_ours *writes, redisContext *cache,
                   bench_hit_ratio *ratio)
{
    size_t hits = 0, half = trace->recorded.count / 2, looks = 0;
    double began = now(), evicted = info(cache, "stats", "evicted_keys:");
    for (size_t i = 0; i < trace->recorded.count; i++) {
        trace->seconds[i] = (uint32_t)(now() - began);
        if (is_write(i)) {
            ratio->writes++;
            ratio->errors += !bench_ours_change(writes, 0, trace->recorded.keys[i], i);
        } else {
            int source = bench_ours_ask(reads, 0, trace->recorded.keys[i]);
            ratio->errors += source < 0;
            hits += source == SHOPDATA_FROM_CACHE;
        }
        if (looks < LOOKS && i + 1 >= half + (trace->recorded.count - half) * (looks + 1) / LOOKS) {
            looks++;
            look(cache, ratio);
        }
    }
    ratio->seconds = now() - began;
    ratio->ours = (double)hits / (double)(trace->recorded.count - ratio->writes);
    ratio->evicted = (uint64_t)(info(cache, "stats", "evicted_keys:") - evicted);
}

static double simulate(const struct trace *trace, double room)
{
    size_t hits = 0, reads = 0;
    bench_perfect *perfect = bench_perfect_new(trace->recorded.object_count, room < 1 ? 1 : (size_t)room);
    for (size_t i = 0; perfect && i < trace->recorded.count; i++) {
        if (is_write(i)) {
            bench_perfect_forget(perfect, trace->recorded.objects[i]);
            continue;
        }
        reads++;
        hits += bench_perfect_read(perfect, trace->recorded.objects[i], trace->seconds[i]);
    }
    bench_perfect_free(perfect);
    return reads ? (double)hits / (double)reads : 0;
}

/* The room is a fifth of the objects, with their fences. */
static bool contest(struct trace *trace, const bench_trace_world *world, bench_ours *const sides[3],
                    bench_hit_ratio *ratio)
{
    double memory, unused;
    size_t room = trace->recorded.object_count / ROOM_SHARE + 1;
    ratio->bare_bytes = cost_of(sides[2], world->cache, trace, room, &unused);
    ratio->fenced_bytes = cost_of(sides[0], world->cache, trace, room, &memory);
    if (ratio->bare_bytes <= 0 || ratio->fenced_bytes <= 0 || !bench_forget(world->cache) ||
        !configure(world->cache, memory, "allkeys-lru"))
        return false;
    replay(trace, sides[0], sides[1], world->cache, ratio);
    ratio->perfect = simulate(trace, ratio->entries);
    ratio->perfect_roomier = simulate(trace, ratio->entries * ratio->fenced_bytes / ratio->bare_bytes);
    return configure(world->cache, 0, "noeviction") && bench_forget(world->cache);
}

bool bench_trace_measure(const char *path, size_t most, const bench_trace_world *world, bench_hit_ratio *ratio_out)
{
    struct trace trace = {0};
    bench_ours reads = {0}, writes = {0}, ttl = {0};
    *ratio_out = (bench_hit_ratio){0};
    bool good = trace_open(&trace, path, most) && make_objects(world, &trace) &&
                bench_ours_open(&reads, world->fenced, object_read, 0) &&
                bench_ours_open(&writes, world->fenced, object_write, 0) &&
                bench_ours_open(&ttl, world->ttl, object_read, 0) &&
                contest(&trace, world, (bench_ours *const[]){&reads, &writes, &ttl}, ratio_out);
    ratio_out->measured = good;
    ratio_out->accesses = trace.recorded.count;
    ratio_out->objects = trace.recorded.object_count;
    bench_ours_close(&reads);
    bench_ours_close(&writes);
    bench_ours_close(&ttl);
    trace_close(&trace);
    bench_sql(world->primary, "DROP TABLE IF EXISTS bench_object");
    return good && ratio_out->errors == 0;
}
