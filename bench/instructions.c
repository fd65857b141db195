/* instructions.c - does the things whose instructions bench/instructions counts: each counted_ function one of them,
 * COUNTED_CALLS times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "base/memory.h"
#include "fresh/entry.h"
#include "fresh/keys.h"
#include "model/fence.h"
#include "shop.h"

enum { COUNTED_CALLS = 1000, KEYS = 16, SKIPPED = 77, HEADROOM = sizeof(shopdata_result) };

/* Neither inlined nor, as gcc does, cloned under another name: callgrind knows it by its own. */
#ifdef __clang__
#define COUNTED __attribute__((noinline)) static void
#else
#define COUNTED __attribute__((noinline, noclone)) static void
#endif

/* A client, and what its answers shall come from. */
struct asker {
    shopdata_client *client;
    shopdata_session *session;
    shopdata_statement *statement;
    int wanted, source; /* of the last answer */
};

struct world {
    PGconn *database;
    struct asker shared, local;
    sdi_buffer identity, entry, fence;
    shopdata_result *answer;
    sdi_entry kept;
};

static void check(bool good, const char *what, shopdata_error *error)
{
    if (good)
        return;
    fprintf(stderr, "instructions: %s: %s\n", what, shopdata_error_message(error));
    exit(1);
}

/* ---- a read */

/* The memory cache in place of Redis: the same way through the library, and no waiting, which takes now more
 * instructions and now fewer. What is kept in the process wants Redis; the listener, slow as it is here, has its time.
 */
static shopdata_config *configure(bool local)
{
    const char *const settings[][2] = {{"cache.kind", local ? "redis" : "memory"},
                                       {"cache.address", getenv("SHOPDATA_REDIS")},
                                       {"cache.timeout", "10s"},
                                       {"local.coherence", local ? "60s" : "0ms"},
                                       {"policy.default.ttl", "1h"},
                                       {"node.primary.conninfo", getenv("SHOPDATA_PRIMARY")},
                                       {"node.replica1.conninfo", getenv("SHOPDATA_REPLICA1")}};
    shopdata_config *config = NULL;
    shopdata_error *error = NULL;
    check(!shopdata_config_new(&config, &error), "configuration", error);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        check(!shopdata_config_set(config, settings[i][0], settings[i][1], &error), "configuration", error);
    return config;
}

static void ask(struct asker *asker, int64_t key)
{
    shopdata_param param = shopdata_int64(key);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    check(!shopdata_query(asker->session, asker->statement, &param, 1, &result, &error), "read", error);
    asker->source = shopdata_result_source(result);
    shopdata_result_free(result);
}

static void warm(struct asker *asker, int64_t key)
{
    static const struct timespec pause = {0, 5000000};
    for (int attempt = 0; attempt < 2000; attempt++) {
        ask(asker, key);
        if (asker->source == asker->wanted)
            return;
        nanosleep(&pause, NULL);
    }
    check(false, "the cache does not keep a product", NULL);
}

static void open_asker(struct asker *asker, int wanted)
{
    shopdata_config *config = configure(wanted == SHOPDATA_FROM_LOCAL);
    shopdata_error *error = NULL;
    asker->wanted = wanted;
    check(!shopdata_open(config, &asker->client, &error) && !shopdata_ready(asker->client, 10000, &error), "client",
          error);
    shopdata_config_free(config);
    check(!shopdata_session_new(asker->client, &asker->session, &error), "session", error);
    check(!shopdata_statement_new(asker->client, NULL, bench_shop_read, &asker->statement, &error), "statement", error);
    for (int64_t key = 1; key <= KEYS; key++)
        warm(asker, key);
}

static void close_asker(struct asker *asker)
{
    shopdata_statement_free(asker->statement);
    shopdata_session_free(asker->session);
    shopdata_close(asker->client);
}

static void hit(struct asker *asker)
{
    for (int64_t i = 0; i < COUNTED_CALLS; i++) {
        ask(asker, 1 + i % KEYS);
        check(asker->source == asker->wanted, "the answer came from elsewhere", NULL);
    }
}

