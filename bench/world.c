#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "shop.h"

enum {
    HOT = 1000,
    HOT_IN_A_HURRY = 200,
    HURRY_SECONDS = 5,
    FILLS_A_SECOND = 3000,
    ACCESSES_A_SECOND = 5000,
    ACCESSES_MOST = 50000,
    PAGE_THREADS = 64,
    CROWD = 64,
    HITS_A_BATCH = 50,
    MISSES_A_BATCH = 16,
    SALES_IN_10000 = 235
};

/* ---- opening */

static size_t accesses_for(double seconds)
{
    double wanted = seconds * ACCESSES_A_SECOND;
    return wanted < ACCESSES_MOST ? (size_t)wanted : ACCESSES_MOST;
}

/* The first keys are read from the cache, as many behind them are written, all above are read once. */
static bool divide_keys(bench_world *world, double seconds)
{
    int64_t traced = (int64_t)world->recorded.object_count, hot = seconds < HURRY_SECONDS ? HOT_IN_A_HURRY : HOT;
    world->products = 3 * hot + (int64_t)(seconds * FILLS_A_SECOND);
    if (world->products < traced)
        world->products = traced;
    world->hot = (bench_keys){.first = 1, .count = hot};
    world->written = (bench_keys){.first = 1 + hot, .count = hot};
    world->cold = (bench_keys){.first = 1 + 2 * hot, .count = world->products - 2 * hot, .once = true};
    world->bare_cold = (bench_keys){.first = 1 + 2 * hot, .count = world->products - 2 * hot, .once = true};
    world->traced = (bench_keys){.first = 1,
                                 .count = traced,
                                 .order = world->recorded.objects,
                                 .length = world->recorded.count,
                                 .places = aligned_alloc(64, BENCH_THREADS_MAX * sizeof(bench_place))};
    if (world->traced.places)
        memset(world->traced.places, 0, BENCH_THREADS_MAX * sizeof(bench_place));
    return world->traced.places != NULL;
}

static bool prepare_servers(bench_world *world)
{
    world->database = bench_connect(world->servers.primary);
    world->cache = bench_connect_cache(world->servers.redis);
    return world->database && world->cache && bench_forget(world->cache) &&
           bench_shop_make(world->database, world->servers.replicas, world->products) &&
           bench_pages_make(world->database, world->servers.replicas);
}

static bool open_clients(bench_world *world)
{
    const bench_servers *at = &world->servers;
    const char *const all[] = {"primary", at->primary, "replica1", at->replicas[0], "replica2", at->replicas[1], NULL};
    const char *const first[] = {"primary", at->primary, "replica1", at->replicas[0], NULL};
    const bench_client whole = {all, "redis", at->redis, "fenced", "fenced", "0"};
    bench_client one = whole, ttl = whole, strict = whole, none = whole, tiers = whole, memcached = whole;
    one.nodes = first;
    ttl.mode = ttl.prefix = "ttl";
    strict.mode = strict.prefix = "strict";
    none.kind = "none";
    none.mode = none.cache = NULL;
    tiers.prefix = "tiers";
    tiers.local_bytes = NULL;
    memcached.kind = "memcached";
    memcached.cache = at->memcached;
    return (world->whole = bench_open(&whole)) && (world->one = bench_open(&one)) && (world->ttl = bench_open(&ttl)) &&
           (world->strict = bench_open(&strict)) && (world->none = bench_open(&none)) &&
           (world->tiers = bench_open(&tiers)) && (!at->memcached || (world->memcached = bench_open(&memcached)));
}

/* What is written was read before: its fences stand, and are moved. */
static bool warm_written(bench_world *world, shopdata_client *client)
{
    bench_ours reads = {.keys = &world->written};
    bool good = bench_ours_open(&reads, client, bench_shop_read, 0) && bench_ours_warm(&reads);
    bench_ours_close(&reads);
    return good;
}

