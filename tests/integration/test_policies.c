/* test_policies.c - what the policies of the configuration do: how much is kept, how small, and how long. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static const char *const caches[] = {"redis", "memory"};
enum { CACHES = 2 };

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *texts;

/* ------------------------------------------------------------------------------------------------------- beginnings */

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL, name text); INSERT INTO item SELECT i, i, 'item ' || i FROM "
                "generate_series(1, 100) i");
}

/* Settings are "key=value" texts, NULL at the end; they are set on top of servers_config. */
static void begin(const char *cache, const char *const *settings)
{
    char key[64];
    shopdata_error *error = NULL;
    shopdata_config *config = servers_config(cache);
    make_table();
    for (; *settings; settings++) {
        size_t length = strcspn(*settings, "=");
        snprintf(key, sizeof key, "%.*s", (int)length, *settings);
        servers_ok(shopdata_config_set(config, key, *settings + length + 1, &error), error);
    }
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price, name FROM item WHERE id = $1");
    texts = servers_statement(client, "SELECT repeat(name, $2) FROM item WHERE id = $1");
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(texts);
    shopdata_session_free(session);
    shopdata_close(client);
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
    for (size_t i = 0; i < length; i++)
        ck_assert_int_eq(text[i], "item 1"[i % 6]);
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

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, what_is_over_max_bytes_is_not_kept, 0, CACHES);
    tcase_add_loop_test(cases, what_repeats_is_compressed, 0, CACHES);
    tcase_add_loop_test(cases, compression_can_be_off, 0, CACHES);
    tcase_add_loop_test(cases, a_negative_ttl_of_zero_keeps_nothing, 0, CACHES);
}

static int run_suite(void)
{
    Suite *suite = suite_create("integration/policies");
    TCase *cases = tcase_create("policies");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    fill(cases);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int bad = srunner_ntests_failed(runner) || !srunner_ntests_run(runner);
    srunner_free(runner);
    return bad;
}

int main(void)
{
    servers_required();
    return run_suite();
}
