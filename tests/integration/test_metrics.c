/* test_metrics.c - what is counted while a client works. */
#include <stdio.h>
#include <string.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static const char *const caches[] = {"redis", "memory"};
static shopdata_client *client;
static shopdata_session *session;

static void begin(const char *cache)
{
    shopdata_config *config = servers_config(cache);
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS counted; CREATE TABLE counted "
                "(id int PRIMARY KEY, name text); INSERT INTO counted SELECT i, repeat('x', 100) FROM "
                "generate_series(1, 10) i");
    servers_settle();
    servers_ok(shopdata_config_set(config, "policy.shelf.ttl", "1m", NULL), NULL);
    client = servers_open_with(config); /* while the primary is not known yet nothing is cached */
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
}

static void finish(void)
{
    shopdata_session_free(session);
    shopdata_close(client);
}

static void read_times(const char *policy, const char *sql, int times)
{
    shopdata_error *error = NULL;
    shopdata_statement *statement = NULL;
    servers_ok(shopdata_statement_new(client, policy, sql, &statement, &error), error);
    for (int i = 0; i < times; i++) {
        shopdata_result *result = NULL;
        servers_ok(shopdata_query(session, statement, NULL, 0, &result, &error), error);
        shopdata_result_free(result);
    }
    shopdata_statement_free(statement);
}

static double metric(const char *name, const char *labels)
{
    return servers_metric(client, name, labels);
}

START_TEST(each_policy_has_its_own_hit_ratio)
{
    begin(caches[_i]);
    read_times(NULL, "SELECT name FROM counted WHERE id = 1", 3);
    read_times("shelf", "SELECT id, name FROM counted", 5);
    ck_assert_double_eq(metric("shopdata_cache_hits_total", "policy=\"default\""), 2);
    ck_assert_double_eq(metric("shopdata_cache_hits_total", "policy=\"shelf\""), 4);
    ck_assert_double_eq(metric("shopdata_cache_misses_total", "policy=\"shelf\",reason=\"absent\""), 1);
    ck_assert_double_eq(metric("shopdata_cache_misses_total", NULL), 2);
    ck_assert_double_eq(metric("shopdata_cache_fills_total", "policy=\"default\""), 1);
    ck_assert_double_eq(metric("shopdata_cache_fills_total", "policy=\"shelf\""), 1);
    finish();
}
END_TEST

START_TEST(rows_and_bytes_are_counted_where_they_came_from)
{
    begin(caches[_i]);
    read_times("shelf", "SELECT id, name FROM counted", 4);
    double replica = metric("shopdata_result_bytes_total", "source=\"replica\"");
    double primary = metric("shopdata_result_bytes_total", "source=\"primary\"");
    double cache = metric("shopdata_result_bytes_total", "source=\"cache\"");
    ck_assert_double_eq(metric("shopdata_result_rows_total", "source=\"cache\""), 30);
    ck_assert_double_eq(metric("shopdata_result_rows_total", NULL), 40);
    ck_assert_double_gt(replica + primary, 1000);
    ck_assert_double_eq(cache, 3 * (replica + primary));
    ck_assert_double_eq(metric("shopdata_cache_entry_bytes_count", NULL), 1);
    double entry = metric("shopdata_cache_entry_bytes_sum", NULL);
    ck_assert_double_ge(metric("shopdata_cache_read_bytes_total", NULL), 3 * entry);
    ck_assert_double_ge(metric("shopdata_cache_written_bytes_total", NULL), entry);
    finish();
}
END_TEST

START_TEST(the_pool_tells_its_size)
{
    begin("none");
    read_times(NULL, "SELECT 1", 1);
    ck_assert_double_gt(metric("shopdata_pool_size_connections", "node=\"replica1\""), 0);
    ck_assert_double_eq(metric("shopdata_pool_waiting_callers", NULL), 0);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_loop_test(cases, each_policy_has_its_own_hit_ratio, 0, 2);
    tcase_add_loop_test(cases, rows_and_bytes_are_counted_where_they_came_from, 0, 2);
    tcase_add_test(cases, the_pool_tells_its_size);
}

UNIT_MAIN("integration/metrics", fill, 60)