static void describe_ours(bench_world *world)
{
    world->hit = (bench_ours){.keys = &world->hot, .source = SHOPDATA_FROM_CACHE};
    world->batch_hit = (bench_ours){.keys = &world->hot, .source = SHOPDATA_FROM_CACHE, .batch = HITS_A_BATCH};
    world->memcached_hit = world->ttl_hit = world->hit;
    world->miss = (bench_ours){.keys = &world->hot, .source = SHOPDATA_FROM_REPLICA};
    world->batch_miss = (bench_ours){.keys = &world->hot, .source = SHOPDATA_FROM_REPLICA, .batch = MISSES_A_BATCH};
    world->fill = (bench_ours){.keys = &world->cold, .source = SHOPDATA_FROM_REPLICA};
    world->write = world->strict_write = (bench_ours){.keys = &world->written};
    world->local_hit = (bench_ours){.keys = &world->hot, .source = SHOPDATA_FROM_LOCAL};
    world->traced_hit = (bench_ours){.keys = &world->traced, .source = SHOPDATA_FROM_LOCAL};
}

static bool open_ours(bench_world *world)
{
    const struct {
        bench_ours *ours;
        shopdata_client *client;
        const char *sql;
        unsigned flags;
    } all[] = {{&world->hit, world->whole, bench_shop_read, 0},
               {&world->batch_hit, world->whole, bench_shop_read, 0},
               {&world->miss, world->one, bench_shop_read, SHOPDATA_NO_CACHE},
               {&world->batch_miss, world->one, bench_shop_read, SHOPDATA_NO_CACHE},
               {&world->fill, world->one, bench_shop_read, 0},
               {&world->write, world->whole, bench_shop_write, 0},
               {&world->strict_write, world->strict, bench_shop_write, 0},
               {&world->ttl_hit, world->ttl, bench_shop_read, 0},
               {&world->local_hit, world->tiers, bench_shop_read, 0},
               {&world->traced_hit, world->tiers, bench_shop_read, 0}};
    describe_ours(world);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!bench_ours_open(all[i].ours, all[i].client, all[i].sql, all[i].flags))
            return false;
    return bench_ours_warm(&world->hit) && bench_ours_warm(&world->ttl_hit) && warm_written(world, world->whole) &&
           warm_written(world, world->strict);
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

static bool open_bare(bench_world *world)
{
    const bench_servers *at = &world->servers;
    world->entry_bytes = entry_bytes(world->cache);
    world->get = (bench_bare){.keys = &world->hot, .length = world->entry_bytes};
    world->batch_get = (bench_bare){.keys = &world->hot, .length = world->entry_bytes, .batch = HITS_A_BATCH};
    world->query = (bench_bare){.keys = &world->hot};
    world->batch_query = (bench_bare){.keys = &world->hot, .batch = MISSES_A_BATCH};
    world->cold_query = (bench_bare){.keys = &world->bare_cold};
    world->bare_write = (bench_bare){.keys = &world->written};
    return world->entry_bytes > 0 && bench_bare_open(&world->get, world->crowd, NULL, NULL, at->redis) &&
           bench_bare_open(&world->batch_get, 1, NULL, NULL, at->redis) &&
           bench_bare_open(&world->query, world->crowd, at->replicas[0], bench_shop_read, NULL) &&
           bench_bare_open(&world->batch_query, 1, at->replicas[0], bench_shop_read, NULL) &&
           bench_bare_open(&world->cold_query, 1, at->replicas[0], bench_shop_read, NULL) &&
           bench_bare_open(&world->bare_write, 1, at->primary, bench_shop_write, at->redis) &&
           bench_bare_fill(&world->get);
}

static bool open_memcached(bench_world *world)
{
    world->memcached_get = (bench_bare_memcached){.keys = &world->hot, .length = world->entry_bytes};
    return !world->servers.memcached ||
           (bench_ours_open(&world->memcached_hit, world->memcached, bench_shop_read, 0) &&
            bench_ours_warm(&world->memcached_hit) &&
            bench_bare_memcached_open(&world->memcached_get, world->crowd, world->servers.memcached));
}

