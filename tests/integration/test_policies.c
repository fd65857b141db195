/* test_policies.c - what the policies of the configuration do: how much is kept, how small, and how long. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "client/core.h"
#include "client/statement.h"
#include "fresh/keys.h"

static const char *const caches[] = {"redis", "memory", "memcached"};
enum { CACHES = 3 };

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *texts, *set_price;

/* ------------------------------------------------------------------------------------------------------- beginnings */

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL, name text); INSERT INTO item SELECT i, i, 'item ' || i FROM "
                "generate_series(1, 100) i; CREATE OR REPLACE FUNCTION nap(seconds float) RETURNS text STABLE "
                "LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(seconds); RETURN NULL; END'");
    servers_settle();
}

/* Settings are "key=value" texts, NULL at the end. */
static void set_all(shopdata_config *config, const char *const *settings)
{
    char key[64];
    shopdata_error *error = NULL;
    for (; *settings; settings++) {
        size_t length = strcspn(*settings, "=");
        snprintf(key, sizeof key, "%.*s", (int)length, *settings);
        servers_ok(shopdata_config_set(config, key, *settings + length + 1, &error), error);
    }
}

/* The settings are set on top of servers_config. */
static void begin(const char *cache, const char *const *settings)
{
    shopdata_config *config = servers_config(cache);
    make_table();
    set_all(config, (const char *[]){"route.catalog_interval=0ms", NULL}); /* the table's making shall be no news */
    set_all(config, settings);
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price, name FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
    texts = servers_statement(client, "SELECT repeat(name, $2) FROM item WHERE id = $1");
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(texts);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_close(client);
}

static void do_all(const char *const *commands)
{
    for (; *commands; commands++)
        servers_do(*commands);
}

static shopdata_result *read_with(shopdata_session *who, shopdata_statement *statement, const shopdata_param *params,
                                  size_t count)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    servers_ok(shopdata_query(who, statement, params, count, &result, &error), error);
    return result;
}

/* The source of an answer of about `size` bytes. */
static int source_of_text(int id, int size)
{
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(size / 6)};
    shopdata_result *result = read_with(session, texts, params, 2);
    int source = shopdata_result_source(result);
    shopdata_result_free(result);
    return source;
}

static int source_of(int id)
{
    shopdata_param param = shopdata_int64(id);
    shopdata_result *result = read_with(session, by_id, &param, 1);
    int source = shopdata_result_source(result);
    shopdata_result_free(result);
    return source;
}

/* ------------------------------------------------------------------------------------------------------------- size */

START_TEST(what_is_over_max_bytes_is_not_kept)
{
    begin(caches[_i], (const char *[]){"policy.default.max_bytes=4KiB", NULL});
    ck_assert_int_ne(source_of_text(1, 3000), SHOPDATA_FROM_CACHE);
    ck_assert_int_eq(source_of_text(1, 3000), SHOPDATA_FROM_CACHE);
    for (int i = 0; i < 3; i++) /* it would compress to next to nothing: its size in memory counts */
        ck_assert_int_ne(source_of_text(1, 6000), SHOPDATA_FROM_CACHE);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_fills_dropped_total", "reason=\"too_large\""), 3);
    finish();
}
END_TEST

START_TEST(what_repeats_is_compressed)
{
    begin(caches[_i], (const char *[]){NULL});
    ck_assert_int_ne(source_of_text(1, 500000), SHOPDATA_FROM_CACHE);
    ck_assert_double_lt(servers_metric(client, "shopdata_cache_entry_bytes_sum", NULL), 20000);
    double in = servers_metric(client, "shopdata_cache_compression_bytes_total", "side=\"in\""),
           out = servers_metric(client, "shopdata_cache_compression_bytes_total", "side=\"out\"");
    ck_assert_double_gt(in, 490000);
    ck_assert_double_lt(out, 20000);
    shopdata_param params[2] = {shopdata_int64(1), shopdata_int64(500000 / 6)};
    shopdata_result *result = read_with(session, texts, params, 2);
    const char *text;
    size_t length;
    ck_assert_int_eq(shopdata_result_source(result), SHOPDATA_FROM_CACHE);
    servers_ok(shopdata_result_text(result, 0, 0, &text, &length, NULL), NULL);
    ck_assert_uint_eq(length, 500000 / 6 * 6);
    for (size_t i = 0; i < length; i += 6)
        if (memcmp(text + i, "item 1", 6))
            ck_abort_msg("another text at byte %zu", i);
    shopdata_result_free(result);
    finish();
}
END_TEST

