/* test_log.c - what goes wrong is told: in a thread of the caller, and in no other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static shopdata_client *client;
static shopdata_session *session;

/* What the function was called with. It is called by one thread at a time, but not always the same. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[200000];
static size_t length, count;
static pthread_t caller;
static atomic_int strangers; /* calls in a thread that is not ours, or in none of our calls */
static _Thread_local int in_call;

static void keep(void *context, int level, const char *line)
{
    (void)level;
    if (context != &lines || !in_call || (caller && !pthread_equal(caller, pthread_self())))
        atomic_fetch_add(&strangers, 1);
    pthread_mutex_lock(&lock);
    int put = snprintf(lines + length, sizeof lines - length, "%s\n", line);
    length += put > 0 && (size_t)put < sizeof lines - length ? (size_t)put : 0;
    count++;
    pthread_mutex_unlock(&lock);
}

static void open_with(const char *cache, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    shopdata_config *config = servers_config(cache);
    length = count = 0;
    lines[0] = '\0';
    strangers = 0;
    in_call = 1;
    caller = pthread_self();
    servers_ok(shopdata_config_set(config, "shopdata.log_level", "debug", NULL), NULL);
    if (key)
        servers_ok(shopdata_config_set(config, key, value, &error), error);
    servers_ok(shopdata_config_set_log(config, keep, &lines, NULL), NULL);
    servers_ok(shopdata_open(config, &client, NULL), NULL);
    shopdata_config_free(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
}

static void finish(void)
{
    shopdata_session_free(session);
    shopdata_close(client);
    ck_assert_int_eq(strangers, 0);
}

/* Waits for a line with all that: flushing is a call like any other. */
static void wait_for_line(const char *event, const char *more)
{
    for (int i = 0; i < 1500; i++) {
        servers_ok(shopdata_log_flush(client, NULL), NULL);
        for (const char *line = lines; *line; line = strchr(line, '\n') + 1) {
            const char *found = strstr(line, event), *end = strchr(line, '\n');
            const char *rest = found && found < end ? strstr(found, more) : NULL;
            if (rest && rest < end)
                return;
        }
        usleep(10000);
    }
    ck_abort_msg("no line of %s with %s among:\n%s", event, more, lines);
}

static int run(const char *sql, const shopdata_param *params, size_t params_count)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *statement = servers_statement(client, sql);
    int status = strncmp(sql, "SELECT", 6) ? shopdata_execute(session, statement, params, params_count, NULL, &error)
                                           : shopdata_query(session, statement, params, params_count, &result, &error);
    shopdata_result_free(result);
    shopdata_error_free(error);
    shopdata_statement_free(statement);
    return status;
}

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS told; CREATE TABLE told "
                "(id int PRIMARY KEY, name text); INSERT INTO told VALUES (1, 'one')");
    servers_settle();
}

START_TEST(a_node_that_dies_is_told_and_one_that_comes_back)
{
    open_with("none", NULL, NULL);
    wait_for_line("event=node_found", "node=primary role=primary timeline=1");
    wait_for_line("event=node_found", "node=replica1 role=replica");
    servers_do("stop replica1");
    wait_for_line("event=node_lost", "node=replica1 role=replica reason=");
    wait_for_line("event=node_breaker_opened", "node=replica1 reason=");
    servers_do("start replica1");
    wait_for_line("event=node_breaker_closed", "node=replica1");
    finish();
}
END_TEST

START_TEST(a_cache_that_dies_is_told_and_when_it_is_back)
{
    shopdata_param id = shopdata_int64(1);
    make_table();
    open_with("redis", NULL, NULL);
    ck_assert_int_eq(run("SELECT name FROM told WHERE id = $1", &id, 1), SHOPDATA_OK);
    servers_do("stop redis");
    ck_assert_int_eq(run("UPDATE told SET name = 'two' WHERE id = $1", &id, 1), SHOPDATA_UNFENCED);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(run("SELECT name FROM told WHERE id = $1", &id, 1), SHOPDATA_OK);
    wait_for_line("event=cache_failed", "kind=");
    wait_for_line("event=write_unfenced", "tags=2");
    wait_for_line("event=cache_breaker_opened", "");
    servers_do("start redis");
    wait_for_line("event=cache_breaker_closed", "");
    wait_for_line("event=unfenced_told", "");
    finish();
}
END_TEST

START_TEST(a_slow_statement_is_told_without_its_parameters)
{
    shopdata_param params[] = {shopdata_text("hunter2"), shopdata_double(0.06)};
    make_table();
    open_with("redis", "shopdata.slow_query", "50ms");
    ck_assert_int_eq(run("SELECT name FROM told WHERE id = 1", NULL, 0), SHOPDATA_OK);
    ck_assert_int_eq(run("SELECT $1::text,\n    pg_sleep($2)", params, 2), SHOPDATA_OK);
    wait_for_line("event=query_slow", "kind=read ms=");
    wait_for_line("event=query_slow", "policy=default rows=1 statement=\"SELECT $1::text, pg_sleep($2)\"");
    ck_assert_int_eq(run("UPDATE told SET name = $1 FROM pg_sleep($2) WHERE id = 1", params, 2), SHOPDATA_OK);
    wait_for_line("kind=write", "status=ok source=primary node=primary policy=default rows=1");
    servers_ok(shopdata_session_set_deadline(session, 60, NULL), NULL);
    params[1] = shopdata_double(5);
    ck_assert_int_eq(run("SELECT $1::text, pg_sleep($2)", params, 2), SHOPDATA_ERR_TIMEOUT);
    wait_for_line("event=query_slow", "status=timeout source=none node=\"\"");
    ck_assert_ptr_null(strstr(lines, "hunter2"));
    ck_assert_double_ge(servers_metric(client, "shopdata_slow_queries_total", NULL), 3);
    finish();
}
END_TEST

