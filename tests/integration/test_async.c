/* test_async.c - ops on real servers: they answer as the calls do that wait, however many there are; a cancelled one
 * ends its statement on the server and hurts nobody else; the session goes on where its op ended. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

enum { LONG_MS = 60000, ITEMS = 100 };

static shopdata_client *client;
static shopdata_queue *queue;
static shopdata_session *session;
static shopdata_statement *by_id, *set_price;

/* --------------------------------------------------------------------------------------------------------- helpers */

static void begin_with(shopdata_config *config)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY,"
                " price int NOT NULL); INSERT INTO item SELECT i, i FROM generate_series(1, 100) i");
    servers_settle();
    client = servers_open_with(config);
    servers_ok(shopdata_queue_new(client, &queue, NULL), NULL);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void begin(const char *cache)
{
    begin_with(servers_config(cache));
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_queue_free(queue);
    shopdata_close(client);
}

static shopdata_op *start_price(shopdata_session *who, int64_t id, void *context)
{
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    shopdata_param param = shopdata_int64(id);
    shopdata_call call = {.statement = by_id, .params = &param, .count = 1};
    int status = shopdata_start(who, queue, &call, 1, context, &op, &error);
    ck_assert_msg(status == SHOPDATA_PENDING, "%d: %s", status, shopdata_error_message(error));
    return op;
}

static shopdata_op *start_set(shopdata_session *who, int64_t id, int64_t price)
{
    shopdata_op *op = NULL;
    shopdata_param params[] = {shopdata_int64(id), shopdata_int64(price)};
    ck_assert_int_eq(shopdata_start_execute(who, queue, set_price, params, 2, NULL, &op, NULL), SHOPDATA_PENDING);
    return op;
}

static int64_t number_of(shopdata_result *result)
{
    int64_t number = -1;
    servers_ok(shopdata_result_int64(result, 0, 0, &number, NULL), NULL);
    shopdata_result_free(result);
    return number;
}

static shopdata_result *wait_for(shopdata_op *op)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
    servers_ok(shopdata_op_take(op, &result, &error), error);
    shopdata_op_free(op);
    return result;
}

static shopdata_op *await_ready(void)
{
    struct pollfd polled = {.fd = shopdata_queue_fd(queue), .events = POLLIN};
    shopdata_op *op;
    while (!(op = shopdata_queue_next(queue)))
        ck_assert_int_eq(poll(&polled, 1, LONG_MS), 1);
    return op;
}

/* ----------------------------------------------------------------------------------------------------------- tests */

static const char *const caches[] = {"none", "memory", "redis"};

/* A loop of its own: as many sessions as items, each reads its item, all at once. */
START_TEST(a_loop_reads_as_a_caller_would)
{
    begin(caches[_i]);
    shopdata_session *sessions[ITEMS];
    for (intptr_t i = 0; i < ITEMS; i++) {
        servers_ok(shopdata_session_new(client, &sessions[i], NULL), NULL);
        start_price(sessions[i], i + 1, &sessions[i]);
    }
    for (int i = 0; i < ITEMS; i++) {
        shopdata_op *op = await_ready();
        shopdata_error *error = NULL;
        shopdata_result *result = NULL;
        shopdata_session **mine = shopdata_op_context(op);
        servers_ok(shopdata_op_take(op, &result, &error), error);
        ck_assert_int_eq(number_of(result), mine - sessions + 1);
        shopdata_session_free(*mine);
        shopdata_op_free(op);
    }
    ck_assert_double_eq(servers_metric(client, "shopdata_ops_total", ""), ITEMS);
    ck_assert_double_eq(servers_metric(client, "shopdata_ops_waiting", ""), 0);
    ck_assert_double_eq(servers_metric(client, "shopdata_ops_running", ""), 0);
    finish();
}
END_TEST