START_TEST(compression_can_be_off)
{
    begin(caches[_i], (const char *[]){"policy.default.compress_over=0", NULL});
    source_of_text(1, 100000);
    ck_assert_int_eq(source_of_text(1, 100000), SHOPDATA_FROM_CACHE);
    ck_assert_double_gt(servers_metric(client, "shopdata_cache_entry_bytes_sum", NULL), 99000);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_compression_bytes_total", NULL), 0);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- time */

START_TEST(a_negative_ttl_of_zero_keeps_nothing)
{
    begin(caches[_i], (const char *[]){"policy.default.negative_ttl=0ms", NULL});
    for (int i = 0; i < 3; i++)
        ck_assert_int_ne(source_of(4711), SHOPDATA_FROM_CACHE);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_fills_total", NULL), 0);
    source_of(1);
    ck_assert_int_eq(source_of(1), SHOPDATA_FROM_CACHE);
    finish();
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- old answers
 */

/* What a read came to: the price, or what went wrong. */
typedef struct answer {
    int status, source;
    int64_t price, staleness_ms, age_ms;
} answer;

static answer ask(shopdata_session *who, shopdata_statement *statement, int id)
{
    answer got = {0};
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    got.status = shopdata_query(who, statement, &param, 1, &result, NULL);
    if (got.status == SHOPDATA_OK) {
        servers_ok(shopdata_result_int64(result, 0, 1, &got.price, NULL), NULL);
        got.source = shopdata_result_source(result);
        got.staleness_ms = shopdata_result_staleness_ms(result);
        got.age_ms = shopdata_result_age_ms(result);
    }
    shopdata_result_free(result);
    return got;
}

static shopdata_session *new_session(int64_t deadline_ms)
{
    shopdata_session *made;
    servers_ok(shopdata_session_new(client, &made, NULL), NULL);
    servers_ok(shopdata_session_set_deadline(made, deadline_ms, NULL), NULL);
    return made;
}

static void write_price(shopdata_session *who, int id, int price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    servers_ok(shopdata_execute(who, set_price, params, 2, NULL, &error), error);
}

/* A read that takes `seconds` on the server; it is cached because its tags are declared. */
static shopdata_statement *slow_read(const char *seconds)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT id, price, nap(%s) FROM item WHERE id = $1", seconds);
    shopdata_statement *made = servers_statement(client, sql);
    servers_ok(shopdata_statement_add_tag(made, "slow", NULL), NULL);
    return made;
}

static void check_stale(answer got, int64_t price, bool overtaken)
{
    ck_assert_int_eq(got.status, SHOPDATA_OK);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_STALE);
    ck_assert_int_eq(got.price, price);
    if (overtaken)
        ck_assert_int_gt(got.staleness_ms, 0);
    else
        ck_assert_int_eq(got.staleness_ms, 0);
}

static double stale_answers(const char *reason)
{
    char label[64];
    snprintf(label, sizeof label, "reason=\"%s\"", reason);
    return servers_metric(client, "shopdata_stale_answers_total", reason ? label : NULL);
}

/* Many who ask the same at once, each in a session of his own, the first in that of `writer`. */
enum { CROWD = 8 };
typedef struct asker {
    pthread_t thread;
    pthread_barrier_t *start;
    shopdata_session *session;
    shopdata_statement *statement;
    answer got;
} asker;

static void *ask_with_others(void *argument)
{
    asker *me = argument;
    pthread_barrier_wait(me->start);
    me->got = ask(me->session, me->statement, 1);
    return NULL;
}

