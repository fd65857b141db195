#include "contests.h"

#include <unistd.h>

enum { CROWD = 64, SMALL_CROWD = 8, MEMCACHED_CROWD = 16 };

static const char no_local[] = "no answer came from the cache in this process";
static const char no_memcached[] = "SHOPDATA_MEMCACHED is not set";
static const char no_pgpool[] = "SHOPDATA_PGPOOL is not set";

/* Contests that are gathered, one after the other. */
struct list {
    bench_contest *next;
    const char *missing; /* of those that follow */
};

static void add(struct list *list, const char *name, unsigned threads, enum bench_ratio_of ratio_of, bench_side ours,
                bench_side bare)
{
    bench_contest *contest = list->next++;
    contest->name = name;
    contest->threads = threads;
    contest->ratio_of = ratio_of;
    contest->missing = list->missing;
    contest->sides[BENCH_OURS] = ours;
    contest->sides[BENCH_BARE] = bare;
}

static bench_side read_side(const char *what, bench_ours *ours)
{
    return (bench_side){.what = what, .call = bench_ours_read, .self = ours};
}

static bench_side local_side(bench_ours *ours, unsigned threads)
{
    return (bench_side){
        .what = "local hit", .call = bench_ours_read_often, .self = ours, .each = BENCH_LOCAL_EACH, .threads = threads};
}

static bench_side get_side(bench_world *world)
{
    return (bench_side){.what = "hiredis GET", .call = bench_bare_get, .self = &world->get};
}

static bench_side query_side(bench_bare *bare)
{
    return (bench_side){.what = "PQexecPrepared", .call = bench_bare_query, .self = bare};
}

static bench_side memcached_side(bench_world *world)
{
    return (bench_side){.what = "libmemcached get", .call = bench_bare_memcached_get, .self = &world->memcached_get};
}

static void add_redis(struct list *list, bench_world *world)
{
    const bench_side hit = read_side("shared hit", &world->hit), get = get_side(world);
    const bench_side ttl = read_side("shared hit in mode ttl", &world->ttl_hit);
    const bench_side hits = {.what = "query_many of 50", .call = bench_ours_read_batch, .self = &world->batch_hit};
    const bench_side gets = {.what = "50 GETs pipelined", .call = bench_bare_get_batch, .self = &world->batch_get};
    add(list, "hit", 1, BENCH_TIME, hit, get);
    add(list, "hit", SMALL_CROWD, BENCH_SPEED, hit, get);
    add(list, "hit", CROWD, BENCH_SPEED, hit, get);
    add(list, "batch hit", 1, BENCH_SPEED, hits, gets);
    add(list, "fenced hit", 1, BENCH_TIME, hit, ttl);
    add(list, "fenced hit", SMALL_CROWD, BENCH_SPEED, hit, ttl);
}

static void add_memcached(struct list *list, bench_world *world)
{
    const bench_side hit = read_side("memcached hit", &world->memcached_hit), get = memcached_side(world);
    list->missing = world->memcached ? NULL : no_memcached;
    add(list, "memcached hit", 1, BENCH_TIME, hit, get);
    add(list, "memcached hit", MEMCACHED_CROWD, BENCH_SPEED, hit, get);
    list->missing = NULL;
}

static void add_reads(struct list *list, bench_world *world)
{
    const bench_side miss = read_side("replica read without cache", &world->miss), query = query_side(&world->query);
    const bench_side misses = {.what = "query_many of 16", .call = bench_ours_read_batch, .self = &world->batch_miss};
    const bench_side queries = {
        .what = "PQexecPrepared, 16 in a row", .call = bench_bare_query_batch, .self = &world->batch_query};
    add(list, "miss", 1, BENCH_TIME, miss, query);
    add(list, "miss", SMALL_CROWD, BENCH_SPEED, miss, query);
    add(list, "miss", CROWD, BENCH_SPEED, miss, query);
    add(list, "batch miss", 1, BENCH_SPEED, misses, queries);
    add(list, "first fill", 1, BENCH_TIME, read_side("first read of a key", &world->fill),
        query_side(&world->cold_query));
}

static void add_writes(struct list *list, bench_world *world)
{
    const bench_side write = {.what = "UPDATE by key", .call = bench_ours_write, .self = &world->write};
    const bench_side strict = {.what = "UPDATE, strict", .call = bench_ours_write, .self = &world->strict_write};
    const bench_side plain = {
        .what = "pipelined BEGIN UPDATE COMMIT, then SET", .call = bench_bare_write, .self = &world->bare_write};
    add(list, "write", 1, BENCH_TIME, write, plain);
    add(list, "strict write", 1, BENCH_TIME, strict, plain);
}

/* One thread a core, held against one thread that does the same. */
static void add_local(struct list *list, bench_world *world)
{
    const bench_side nobody = {.what = NULL};
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cores = count < 1 ? 1 : count > BENCH_THREADS_MAX ? BENCH_THREADS_MAX : (unsigned)count;
    list->missing = world->local ? NULL : no_local;
    add(list, "local hit", 1, BENCH_TIME, local_side(&world->local_hit, 1), nobody);
    add(list, "local hit a core", cores, BENCH_SPEED, local_side(&world->traced_hit, cores),
        local_side(&world->traced_hit, 1));
    list->missing = NULL;
}

static void add_pages(struct list *list, bench_world *world)
{
    const bench_side pages = {.what = "all tiers", .call = bench_pages_ours, .self = &world->pages};
    const bench_side reads = {.what = "all tiers", .call = bench_pages_ours, .self = &world->reads};
    const bench_side pooled = {.what = "pgpool-II", .call = bench_pages_theirs, .self = &world->bare_pages};
    const bench_side pooled_reads = {.what = "pgpool-II", .call = bench_pages_theirs, .self = &world->bare_reads};
    list->missing = world->pooled ? NULL : no_pgpool;
    add(list, "pages", CROWD, BENCH_SPEED, pages, pooled);
    add(list, "pages, reads only", CROWD, BENCH_SPEED, reads, pooled_reads);
    list->missing = NULL;
}

void bench_contests_set(bench_world *world, bench_contest *contests)
{
    struct list list = {.next = contests};
    add_redis(&list, world);
    add_memcached(&list, world);
    add_reads(&list, world);
    add_writes(&list, world);
    add_local(&list, world);
    add_pages(&list, world);
}

size_t bench_curves_set(bench_world *world, unsigned most, bench_contest *curves)
{
    const bench_side nobody = {.what = NULL};
    struct list list = {.next = curves};
    for (unsigned threads = 1; threads <= most; threads *= 2) {
        add(&list, "Redis", threads, BENCH_SPEED, read_side("shared hit", &world->hit), get_side(world));
        add(&list, "PostgreSQL", threads, BENCH_SPEED, read_side("replica read", &world->miss),
            query_side(&world->query));
        list.missing = world->memcached ? NULL : no_memcached;
        add(&list, "memcached", threads, BENCH_SPEED, read_side("memcached hit", &world->memcached_hit),
            memcached_side(world));
        list.missing = world->local ? NULL : no_local;
        add(&list, "local", threads, BENCH_SPEED, local_side(&world->local_hit, 0), nobody);
        list.missing = NULL;
    }
    return (size_t)(list.next - curves);
}
