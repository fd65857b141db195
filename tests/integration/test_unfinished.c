/* test_unfinished.c - fences that the cache could not be told of, with real servers: only what hangs on them is held
 * back, and as soon as the server is there it is told. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/caches.h"
#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/memory.h"
#include "cache/memcached/ring.h"
#include "client/core.h"

enum { ITEMS = 60 };

static shopdata_client *client, *other;
static shopdata_session *session, *others;
static shopdata_statement *by_id, *set_price, *others_by_id;

static shopdata_client *open_ring(const char *prefix)
{
    char addresses[256];
    shopdata_config *config = servers_config("memcached");
    snprintf(addresses, sizeof addresses, "%s, %s, %s", getenv("SHOPDATA_MEMCACHED"), getenv("SHOPDATA_MEMCACHED2"),
             getenv("SHOPDATA_MEMCACHED3"));
    servers_ok(shopdata_config_set(config, "cache.address", addresses, NULL), NULL);
    servers_ok(shopdata_config_set(config, "cache.timeout", "200ms", NULL), NULL);
    servers_ok(shopdata_config_set(config, "cache.key_prefix", prefix, NULL), NULL);
    return servers_open_with(config);
}

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL); INSERT INTO item SELECT i, i FROM generate_series(1, 60) i");
    servers_settle();
}

static void begin_with(shopdata_client *writes, shopdata_client *reads)
{
    make_table();
    client = writes;
    other = reads;
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    servers_ok(shopdata_session_new(other, &others, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    others_by_id = servers_statement(other, "SELECT id, price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void begin(void)
{
    char prefix[32];
    static int number;
    snprintf(prefix, sizeof prefix, "unfinished-%d-%d", (int)getpid(), number++);
    begin_with(open_ring(prefix), open_ring(prefix));
}

static void end(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_statement_free(others_by_id);
    shopdata_session_free(session);
    shopdata_session_free(others);
    shopdata_close(client);
    shopdata_close(other);
}

/* A server of the ring that does not hold the fence of bulk changes, on which every row hangs. */
static const char *other_than_bulk(void)
{
    sdi_slice space;
    sdi_buffer key = SDI_BUFFER_INIT, wire = SDI_BUFFER_INIT;
    sdi_address *addresses = caches_memcached(3);
    sdi_cache_settings settings = caches_settings(SDI_CACHE_MEMCACHED);
    sdi_memcached_ring *ring = sdi_memcached_ring_new(&settings, addresses, 3, "", NULL);
    ck_assert(ring && sdi_core_space(client->core, &space, NULL));
    sdi_fence_key(space, sdi_slice_of("public.item/*"), &key);
    sdi_memcached_key(&wire, "", (sdi_slice){key.data, key.length});
    size_t server = sdi_memcached_ring_find(ring, (sdi_slice){wire.data, wire.length});
    sdi_memcached_ring_free(ring);
    sdi_free(addresses);
    sdi_buffer_free(&key);
    sdi_buffer_free(&wire);
    return server == 1 ? "memcached3" : "memcached2";
}

static void do_to(const char *verb, const char *server)
{
    char command[40];
    snprintf(command, sizeof command, "%s %s", verb, server);
    servers_do(command);
}

static int64_t price_for(shopdata_session *who, shopdata_statement *statement, int id, bool *cached_out)
{
    int64_t price = -1;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(who, statement, &param, 1, &result, &error), error);
    servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    *cached_out = shopdata_result_source(result) == SHOPDATA_FROM_CACHE;
    shopdata_result_free(result);
    return price;
}

/* Reads all items, which must cost `more` than their number; returns how many the cache answered. */
static int read_all(int more)
{
    int hits = 0;
    for (int id = 1; id <= ITEMS; id++) {
        bool cached;
        ck_assert_int_eq(price_for(session, by_id, id, &cached), id + more);
        hits += cached;
    }
    return hits;
}

/* Returns how many writes could not be told. */
static int write_all(int more)
{
    int untold = 0;
    for (int id = 1; id <= ITEMS; id++) {
        shopdata_error *error = NULL;
        shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(id + more)};
        int status = shopdata_execute(session, set_price, params, 2, NULL, &error);
        ck_assert_msg(status >= 0, "%s", shopdata_error_message(error));
        untold += status == SHOPDATA_UNFENCED;
    }
    return untold;
}

static double waiting(void)
{
    return servers_metric(client, "shopdata_unfenced_pending_tags", NULL);
}

static void wait_until_told(void)
{
    for (int i = 0; i < 500 && waiting() > 0; i++)
        usleep(20000);
    ck_assert_double_eq(waiting(), 0);
}

static void anybody_sees(int more)
{
    bool cached;
    for (int id = 1; id <= ITEMS; id++)
        ck_assert_int_eq(price_for(others, others_by_id, id, &cached), id + more);
}

/* What runs out of time on a busy machine is not kept, and a placeholder that was left alone stands for ten seconds: so
 * a few tries. */
static void warm(int more)
{
    int hits = read_all(more);
    for (int i = 0; i < 600 && hits < ITEMS; i++, usleep(25000))
        hits = read_all(more);
    ck_assert_int_eq(hits, ITEMS);
}