static void ask_at_once(asker *crowd, shopdata_statement *statement, shopdata_session *writer)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, CROWD);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (asker){.start = &start, .statement = statement};
        crowd[i].session = i || !writer ? new_session(5000) : writer;
        pthread_create(&crowd[i].thread, NULL, ask_with_others, &crowd[i]);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        ck_assert_int_eq(crowd[i].got.status, SHOPDATA_OK);
        if (crowd[i].session != writer)
            shopdata_session_free(crowd[i].session);
    }
    pthread_barrier_destroy(&start);
}

static int count_source(const asker *crowd, int source)
{
    int count = 0;
    for (int i = 0; i < CROWD; i++)
        count += crowd[i].got.source == source;
    return count;
}

START_TEST(one_refreshes_while_the_others_get_the_old_answer)
{
    asker crowd[CROWD];
    begin("redis", (const char *[]){"policy.default.ttl=300ms", "policy.default.stale=1m", NULL});
    shopdata_statement *slow = slow_read("0.25");
    ck_assert_int_eq(ask(session, slow, 1).price, 1);
    ck_assert_int_eq(ask(session, slow, 1).source, SHOPDATA_FROM_CACHE);
    usleep(330000);
    double asked = servers_asked(client);
    ask_at_once(crowd, slow, NULL);
    ck_assert_double_eq(servers_asked(client) - asked, 1);
    ck_assert_int_gt(count_source(crowd, SHOPDATA_FROM_STALE), 0);
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(crowd[i].got.staleness_ms, 0);
    ck_assert_double_eq(stale_answers("expired_refreshing"), count_source(crowd, SHOPDATA_FROM_STALE));
    ck_assert_double_gt(servers_metric(client, "shopdata_cache_misses_total", "policy=\"default\",reason=\"expired\""),
                        0);
    ck_assert_int_eq(ask(session, slow, 1).source, SHOPDATA_FROM_CACHE);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

/* One who wrote waits with the one who asks, or asks himself; the others need not. */
START_TEST(an_overtaken_answer_is_never_the_writers)
{
    asker crowd[CROWD];
    begin("redis", (const char *[]){"policy.default.stale_overtaken=1m", NULL});
    shopdata_statement *slow = slow_read("0.25");
    shopdata_session *writer = new_session(5000);
    ck_assert_int_eq(ask(session, slow, 1).price, 1);
    write_price(writer, 1, 100);
    ask_at_once(crowd, slow, writer);
    ck_assert_int_ne(crowd[0].got.source, SHOPDATA_FROM_STALE);
    ck_assert_int_eq(crowd[0].got.price, 100);
    for (int i = 0; i < CROWD; i++)
        if (crowd[i].got.source == SHOPDATA_FROM_STALE)
            check_stale(crowd[i].got, 1, true);
        else
            ck_assert_int_eq(crowd[i].got.price, 100);
    ck_assert_double_eq(stale_answers("overtaken_refreshing"), count_source(crowd, SHOPDATA_FROM_STALE));
    shopdata_session_free(writer);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

/* The deadline passes while the database works at it. */
START_TEST(a_database_too_slow_leaves_the_old_answer)
{
    begin("redis", (const char *[]){"policy.default.ttl=100ms", "policy.default.stale=1m", NULL});
    shopdata_statement *slow = slow_read("0.2");
    shopdata_session *hasty = new_session(100);
    ck_assert_int_eq(ask(session, slow, 1).price, 1);
    usleep(120000);
    check_stale(ask(hasty, slow, 1), 1, false);
    ck_assert_double_eq(stale_answers("expired_unavailable"), 1);
    shopdata_session_free(hasty);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

/* No replica is new enough, and the primary takes no more reads for that reason. */
START_TEST(a_busy_primary_leaves_the_old_answer)
{
    begin("redis", (const char *[]){"policy.default.stale_overtaken=1m", "route.primary_reads=0",
                                    "route.wait_for_replica=1ms", NULL});
    shopdata_session *writer = new_session(5000);
    for (int i = 0; i < 200 && ask(session, by_id, 3).status != SHOPDATA_OK; i++)
        usleep(5000); /* until a replica has replayed the table's making */
    do_all((const char *[]){"pause replica1", "pause replica2", NULL});
    write_price(writer, 3, 300);
    check_stale(ask(session, by_id, 3), 3, true);
    ck_assert_int_eq(ask(writer, by_id, 3).status, SHOPDATA_ERR_BUSY);
    ck_assert_double_eq(stale_answers("overtaken_unavailable"), 1);
    do_all((const char *[]){"resume replica1", "resume replica2", NULL});
    shopdata_session_free(writer);
    finish();
}
END_TEST

static shopdata_statement *under_policy(const char *policy)
{
    shopdata_statement *made = NULL;
    servers_ok(shopdata_statement_new(client, policy, "SELECT id, price FROM item WHERE id = $1", &made, NULL), NULL);
    return made;
}

static void must_fail(shopdata_session *who, shopdata_statement *statement, int id)
{
    int status = ask(who, statement, id).status;
    ck_assert_msg(status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_TIMEOUT, "%s",
                  shopdata_status_name(status));
}

/* Item 1 is only too old; item 2 was written since by `writer`; item 3 by him first, then read, then by another. */
static void prepare_outage(shopdata_statement *expiring, shopdata_statement *overtaken, shopdata_session *writer,
                           shopdata_session *seer)
{
    ck_assert_int_eq(ask(session, expiring, 1).price, 1);
    ck_assert_int_eq(ask(session, overtaken, 2).price, 2);
    write_price(seer, 3, 30);
    ck_assert_int_eq(ask(session, overtaken, 3).price, 30);
    write_price(writer, 2, 200);
    write_price(writer, 3, 300);
}

START_TEST(without_a_database_the_policy_decides)
{
    begin("redis", (const char *[]){"policy.expiring.ttl=100ms", "policy.expiring.stale=1m",
                                    "policy.overtaken.stale_overtaken=1m", NULL});
    shopdata_statement *expiring = under_policy("expiring"), *overtaken = under_policy("overtaken"),
                       *plain = under_policy(NULL);
    shopdata_session *writer = new_session(5000), *seer = new_session(5000), *other = new_session(150);
    ck_assert_int_eq(ask(session, plain, 9).price, 9); /* its plan is made while there is a database */
    prepare_outage(expiring, overtaken, writer, seer);
    do_all((const char *[]){"stop replica1", "stop replica2", "stop primary", NULL});
    usleep(100000);
    shopdata_session_set_deadline(writer, 150, NULL);
    shopdata_session_set_deadline(seer, 150, NULL);
    for (int i = 0; i < 3; i++)
        check_stale(ask(other, expiring, 1), 1, false);
    check_stale(ask(other, overtaken, 2), 2, true);
    check_stale(ask(seer, overtaken, 3), 30, true); /* it has his own write */
    must_fail(seer, overtaken, 2);                  /* who knows whether his write was not behind that answer */
    must_fail(writer, overtaken, 2);
    must_fail(writer, overtaken, 3);
    must_fail(other, expiring, 2); /* overtaken, and that policy does not allow it */
    must_fail(other, plain, 1);
    must_fail(other, plain, 2);
    ck_assert_int_eq(ask(other, plain, 9).source, SHOPDATA_FROM_CACHE);
    answer old = ask(other, overtaken, 2);
    ck_assert_int_le(old.staleness_ms, old.age_ms + 1);
    ck_assert_double_eq(stale_answers("expired_unavailable"), 3);
    ck_assert_double_eq(stale_answers("overtaken_unavailable"), 3);
    do_all((const char *[]){"start primary", "start replica1", "start replica2", NULL});
    shopdata_statement *const statements[] = {expiring, overtaken, plain};
    shopdata_session *const sessions[] = {writer, seer, other};
    for (int i = 0; i < 3; i++) {
        shopdata_statement_free(statements[i]);
        shopdata_session_free(sessions[i]);
    }
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- the bound */

START_TEST(where_no_fence_was_asked_the_bound_is_the_replicas)
{
    begin("none", (const char *[]){NULL});
    answer got = ask(session, by_id, 1);
    for (int i = 0; i < 200 && got.staleness_ms < 0; i++) { /* until the primary was asked, and then the replica */
        usleep(10000);
        got = ask(session, by_id, 1);
    }
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_gt(got.staleness_ms, 0);
    ck_assert_int_lt(got.staleness_ms, 5000);
    ck_assert_double_gt(servers_metric(client, "shopdata_staleness_seconds_count", NULL), 0);
    servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, NULL), NULL);
    ck_assert_int_eq(ask(session, by_id, 1).staleness_ms, 0);
    finish();
}
END_TEST

/* Written past the library: the paused replicas fall behind and do not know by how much, the bound does. */
START_TEST(the_bound_grows_with_the_lag)
{
    begin("none", (const char *[]){NULL});
    do_all((const char *[]){"pause replica1", "pause replica2", NULL});
    servers_sql("UPDATE item SET price = 1000 WHERE id = 1");
    usleep(400000);
    answer got = ask(session, by_id, 1);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_eq(got.price, 1);
    ck_assert_int_ge(got.staleness_ms, 300);
    do_all((const char *[]){"resume replica1", "resume replica2", NULL});
    finish();
}
END_TEST

START_TEST(where_fences_pass_the_bound_is_zero)
{
    begin(caches[_i], (const char *[]){NULL});
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(session, by_id, 1).staleness_ms, 0);
    write_price(session, 1, 100);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(session, by_id, 1).staleness_ms, 0);
    ck_assert_double_eq(servers_metric(client, "shopdata_staleness_seconds_count", NULL), 6);
    ck_assert_double_eq(servers_metric(client, "shopdata_staleness_seconds_sum", NULL), 0);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ the leases */

/* Another client on the same keys: what another process would be. */
static shopdata_client *second_client(const char *prefix, const char *const *settings)
{
    shopdata_config *config = servers_config("redis");
    servers_ok(shopdata_config_set(config, "cache.key_prefix", prefix, NULL), NULL);
    set_all(config, settings);
    return servers_open_with(config);
}

static double of_both(shopdata_client *other, const char *name, const char *labels)
{
    return servers_metric(client, name, labels) + servers_metric(other, name, labels);
}

static void check_leases(shopdata_client *other, double taken, double awaited, double answered)
{
    ck_assert_double_eq(of_both(other, "shopdata_leases_total", "event=\"taken\""), taken);
    ck_assert_double_eq(of_both(other, "shopdata_leases_total", "event=\"awaited\""), awaited);
    ck_assert_double_eq(of_both(other, "shopdata_leases_total", "event=\"answered\""), answered);
}

/* Both clients ask for item 1 at once; *got_out are their answers. */
static void ask_both(shopdata_client *other, const char *sql, answer *got_out)
{
    asker both[2];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, 2);
    for (int i = 0; i < 2; i++) {
        shopdata_client *whose = i ? other : client;
        both[i] = (asker){.start = &start, .statement = servers_statement(whose, sql)};
        servers_ok(shopdata_statement_add_tag(both[i].statement, "slow", NULL), NULL);
        servers_ok(shopdata_statement_explain(both[i].statement, &(const char *){NULL}, NULL), NULL);
        servers_ok(shopdata_session_new(whose, &both[i].session, NULL), NULL);
    }
    for (int i = 0; i < 2; i++)
        pthread_create(&both[i].thread, NULL, ask_with_others, &both[i]);
    for (int i = 0; i < 2; i++) {
        pthread_join(both[i].thread, NULL);
        got_out[i] = both[i].got;
        shopdata_session_free(both[i].session);
        shopdata_statement_free(both[i].statement);
    }
    pthread_barrier_destroy(&start);
}