COUNTED counted_shared_hit(struct world *world)
{
    hit(&world->shared);
}

COUNTED counted_local_hit(struct world *world)
{
    hit(&world->local);
}

/* ---- what is kept in the cache */

static void make_texts(struct world *world)
{
    static const char *const cells[] = {"4711", "Product number 4711", "12.50", "17"};
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_point point = {.era = {77, 1}, .lsn = 0x1234567, .flush = 0x1234000, .snapshot = {.xmin = 745, .xmax = 751}};
    shopdata_param param = shopdata_int64(4711);
    world->kept = (sdi_entry){.stamp = {.era = {77, 1}, .standby = true, .lsn = 0x1234567}, .expires_at = INT64_MAX};
    for (size_t i = 0; i < 4; i++)
        sdi_result_column(&builder, "column", 25);
    for (size_t i = 0; i < 4; i++)
        sdi_result_cell(&builder, cells[i], strlen(cells[i]));
    world->answer = sdi_result_build(&builder);
    check(world->answer, "no memory", NULL);
    sdi_identity((sdi_hash128){1, 2}, &param, 1, &world->identity);
    sdi_fence_encode(&point, false, &world->fence);
    sdi_entry_encode(world->answer, &world->kept, (sdi_slice){world->identity.data, world->identity.length}, 0,
                     &world->entry);
}

static void free_texts(struct world *world)
{
    shopdata_result_free(world->answer);
    sdi_buffer_free(&world->identity);
    sdi_buffer_free(&world->entry);
    sdi_buffer_free(&world->fence);
}

COUNTED counted_entry_encode(struct world *world)
{
    sdi_slice identity = {world->identity.data, world->identity.length};
    for (int i = 0; i < COUNTED_CALLS; i++) {
        sdi_buffer_clear(&world->entry);
        sdi_entry_encode(world->answer, &world->kept, identity, 0, &world->entry);
    }
}

/* With the copy that brings it from the cache. */
COUNTED counted_entry_open(struct world *world)
{
    sdi_slice identity = {world->identity.data, world->identity.length};
    for (int i = 0; i < COUNTED_CALLS; i++) {
        shopdata_result *answer = NULL;
        sdi_entry entry;
        sdi_entry_block block = {sdi_malloc(HEADROOM + world->entry.length), HEADROOM, world->entry.length, 1 << 20};
        check(block.block, "no memory", NULL);
        memcpy(block.block + HEADROOM, world->entry.data, world->entry.length);
        check(sdi_entry_open(&block, identity, &answer, &entry) == SDI_ENTRY_GOOD, "the entry is damaged", NULL);
        shopdata_result_free(answer);
    }
}

COUNTED counted_fence_decode(struct world *world)
{
    sdi_slice record = {world->fence.data, world->fence.length};
    for (int i = 0; i < COUNTED_CALLS; i++) {
        sdi_point point;
        check(sdi_fence_decode(record, &point) == SDI_FENCE_POINT, "the fence is damaged", NULL);
    }
}

int main(void)
{
    struct world world = {.database = NULL};
    const char *const replicas[] = {getenv("SHOPDATA_REPLICA1"), NULL};
    if (!getenv("SHOPDATA_PRIMARY") || !replicas[0] || !getenv("SHOPDATA_REDIS"))
        return SKIPPED;
    world.database = bench_connect(getenv("SHOPDATA_PRIMARY"));
    check(world.database && bench_shop_make(world.database, replicas, KEYS), "the table", NULL);
    open_asker(&world.shared, SHOPDATA_FROM_CACHE);
    open_asker(&world.local, SHOPDATA_FROM_LOCAL);
    make_texts(&world);
    counted_shared_hit(&world);
    counted_local_hit(&world);
    counted_entry_encode(&world);
    counted_entry_open(&world);
    counted_fence_decode(&world);
    free_texts(&world);
    close_asker(&world.local);
    close_asker(&world.shared);
    bench_shop_drop(world.database);
    PQfinish(world.database);
    return 0;
}