/* All keys of the trace too: they are hits from the first round on. */
static bool open_local(bench_world *world)
{
    bench_ours traced = {.keys = &world->traced, .source = SHOPDATA_FROM_LOCAL};
    world->local = bench_ours_answers(&world->local_hit);
    if (!world->local)
        return true;
    bool good = bench_ours_warm(&world->local_hit) && bench_ours_open(&traced, world->tiers, bench_shop_read, 0) &&
                bench_ours_warm(&traced);
    bench_ours_close(&traced);
    return good;
}

static bool open_pages(bench_world *world)
{
    world->pages = (bench_pages){.recorded = &world->recorded, .threads = PAGE_THREADS, .writes = SALES_IN_10000};
    world->bare_pages = world->pages;
    world->pooled = world->servers.pgpool != NULL;
    if (!world->pooled)
        return true;
    bool good = bench_pages_open_ours(&world->pages, world->tiers) &&
                bench_pages_open_theirs(&world->bare_pages, world->servers.pgpool);
    world->reads = world->pages;
    world->bare_reads = world->bare_pages;
    world->reads.writes = world->bare_reads.writes = 0;
    return good;
}

bool bench_world_open(bench_world *world, double seconds, unsigned crowd, const char *trace)
{
    world->crowd = crowd > CROWD ? crowd : CROWD;
    return bench_recorded_open(&world->recorded, trace, accesses_for(seconds)) && divide_keys(world, seconds) &&
           prepare_servers(world) && open_clients(world) && open_ours(world) && open_bare(world) &&
           open_memcached(world) && open_local(world) && open_pages(world);
}

/* ---- closing */

static void close_sides(bench_world *world)
{
    bench_ours *ours[] = {&world->hit,       &world->batch_hit,     &world->miss,      &world->batch_miss,
                          &world->fill,      &world->write,         &world->ttl_hit,   &world->strict_write,
                          &world->local_hit, &world->memcached_hit, &world->traced_hit};
    bench_bare *bare[] = {&world->get,         &world->batch_get,  &world->query,
                          &world->batch_query, &world->cold_query, &world->bare_write};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        bench_ours_close(ours[i]);
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        bench_bare_close(bare[i]);
    bench_bare_memcached_close(&world->memcached_get);
    bench_pages_close(&world->pages);
    bench_pages_close(&world->bare_pages);
}

void bench_world_close(bench_world *world)
{
    shopdata_client *clients[] = {world->whole, world->one,   world->ttl,      world->strict,
                                  world->none,  world->tiers, world->memcached};
    close_sides(world);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        shopdata_close(clients[i]);
    if (world->database) {
        bench_pages_drop(world->database);
        bench_shop_drop(world->database);
    }
    PQfinish(world->database);
    if (world->cache)
        redisFree(world->cache);
    free(world->traced.places);
    bench_recorded_close(&world->recorded);
}

/* ---- figures */

uint64_t bench_world_strayed(const bench_world *world)
{
    const bench_ours *reads[] = {&world->hit,        &world->batch_hit,  &world->miss,
                                 &world->batch_miss, &world->fill,       &world->ttl_hit,
                                 &world->local_hit,  &world->traced_hit, &world->memcached_hit};
    uint64_t strayed = 0;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        strayed += reads[i]->strayed;
    return strayed;
}

long bench_world_allocations(bench_world *world, long hits)
{
    if (!world->local)
        return -1;
    bench_ours_read_often(&world->local_hit, 0, 0);
    long before = bench_allocations();
    for (long done = 0; done < hits; done += BENCH_LOCAL_EACH)
        bench_ours_read_often(&world->local_hit, 0, (uint64_t)done);
    return before < 0 ? -1 : bench_allocations() - before;
}