START_TEST(of_two_processes_one_asks)
{
    static const char *const settings[] = {"cache.key_prefix=lease-1", "policy.default.lease=20s", NULL};
    answer got[2];
    begin("redis", settings);
    shopdata_client *other = second_client("lease-1", settings);
    ask_both(other, "SELECT id, price, nap(0.25) FROM item WHERE id = $1", got);
    ck_assert_double_eq(of_both(other, "shopdata_queries_total", "source=\"cache\""), 1);
    ck_assert_int_eq(got[0].price + got[1].price, 2);
    check_leases(other, 1, 1, 1);
    shopdata_close(other);
    finish();
}
END_TEST

/* Its answer is too large to be kept: who waits need not wait for the lease's time to be up. */
START_TEST(a_lease_is_given_back)
{
    static const char *const settings[] = {"cache.key_prefix=lease-2",      "policy.default.lease=40s",
                                           "policy.default.max_bytes=1KiB", "policy.default.compress_over=0",
                                           "shopdata.deadline=50s",         NULL};
    answer got[2];
    begin("redis", settings);
    shopdata_client *other = second_client("lease-2", settings);
    int64_t began = sdi_now();
    ask_both(other, "SELECT id, price, repeat('x', 2000), nap(0.2) FROM item WHERE id = $1", got);
    ck_assert_int_lt(sdi_now() - began, 20000000);
    ck_assert_int_eq(got[0].status, SHOPDATA_OK);
    ck_assert_int_eq(got[1].status, SHOPDATA_OK);
    check_leases(other, 1, 1, 0);
    shopdata_close(other);
    finish();
}
END_TEST

