/* test_modes.c - `cache.mode`: what a cached answer may lack in each mode, and what the cache is asked for it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static const char *const caches[] = {"redis", "memory", "memcached"};
enum { CACHES = 3 };

static shopdata_client *client;
static shopdata_session *writer, *reader;
static shopdata_statement *by_id, *set_price;

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

static shopdata_config *ttl_config(const char *cache)
{
    shopdata_config *config = servers_config(cache);
    set(config, "cache.mode", "ttl");
    set(config, "route.catalog_interval", "0ms"); /* the table's making shall be no news */
    set(config, "policy.default.jitter", "0");
    return config;
}

static void begin_with(shopdata_config *config)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL); INSERT INTO item SELECT i, i FROM generate_series(1, 100) i");
    servers_settle();
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &writer, NULL), NULL);
    servers_ok(shopdata_session_new(client, &reader, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void begin(const char *cache)
{
    begin_with(ttl_config(cache));
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_session_free(writer);
    shopdata_session_free(reader);
    shopdata_close(client);
}

/* What a read came to. */
typedef struct answer {
    int source;
    int64_t price, staleness_ms;
} answer;

static answer ask(shopdata_session *who, int id)
{
    answer got;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(who, by_id, &param, 1, &result, &error), error);
    servers_ok(shopdata_result_int64(result, 0, 1, &got.price, NULL), NULL);
    got.source = shopdata_result_source(result);
    got.staleness_ms = shopdata_result_staleness_ms(result);
    shopdata_result_free(result);
    return got;
}

static void write_price(shopdata_session *who, int id, int price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    servers_ok(shopdata_execute(who, set_price, params, 2, NULL, &error), error);
}

static void check(answer got, int64_t price, bool cached)
{
    ck_assert_int_eq(got.price, price);
    ck_assert_int_eq(got.source == SHOPDATA_FROM_CACHE, cached);
    ck_assert_int_gt(got.staleness_ms, 0);
}

/* How often the cache was asked for anything. */
static double cache_calls(void)
{
    return servers_metric(client, "shopdata_cache_roundtrip_seconds_count", NULL);
}

START_TEST(nobody_tells_the_cache_of_a_write)
{
    begin(caches[_i]);
    check(ask(reader, 1), 1, false);
    write_price(writer, 1, 100);
    check(ask(reader, 1), 1, true);
    finish();
}
END_TEST

START_TEST(when_its_time_is_up_an_entry_is_gone)
{
    shopdata_config *config = ttl_config(caches[_i]);
    set(config, "policy.default.ttl", "1s"); /* memcached counts in seconds */
    begin_with(config);
    check(ask(reader, 1), 1, false);
    write_price(writer, 1, 100);
    usleep(2100000);
    answer late = ask(reader, 1);
    ck_assert_int_ne(late.source, SHOPDATA_FROM_CACHE);
    ck_assert_int_eq(late.price, 100);
    finish();
}
END_TEST

START_TEST(a_session_sees_its_own_writes)
{
    begin(caches[_i]);
    check(ask(reader, 1), 1, false);
    for (int price = 100; price < 120; price++) {
        write_price(writer, 1, price);
        check(ask(writer, 1), price, false);
        check(ask(writer, 1), price, true); /* what it read is stored, and has its write */
        check(ask(reader, 1), price, true); /* for all */
    }
    write_price(writer, 2, 200);
    check(ask(writer, 1), 119, false); /* an entry from before its last write: nobody knows what that changed */
    finish();
}
END_TEST

START_TEST(a_transaction_is_a_write_too)
{
    begin("redis");
    check(ask(reader, 1), 1, false);
    servers_ok(shopdata_begin(writer, SHOPDATA_READ_COMMITTED, NULL), NULL);
    write_price(writer, 1, 100);
    servers_ok(shopdata_commit(writer, NULL), NULL);
    check(ask(reader, 1), 1, true);
    check(ask(writer, 1), 100, false);
    finish();
}
END_TEST

START_TEST(the_cache_holds_entries_and_nothing_else)
{
    begin(caches[_i]);
    for (int id = 1; id <= 10; id++) {
        ask(reader, id);
        ask(reader, id);
    }
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_fills_total", NULL), 10);
    ck_assert_double_eq(servers_metric(client, "shopdata_fences_sampled_total", NULL), 0);
    ck_assert_double_eq(cache_calls(), 30); /* ten looks in vain, ten entries stored, ten found */
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_written_bytes_total", NULL),
                        servers_metric(client, "shopdata_cache_entry_bytes_sum", NULL));
    finish();
}
END_TEST