START_TEST(a_batch_comes_as_one_and_a_session_sees_what_it_wrote)
{
    begin("redis");
    for (int i = 1; i <= 5; i++) {
        shopdata_result *changed = wait_for(start_set(session, i, 1000 + i));
        ck_assert_uint_eq(shopdata_result_changed(changed), 1);
        shopdata_result_free(changed);
    }
    shopdata_param ids[5];
    shopdata_call calls[5];
    shopdata_result *results[5];
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    for (int i = 0; i < 5; i++) {
        ids[i] = shopdata_int64(i + 1);
        calls[i] = (shopdata_call){.statement = by_id, .params = &ids[i], .count = 1};
    }
    ck_assert_int_eq(shopdata_start(session, queue, calls, 5, NULL, &op, NULL), SHOPDATA_PENDING);
    servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
    servers_ok(shopdata_op_take(op, results, &error), error);
    shopdata_op_free(op);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(number_of(results[i]), 1001 + i);
    finish();
}
END_TEST

START_TEST(a_failure_is_told_as_by_the_call)
{
    begin("redis");
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    shopdata_statement *divides = servers_statement(client, "SELECT price / (id - 7) FROM item WHERE id = $1");
    shopdata_param ids[] = {shopdata_int64(8), shopdata_int64(7)};
    shopdata_call calls[] = {{.statement = divides, .params = &ids[0], .count = 1},
                             {.statement = divides, .params = &ids[1], .count = 1}};
    shopdata_result *results[2] = {NULL, NULL};
    double errors = servers_metric(client, "shopdata_errors_total", "kind=\"sql\"");
    ck_assert_int_eq(shopdata_start(session, queue, calls, 2, NULL, &op, NULL), SHOPDATA_PENDING);
    ck_assert_ptr_eq(await_ready(), op);
    ck_assert_int_eq(shopdata_op_take(op, results, &error), SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_sqlstate(error), "22012");
    ck_assert_int_eq(strncmp(shopdata_error_message(error), "call 1: ", 8), 0);
    ck_assert_ptr_null(results[0]);
    shopdata_error_free(error);
    ck_assert_double_eq(servers_metric(client, "shopdata_errors_total", "kind=\"sql\""), errors + 1);
    shopdata_op_free(op);
    shopdata_statement_free(divides);
    finish();
}
END_TEST

/* Freed or cancelled, as _i says: the statement ends on the server, and others run on. */
START_TEST(a_cancelled_op_ends_its_statement)
{
    begin("redis");
    shopdata_session *other = NULL;
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    servers_ok(shopdata_session_set_deadline(other, LONG_MS, NULL), NULL);
    servers_ok(shopdata_session_set_flags(other, SHOPDATA_PRIMARY, NULL), NULL);
    shopdata_statement *sleeps = servers_statement(client, "SELECT pg_sleep(300) /* async */");
    shopdata_call call = {.statement = sleeps};
    ck_assert_int_eq(shopdata_start(other, queue, &call, 1, NULL, &op, NULL), SHOPDATA_PENDING);
    servers_await_value(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(300) /* async"
        " */%' AND pid <> pg_backend_pid()",
        "1");
    ck_assert_int_eq(number_of(wait_for(start_price(session, 3, NULL))), 3);
    if (_i) {
        servers_ok(shopdata_op_cancel(op, NULL), NULL);
        ck_assert_ptr_eq(await_ready(), op);
        ck_assert_int_eq(shopdata_op_take(op, NULL, &error), SHOPDATA_ERR_INTERRUPTED);
        ck_assert_str_eq(shopdata_error_message(error), "the op was cancelled by shopdata_op_cancel");
        shopdata_error_free(error);
        servers_ok(shopdata_session_set_flags(other, 0, NULL), NULL);
        ck_assert_int_eq(number_of(wait_for(start_price(other, 4, NULL))), 4);
    }
    shopdata_op_free(op);
    servers_await_value(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(300) /* async"
        " */%' AND pid <> pg_backend_pid()",
        "0");
    ck_assert_int_eq(number_of(wait_for(start_price(session, 5, NULL))), 5);
    shopdata_statement_free(sleeps);
    shopdata_session_free(other);
    finish();
}
END_TEST

START_TEST(a_transaction_takes_its_ops_in)
{
    begin("redis");
    shopdata_session *other = NULL;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    servers_ok(shopdata_begin(session, 0, NULL), NULL);
    shopdata_result_free(wait_for(start_set(session, 9, 900)));
    ck_assert_int_eq(number_of(wait_for(start_price(session, 9, NULL))), 900);
    ck_assert_int_eq(number_of(wait_for(start_price(other, 9, NULL))), 9);
    servers_ok(shopdata_commit(session, NULL), NULL);
    ck_assert_int_eq(number_of(wait_for(start_price(other, 9, NULL))), 900);
    shopdata_session_free(other);
    finish();
}
END_TEST