/* The key of the lease that a read of an item takes, once the statement has run. */
static sdi_buffer lease_key(const shopdata_statement *statement, int id)
{
    sdi_slice space;
    sdi_buffer identity = SDI_BUFFER_INIT, key = SDI_BUFFER_INIT;
    shopdata_param param = shopdata_int64(id);
    ck_assert(sdi_core_space(client->core, &space, NULL));
    sdi_identity(atomic_load(&statement->planned)->fingerprint, &param, 1, &identity);
    sdi_lease_key(space, (sdi_slice){identity.data, identity.length}, &key);
    sdi_buffer_free(&identity);
    return key;
}

/* What a process that was killed leaves behind. */
static void put_lease(const shopdata_statement *statement, int id, int64_t ttl_ms)
{
    sdi_buffer key = lease_key(statement, id);
    sdi_cache_op set = {.verb = SDI_CACHE_SET, .key = {key.data, key.length}, .ttl_ms = ttl_ms};
    set.value = sdi_slice_of("L 0000000000000001");
    ck_assert(sdi_cache_run(client->core->cache, &set, 1, SDI_NEVER));
    sdi_buffer_free(&key);
}

static bool lease_stands(const shopdata_statement *statement, int id)
{
    sdi_buffer key = lease_key(statement, id);
    sdi_cache_op get = {.verb = SDI_CACHE_GET, .key = {key.data, key.length}};
    ck_assert(sdi_cache_run(client->core->cache, &get, 1, SDI_NEVER));
    bool stands = get.found && get.length == 18 && !memcmp(get.block, "L 0000000000000001", 18);
    sdi_free(get.block);
    sdi_buffer_free(&key);
    return stands;
}

