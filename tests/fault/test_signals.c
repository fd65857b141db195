/* test_signals.c - a signal every millisecond in the calling thread, whose handler does not ask for system calls to be
 * taken up again (no SA_RESTART): no call fails for it, and all of them answer what they answer without. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static const char *const caches[] = {"redis", "memcached"};
enum { CACHES = 2, ROUNDS = 12, CALLS = 20 };

static volatile sig_atomic_t signals;
static timer_t timer;
static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *slow, *set_price;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void start_signals(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    struct itimerspec often = {.it_interval = {.tv_nsec = 1000000}, .it_value = {.tv_nsec = 1000000}};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    signals = 0;
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    ck_assert_int_eq(timer_settime(timer, 0, &often, NULL), 0);
}

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL); INSERT INTO item SELECT i, i FROM generate_series(1, 20) i");
}

static void begin(const char *cache)
{
    shopdata_error *error = NULL;
    shopdata_config *config = servers_config(cache);
    servers_ok(shopdata_open(config, &client, &error), error);
    shopdata_config_free(config);
    servers_ok(shopdata_ready(client, 10000, &error), error);
    servers_ok(shopdata_session_new(client, &session, &error), error);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    slow = servers_statement(client, "SELECT id, price, pg_sleep(0.01) FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1 RETURNING id, price");
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(slow);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_close(client);
}

static void check_row(const shopdata_result *result, int64_t id, int64_t price)
{
    int64_t found = 0;
    servers_ok(shopdata_result_int64(result, 0, 0, &found, NULL), NULL);
    ck_assert_int_eq(found, id);
    servers_ok(shopdata_result_int64(result, 0, 1, &found, NULL), NULL);
    ck_assert_int_eq(found, price);
}

static void check_read(shopdata_statement *statement, int64_t id, int64_t price)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(session, statement, &param, 1, &result, &error), error);
    check_row(result, id, price);
    shopdata_result_free(result);
}

static void check_reads(int64_t price)
{
    shopdata_error *error = NULL;
    shopdata_param ids[CALLS];
    shopdata_call calls[CALLS];
    shopdata_result *results[CALLS];
    for (int64_t i = 0; i < CALLS; i++) {
        ids[i] = shopdata_int64(i + 1);
        calls[i] = (shopdata_call){i % 5 ? by_id : slow, &ids[i], 1, 0};
    }
    servers_ok(shopdata_query_many(session, calls, CALLS, results, &error), error);
    for (int64_t i = 0; i < CALLS; i++) {
        check_row(results[i], i + 1, i ? i + 1 : price);
        shopdata_result_free(results[i]);
    }
}

static void check_write(int64_t price)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param params[] = {shopdata_int64(1), shopdata_int64(price)};
    servers_ok(shopdata_execute(session, set_price, params, 2, &result, &error), error);
    check_row(result, 1, price);
    shopdata_result_free(result);
}

static void check_transaction(int64_t price)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_begin(session, SHOPDATA_REPEATABLE_READ, &error), error);
    check_write(price);
    servers_ok(shopdata_savepoint(session, "here", &error), error);
    check_write(price + 1);
    servers_ok(shopdata_rollback_to(session, "here", &error), error);
    check_read(slow, 1, price);
    servers_ok(shopdata_commit(session, &error), error);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    check_write(price + 1);
    servers_ok(shopdata_rollback(session, &error), error);
}

static void check_round(int64_t price)
{
    static const char *const tags[] = {"public.item"};
    const char *text;
    shopdata_error *error = NULL;
    servers_ok(shopdata_statement_explain(slow, &text, &error), error);
    servers_ok(shopdata_invalidate(client, tags, 1, &error), error);
    check_write(price);
    check_read(slow, 1, price);
    check_read(by_id, 1, price);
    check_read(by_id, 1, price);
    check_reads(price);
    check_transaction(price + 10);
    check_read(by_id, 1, price + 10);
}

START_TEST(signals_disturb_no_call)
{
    make_table();
    start_signals();
    for (int64_t round = 1; round <= ROUNDS; round++) {
        begin(caches[_i]);
        check_round(round * 100);
        finish();
    }
    timer_delete(timer);
    ck_assert_int_gt(signals, 100);
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    servers_required_memcached();
    tcase_add_loop_test(cases, signals_disturb_no_call, 0, CACHES);
}

UNIT_MAIN("fault/signals", fill, 120)