START_TEST(a_connection_string_stays_secret)
{
    open_with("none", "node.gone.conninfo", "host=127.0.0.1 port=1 user=shop password=hunter2 dbname=shop");
    wait_for_line("event=node_breaker_opened", "node=gone reason=");
    finish();
    ck_assert_ptr_null(strstr(lines, "hunter2"));
    open_with("none", "node.gone.conninfo", "password = hunter2 oops");
    wait_for_line("event=node_breaker_opened", "malformed");
    finish();
    ck_assert_ptr_null(strstr(lines, "hunter2"));
    ck_assert_ptr_null(strstr(lines, "oops"));
}
END_TEST

START_TEST(a_node_of_another_database_is_told)
{
    char conninfo[500];
    snprintf(conninfo, sizeof conninfo, "%s dbname=postgres", getenv("SHOPDATA_PRIMARY"));
    open_with("none", "node.other.conninfo", conninfo);
    wait_for_line("event=node_foreign", "another database");
    finish();
}
END_TEST

START_TEST(an_abandoned_transaction_and_a_new_schema_are_told)
{
    make_table();
    open_with("redis", NULL, NULL);
    ck_assert_int_eq(run("ALTER TABLE told ADD COLUMN price int", NULL, 0), SHOPDATA_OK);
    wait_for_line("event=schema_changed", "");
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, NULL), NULL);
    shopdata_session_free(session);
    ck_assert_ptr_nonnull(strstr(lines, "event=transaction_abandoned node=primary")); /* in that very call */
    session = NULL;
    finish();
}
END_TEST

START_TEST(nothing_comes_while_nobody_calls)
{
    open_with("none", NULL, NULL);
    in_call = 0;
    servers_do("stop replica2");
    servers_do("start replica2");
    usleep(300000);
    ck_assert_uint_eq(count, 0);
    in_call = 1;
    wait_for_line("event=node_found", "node=primary");
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ many threads
 */

enum { THREADS = 8, CALLS = 40 };

static void keep_and_call(void *context, int level, const char *line)
{
    shopdata_metrics *metrics = NULL;
    keep(context, level, line);
    ck_assert_int_eq(shopdata_metrics_take(client, &metrics, NULL), SHOPDATA_OK); /* it may call the library */
    shopdata_metrics_free(metrics);
}

static void *call_often(void *argument)
{
    shopdata_statement *slow = argument;
    shopdata_session *mine;
    in_call = 1;
    ck_assert_int_eq(shopdata_session_new(client, &mine, NULL), SHOPDATA_OK);
    for (int i = 0; i < CALLS; i++) {
        shopdata_result *result = NULL;
        ck_assert_int_eq(shopdata_query(mine, slow, NULL, 0, &result, NULL), SHOPDATA_OK);
        shopdata_result_free(result);
    }
    shopdata_session_free(mine);
    return NULL;
}

START_TEST(many_threads_tell_at_once)
{
    pthread_t threads[THREADS];
    shopdata_config *config = servers_config("redis");
    length = count = 0;
    strangers = 0;
    in_call = 1;
    caller = 0;
    servers_ok(shopdata_config_set(config, "shopdata.slow_query", "1ms", NULL), NULL);
    servers_ok(shopdata_config_set(config, "shopdata.log_rate", "1000", NULL), NULL);
    servers_ok(shopdata_config_set_log(config, keep_and_call, &lines, NULL), NULL);
    servers_ok(shopdata_open(config, &client, NULL), NULL);
    shopdata_config_free(config);
    shopdata_statement *slow = servers_statement(client, "SELECT pg_sleep(0.002)");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, slow), 0);
    for (int i = 0; i < 5; i++) {
        servers_do("stop redis");
        servers_do("start redis");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    servers_ok(shopdata_log_flush(client, NULL), NULL);
    ck_assert_double_eq(servers_metric(client, "shopdata_slow_queries_total", NULL), THREADS * CALLS);
    double told = servers_metric(client, "shopdata_log_lines_total", NULL);
    shopdata_statement_free(slow);
    shopdata_close(client);
    ck_assert_uint_ge(count, (size_t)told);
    ck_assert_double_ge(told, THREADS * CALLS);
    ck_assert_int_eq(strangers, 0);
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_unchecked_fixture(cases, servers_heal, NULL);
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, a_node_that_dies_is_told_and_one_that_comes_back);
    tcase_add_test(cases, a_cache_that_dies_is_told_and_when_it_is_back);
    tcase_add_test(cases, a_slow_statement_is_told_without_its_parameters);
    tcase_add_test(cases, a_connection_string_stays_secret);
    tcase_add_test(cases, a_node_of_another_database_is_told);
    tcase_add_test(cases, an_abandoned_transaction_and_a_new_schema_are_told);
    tcase_add_test(cases, nothing_comes_while_nobody_calls);
    tcase_add_test(cases, many_threads_tell_at_once);
}

UNIT_MAIN("integration/log", fill, 120)