/* The table's tag may lie on the server that is gone: then every write is one that could not be told of it. */
START_TEST(one_server_that_is_gone_holds_back_only_what_hangs_on_it)
{
    begin();
    warm(0);
    const char *gone = other_than_bulk();
    do_to("kill", gone);
    ck_assert_int_gt(write_all(1000), 0);
    ck_assert_double_gt(waiting(), 0);
    ck_assert_double_lt(waiting(), ITEMS); /* what other servers have was told */
    read_all(1000);
    ck_assert_int_gt(read_all(1000), 0); /* the others' keys are hits */
    ck_assert_double_gt(waiting(), 0);
    do_to("start", gone);
    wait_until_told();
    ck_assert_double_gt(servers_metric(client, "shopdata_fences_retried_total", NULL), 0);
    anybody_sees(1000);
    warm(1000);
    end();
}
END_TEST

/* It comes back with the old entries and the old fences, which pass each other. */
START_TEST(a_frozen_server_comes_back_with_old_fences_that_nobody_believes)
{
    begin();
    warm(0);
    servers_do("freeze memcached2");
    ck_assert_int_gt(write_all(2000), 0);
    servers_do("thaw memcached2");
    read_all(2000);
    wait_until_told();
    anybody_sees(2000);
    warm(2000);
    end();
}
END_TEST

/* --------------------------------------------------------------------------- a cache that can be read, not written */

typedef struct deaf_cache {
    sdi_cache cache;
    sdi_cache *inner;
    const char *_Atomic deaf; /* fences with this in their keys are neither moved nor deleted; NULL: all well */
} deaf_cache;

static deaf_cache deaf;

static bool is_deaf_to(const sdi_cache_op *operation)
{
    bool tells = operation->verb == SDI_CACHE_MERGE || operation->verb == SDI_CACHE_REMOVE;
    const char *to = atomic_load(&deaf.deaf); /* watchers ask too */
    return tells && to && memmem(operation->key.data, operation->key.length, to, strlen(to));
}

static bool deaf_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)base;
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all &= !is_deaf_to(&operations[i]);
    if (all)
        return sdi_cache_run(deaf.inner, operations, count, deadline);
    for (size_t i = 0; i < count; i++)
        operations[i].done = !is_deaf_to(&operations[i]) && sdi_cache_run(deaf.inner, &operations[i], 1, deadline);
    return false;
}

static const sdi_cache_backend deaf_backend = {.name = "deaf", .run = deaf_run};

static void become_deaf(const char *key)
{
    deaf = (deaf_cache){.cache.backend = &deaf_backend, .inner = client->core->cache, .deaf = key};
    client->core->cache = &deaf.cache;
}

static void hear_again(void)
{
    deaf.deaf = NULL;
    wait_until_told();
    client->core->cache = deaf.inner;
}

static double misses(const char *reason)
{
    return servers_metric(client, "shopdata_cache_misses_total", reason);
}

/* The fence stands, and the old entry passes it. What is read anew has the write, and is as good as any. */
START_TEST(an_entry_from_before_is_refused_and_one_from_after_is_taken)
{
    bool cached;
    shopdata_error *error = NULL;
    begin_with(servers_open("memory"), servers_open("none"));
    warm(0);
    become_deaf("/id=7");
    shopdata_param params[2] = {shopdata_int64(7), shopdata_int64(77)};
    ck_assert_int_eq(shopdata_execute(session, set_price, params, 2, NULL, &error), SHOPDATA_UNFENCED);
    ck_assert_double_eq(waiting(), 1);
    ck_assert_int_eq(price_for(session, by_id, 8, &cached), 8);
    ck_assert(cached);
    ck_assert_int_eq(price_for(session, by_id, 7, &cached), 77);
    ck_assert(!cached);
    ck_assert_double_eq(misses("reason=\"untold\""), 1);
    ck_assert_int_eq(price_for(session, by_id, 7, &cached), 77);
    ck_assert(cached);
    ck_assert_double_eq(waiting(), 1);
    hear_again();
    ck_assert_int_eq(price_for(session, by_id, 7, &cached), 77);
    end();
}
END_TEST

/* Of an invalidation nobody knows the point: its tag counts as missing until the primary was asked. */
START_TEST(what_was_invalidated_in_vain_is_not_taken)
{
    bool cached;
    const char *const tag = "public.item/id=7";
    begin_with(servers_open("memory"), servers_open("none"));
    warm(0);
    become_deaf("/id=7");
    servers_sql("UPDATE item SET price = 70 WHERE id = 7"); /* past the library */
    ck_assert_int_eq(shopdata_invalidate(client, &tag, 1, NULL), SHOPDATA_UNFENCED);
    ck_assert_int_eq(price_for(session, by_id, 7, &cached), 70);
    ck_assert_int_eq(price_for(session, by_id, 8, &cached), 8);
    ck_assert(cached);
    for (int i = 0; i < 100 && !cached; i++, usleep(20000))
        ck_assert_int_eq(price_for(session, by_id, 7, &cached), 70);
    hear_again();
    end();
}
END_TEST

static void heal(void)
{
    servers_do("thaw memcached2");
    servers_do("start memcached2");
    servers_do("start memcached3");
}

static void fill(TCase *cases)
{
    static const char *const variables[] = {"SHOPDATA_PRIMARY", "SHOPDATA_REPLICA2", "SHOPDATA_MEMCACHED3", NULL};
    servers_need("--replicas 2 --memcached 3", variables);
    tcase_add_checked_fixture(cases, NULL, heal);
    tcase_add_test(cases, one_server_that_is_gone_holds_back_only_what_hangs_on_it);
    tcase_add_test(cases, a_frozen_server_comes_back_with_old_fences_that_nobody_believes);
    tcase_add_test(cases, an_entry_from_before_is_refused_and_one_from_after_is_taken);
    tcase_add_test(cases, what_was_invalidated_in_vain_is_not_taken);
}

UNIT_MAIN("integration/unfinished", fill, 120)