START_TEST(a_lease_left_behind_is_waited_for_and_no_longer)
{
    begin(caches[_i], (const char *[]){"policy.default.lease=200ms", NULL});
    source_of(1);
    put_lease(by_id, 2, 60000);
    int64_t began = sdi_now();
    ck_assert_int_ne(source_of(2), SHOPDATA_FROM_CACHE);
    ck_assert_int_ge(sdi_now() - began, 150000);
    ck_assert_int_eq(source_of(2), SHOPDATA_FROM_CACHE);
    ck_assert(lease_stands(by_id, 2)); /* it was not his to give back */
    put_lease(by_id, 3, 1);
    usleep(10000);
    source_of(3);
    ck_assert_double_eq(servers_metric(client, "shopdata_leases_total", "event=\"awaited\""), 1);
    finish();
}
END_TEST

/* Memcached remembers for a second that it was given back. */
START_TEST(a_lease_that_was_given_back_is_free)
{
    begin(caches[_i], (const char *[]){"policy.default.lease=40s", NULL});
    for (int price = 10; price < 15; price++) {
        write_price(session, 1, price);
        answer got = ask(session, by_id, 1);
        ck_assert_int_eq(got.price, price);
        ck_assert_int_ne(got.source, SHOPDATA_FROM_CACHE);
    }
    ck_assert_double_eq(servers_metric(client, "shopdata_leases_total", "event=\"taken\""), 5);
    ck_assert_double_eq(servers_metric(client, "shopdata_leases_total", "event=\"awaited\""), 0);
    finish();
}
END_TEST