START_TEST(a_write_tells_the_cache_nothing)
{
    begin(caches[_i]);
    ask(reader, 1);
    double before = cache_calls();
    write_price(writer, 1, 100);
    ck_assert_double_eq(cache_calls(), before);
    finish();
}
END_TEST

START_TEST(there_is_nothing_to_invalidate)
{
    static const char *const tags[] = {"public.item"};
    shopdata_error *error = NULL;
    begin("memory");
    ck_assert_int_eq(shopdata_invalidate(client, tags, 1, &error), SHOPDATA_ERR_REFUSED);
    ck_assert_str_eq(shopdata_error_message(error),
                     "cache.mode is ttl: there are no fences to move, an answer is kept until its ttl is up");
    shopdata_error_free(error);
    finish();
}
END_TEST

START_TEST(a_lease_is_claimed_without_fences)
{
    shopdata_config *config = ttl_config(caches[_i]);
    set(config, "policy.default.lease", "500ms");
    begin_with(config);
    check(ask(reader, 1), 1, false);
    check(ask(reader, 1), 1, true);
    ck_assert_double_eq(servers_metric(client, "shopdata_leases_total", "event=\"taken\""), 1);
    finish();
}
END_TEST

START_TEST(an_answer_past_its_time_tells_its_age)
{
    shopdata_config *config = ttl_config("redis");
    set(config, "policy.default.ttl", "100ms");
    set(config, "policy.default.stale", "1m");
    begin_with(config);
    ask(reader, 1);
    usleep(150000);
    servers_do("stop primary");
    servers_do("stop replica1");
    servers_do("stop replica2");
    answer got = ask(reader, 1);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_STALE);
    ck_assert_int_ge(got.staleness_ms, 150);
    finish();
}
END_TEST

/* A replica that stands still answers others, until max_lag; never the one whose write it lacks. */
START_TEST(the_lag_limit_chooses_the_node)
{
    shopdata_config *config = ttl_config("redis");
    set(config, "policy.default.ttl", "1ms");
    set(config, "route.max_lag", "2s");
    set(config, "route.wait_for_replica", "0ms");
    begin_with(config);
    ask(reader, 2); /* its plan is made before the replicas stand still: they know the table */
    servers_do("pause replica1");
    servers_do("pause replica2");
    write_price(writer, 1, 100);
    answer got = ask(reader, 1);
    ck_assert_int_eq(got.price, 1);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_eq(ask(writer, 1).price, 100);
    for (int i = 0; i < 2000 && got.source == SHOPDATA_FROM_REPLICA; i++) {
        ck_assert_int_gt(got.staleness_ms, 0);
        usleep(10000);
        got = ask(reader, 1);
    }
    ck_assert_int_eq(got.price, 100);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_PRIMARY);
    finish();
}
END_TEST

START_TEST(without_the_cache_a_write_is_fenced_all_the_same)
{
    begin("redis");
    ask(reader, 1);
    servers_do("kill redis");
    write_price(writer, 1, 100);
    ck_assert_double_eq(servers_metric(client, "shopdata_unfenced_writes_total", NULL), 0);
    answer got = ask(writer, 1);
    ck_assert_int_eq(got.price, 100);
    finish();
}
END_TEST

static void fill_well(TCase *cases)
{
    tcase_add_loop_test(cases, nobody_tells_the_cache_of_a_write, 0, CACHES);
    tcase_add_loop_test(cases, when_its_time_is_up_an_entry_is_gone, 0, CACHES);
    tcase_add_loop_test(cases, a_session_sees_its_own_writes, 0, CACHES);
    tcase_add_test(cases, a_transaction_is_a_write_too);
    tcase_add_loop_test(cases, the_cache_holds_entries_and_nothing_else, 0, CACHES);
    tcase_add_loop_test(cases, a_write_tells_the_cache_nothing, 0, CACHES);
    tcase_add_test(cases, there_is_nothing_to_invalidate);
    tcase_add_loop_test(cases, a_lease_is_claimed_without_fences, 0, CACHES);
}

/* What makes servers ill; they are made well again after each. */
static void fill_ill(TCase *cases)
{
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, an_answer_past_its_time_tells_its_age);
    tcase_add_test(cases, the_lag_limit_chooses_the_node);
    tcase_add_test(cases, without_the_cache_a_write_is_fenced_all_the_same);
}

int main(void)
{
    servers_required();
    servers_required_memcached();
    return unit_run("integration/modes", 60, (unit_fill *const[]){fill_well, fill_ill}, 2);
}