static void do_step(shopdata_session *who, int step, const char *name)
{
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    int status = shopdata_start_step(who, queue, step, 0, name, NULL, &op, &error);
    ck_assert_msg(status == SHOPDATA_PENDING, "%d: %s", status, shopdata_error_message(error));
    servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
    servers_ok(shopdata_op_take(op, NULL, &error), error);
    shopdata_op_free(op);
}

START_TEST(a_transaction_goes_step_by_step)
{
    begin("redis");
    do_step(session, SHOPDATA_STEP_BEGIN, NULL);
    shopdata_result_free(wait_for(start_set(session, 20, 2000)));
    do_step(session, SHOPDATA_STEP_SAVEPOINT, "here");
    shopdata_result_free(wait_for(start_set(session, 20, 2001)));
    do_step(session, SHOPDATA_STEP_ROLLBACK_TO, "here");
    do_step(session, SHOPDATA_STEP_RELEASE, "here");
    do_step(session, SHOPDATA_STEP_COMMIT, NULL);
    do_step(session, SHOPDATA_STEP_BEGIN, NULL);
    shopdata_result_free(wait_for(start_set(session, 21, 2100)));
    do_step(session, SHOPDATA_STEP_ROLLBACK, NULL);
    ck_assert_int_eq(number_of(wait_for(start_price(session, 20, NULL))), 2000);
    ck_assert_int_eq(number_of(wait_for(start_price(session, 21, NULL))), 21);
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    ck_assert_int_eq(shopdata_start_step(session, queue, 7, 0, NULL, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start_step(session, queue, SHOPDATA_STEP_RELEASE, 0, NULL, NULL, &op, NULL),
                     SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start_step(session, queue, SHOPDATA_STEP_COMMIT, 0, NULL, NULL, &op, NULL),
                     SHOPDATA_PENDING);
    servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
    ck_assert_int_eq(shopdata_op_take(op, NULL, &error), SHOPDATA_ERR_TRANSACTION);
    shopdata_error_free(error);
    shopdata_op_free(op);
    finish();
}
END_TEST

/* The only worker waits for a row that the transaction has changed. */
START_TEST(a_transaction_does_not_wait_for_those_who_wait_for_it)
{
    shopdata_config *config = servers_config("redis");
    servers_ok(shopdata_config_set(config, "async.threads", "1", NULL), NULL);
    servers_ok(shopdata_config_set(config, "shopdata.deadline", "60s", NULL), NULL);
    begin_with(config);
    shopdata_session *other = NULL;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    do_step(session, SHOPDATA_STEP_BEGIN, NULL);
    shopdata_result_free(wait_for(start_set(session, 30, 3000)));
    shopdata_op *waits = start_set(other, 30, 3001);
    servers_await_value(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE item%'", "1");
    shopdata_result_free(wait_for(start_set(session, 31, 3100)));
    do_step(session, SHOPDATA_STEP_COMMIT, NULL);
    shopdata_result_free(wait_for(waits));
    ck_assert_int_eq(number_of(wait_for(start_price(other, 30, NULL))), 3001);
    shopdata_session_free(other);
    finish();
}
END_TEST

/* The session's op is running when it is freed: what it holds goes back when that is over. */
START_TEST(a_transaction_whose_session_is_freed_meanwhile_is_rolled_back)
{
    begin("none");
    servers_ok(shopdata_begin(session, 0, NULL), NULL);
    shopdata_op *op = start_set(session, 10, 555);
    shopdata_session_free(session);
    session = NULL;
    shopdata_result_free(wait_for(op));
    servers_await_value("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'", "0");
    servers_await_value("SELECT price FROM item WHERE id = 10", "10");
    for (int i = 0; i < 500 && servers_metric(client, "shopdata_transactions_abandoned_total", "") < 1; i++)
        usleep(10000);
    ck_assert_double_eq(servers_metric(client, "shopdata_transactions_abandoned_total", ""), 1);
    finish();
}
END_TEST

/* Kept in this process: no worker is needed, and none of what was written is missed. */
START_TEST(what_is_kept_here_is_there_at_once)
{
    shopdata_config *config = servers_config("redis");
    servers_ok(shopdata_config_set(config, "local.coherence", "10s", NULL), NULL);
    begin_with(config);
    shopdata_op *op = NULL;
    shopdata_result *results[2] = {NULL, NULL};
    shopdata_param ids[] = {shopdata_int64(50), shopdata_int64(51)};
    shopdata_call calls[] = {{.statement = by_id, .params = &ids[0], .count = 1},
                             {.statement = by_id, .params = &ids[1], .count = 1}};
    int status = SHOPDATA_PENDING;
    for (int i = 0; i < 3000 && status == SHOPDATA_PENDING; i++) {
        usleep(i ? 10000 : 0);
        status = shopdata_start(session, queue, calls, 2, NULL, &op, NULL);
        servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
        servers_ok(shopdata_op_take(op, results, NULL), NULL);
        ck_assert(status == SHOPDATA_PENDING || shopdata_result_source(results[1]) == SHOPDATA_FROM_LOCAL);
        ck_assert_int_eq(number_of(results[0]), 50);
        ck_assert_int_eq(number_of(results[1]), 51);
        shopdata_op_free(op);
    }
    ck_assert_int_eq(status, SHOPDATA_OK);
    ck_assert_ptr_null(shopdata_queue_next(queue));
    shopdata_result_free(wait_for(start_set(session, 51, 5100)));
    ck_assert_int_eq(shopdata_start(session, queue, calls, 2, NULL, &op, NULL), SHOPDATA_PENDING);
    servers_ok(shopdata_op_wait(op, LONG_MS, NULL), NULL);
    servers_ok(shopdata_op_take(op, results, NULL), NULL);
    ck_assert_int_eq(number_of(results[0]), 50);
    ck_assert_int_eq(number_of(results[1]), 5100);
    shopdata_op_free(op);
    finish();
}
END_TEST

/* Log lines come in the application's threads only, also those of what a worker did. */
static pthread_t logged_in;
static int lines;

static void note(void *context, int level, const char *line)
{
    (void)context, (void)level;
    logged_in = pthread_self();
    lines += strstr(line, "slow") != NULL;
}

START_TEST(log_lines_come_in_the_callers_thread)
{
    shopdata_config *config = servers_config("none");
    servers_ok(shopdata_config_set(config, "shopdata.slow_query", "1ms", NULL), NULL);
    servers_ok(shopdata_config_set_log(config, note, NULL, NULL), NULL);
    begin_with(config);
    shopdata_op *op = NULL;
    shopdata_statement *sleeps = servers_statement(client, "SELECT pg_sleep(0.01)");
    shopdata_call call = {.statement = sleeps};
    ck_assert_int_eq(shopdata_start(session, queue, &call, 1, NULL, &op, NULL), SHOPDATA_PENDING);
    shopdata_result_free(wait_for(op));
    ck_assert_int_eq(lines, 1);
    ck_assert(pthread_equal(logged_in, pthread_self()));
    shopdata_statement_free(sleeps);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, a_loop_reads_as_a_caller_would, 0, 3);
    tcase_add_test(cases, a_batch_comes_as_one_and_a_session_sees_what_it_wrote);
    tcase_add_test(cases, a_failure_is_told_as_by_the_call);
    tcase_add_loop_test(cases, a_cancelled_op_ends_its_statement, 0, 2);
    tcase_add_test(cases, a_transaction_takes_its_ops_in);
    tcase_add_test(cases, a_transaction_goes_step_by_step);
    tcase_add_test(cases, a_transaction_does_not_wait_for_those_who_wait_for_it);
    tcase_add_test(cases, a_transaction_whose_session_is_freed_meanwhile_is_rolled_back);
    tcase_add_test(cases, what_is_kept_here_is_there_at_once);
    tcase_add_test(cases, log_lines_come_in_the_callers_thread);
}

int main(void)
{
    servers_required();
    return unit_run("async", 120, (unit_fill *const[]){fill}, 1);
}