/* The answer comes after the lease has run out and another process has claimed it. */
START_TEST(a_late_answer_leaves_the_lease_of_another_alone)
{
    asker late = {.got = {0}};
    pthread_barrier_t start;
    begin("redis", (const char *[]){"policy.default.lease=50ms", NULL});
    pthread_barrier_init(&start, NULL, 1);
    shopdata_statement *slow = slow_read("0.25");
    ck_assert_int_eq(ask(session, slow, 2).price, 2);
    late = (asker){.start = &start, .session = session, .statement = slow};
    pthread_create(&late.thread, NULL, ask_with_others, &late);
    usleep(150000);
    put_lease(slow, 1, 60000);
    pthread_join(late.thread, NULL);
    ck_assert_int_eq(late.got.price, 1);
    ck_assert(lease_stands(slow, 1));
    pthread_barrier_destroy(&start);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

START_TEST(who_has_an_old_answer_does_not_wait_for_a_lease)
{
    begin(caches[_i],
          (const char *[]){"policy.default.lease=40s", "policy.default.ttl=50ms", "policy.default.stale=1m", NULL});
    source_of(1);
    usleep(80000);
    put_lease(by_id, 1, 60000);
    double asked = servers_asked(client);
    for (int i = 0; i < 3; i++)
        check_stale(ask(session, by_id, 1), 1, false);
    ck_assert_double_eq(servers_asked(client), asked);
    finish();
}
END_TEST

START_TEST(a_cache_that_dies_is_not_waited_for)
{
    pthread_barrier_t start;
    begin("redis", (const char *[]){"policy.default.lease=40s", "shopdata.deadline=30s", NULL});
    pthread_barrier_init(&start, NULL, 1);
    source_of(2);
    put_lease(by_id, 1, 60000);
    asker waiting = {.start = &start, .session = session, .statement = by_id};
    pthread_create(&waiting.thread, NULL, ask_with_others, &waiting);
    usleep(150000);
    servers_do("kill redis");
    pthread_join(waiting.thread, NULL);
    ck_assert_int_eq(waiting.got.status, SHOPDATA_OK);
    ck_assert_int_eq(waiting.got.price, 1);
    servers_do("start redis");
    pthread_barrier_destroy(&start);
    finish();
}
END_TEST

static void fill_well(TCase *cases)
{
    tcase_add_loop_test(cases, what_is_over_max_bytes_is_not_kept, 0, CACHES);
    tcase_add_loop_test(cases, what_repeats_is_compressed, 0, CACHES);
    tcase_add_loop_test(cases, compression_can_be_off, 0, CACHES);
    tcase_add_loop_test(cases, a_negative_ttl_of_zero_keeps_nothing, 0, CACHES);
    tcase_add_test(cases, one_refreshes_while_the_others_get_the_old_answer);
    tcase_add_test(cases, an_overtaken_answer_is_never_the_writers);
    tcase_add_test(cases, a_database_too_slow_leaves_the_old_answer);
    tcase_add_test(cases, where_no_fence_was_asked_the_bound_is_the_replicas);
    tcase_add_loop_test(cases, where_fences_pass_the_bound_is_zero, 0, CACHES);
    tcase_add_test(cases, of_two_processes_one_asks);
    tcase_add_test(cases, a_lease_is_given_back);
    tcase_add_loop_test(cases, a_lease_left_behind_is_waited_for_and_no_longer, 0, CACHES);
    tcase_add_loop_test(cases, a_lease_that_was_given_back_is_free, 0, CACHES);
    tcase_add_test(cases, a_late_answer_leaves_the_lease_of_another_alone);
    tcase_add_loop_test(cases, who_has_an_old_answer_does_not_wait_for_a_lease, 0, CACHES);
}

/* What makes servers ill; they are made well again after each. */
static void fill_ill(TCase *cases)
{
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, a_busy_primary_leaves_the_old_answer);
    tcase_add_test(cases, without_a_database_the_policy_decides);
    tcase_add_test(cases, the_bound_grows_with_the_lag);
    tcase_add_test(cases, a_cache_that_dies_is_not_waited_for);
}

int main(void)
{
    servers_required();
    servers_required_memcached();
    return unit_run("integration/policies", 60, (unit_fill *const[]){fill_well, fill_ill}, 2);
}
