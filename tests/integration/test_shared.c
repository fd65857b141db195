/* test_shared.c - what the reads of a node share, and what it is asked beside them. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "client/core.h"
#include "client/statement.h"

enum { ITEMS = 100, PRIMARY = 0, REPLICA = 1 };

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *whole, *divide, *nap;

/* Who reads through a gate waits until it is opened, however long that may be: what happens meanwhile is no race. */
enum { GATES = 2 };

typedef struct gate {
    shopdata_statement *through;
    PGconn *keeper; /* holds it shut, or NULL */
} gate;

static gate gates[GATES];

/* --------------------------------------------------------------------------------------------------------- helpers */

static void make_tables(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item, gate0, gate1; "
                "CREATE TABLE item (id int PRIMARY KEY, price int NOT NULL); "
                "INSERT INTO item SELECT i, i * 10 FROM generate_series(1, 100) i; "
                "CREATE TABLE gate0 AS SELECT true AS passed; CREATE TABLE gate1 AS SELECT true AS passed");
    servers_settle();
}

/* Nobody else asks the nodes meanwhile: their watchers sleep. One lane, so that who comes while it is held gathers. */
static void begin_with(const char *key, const char *value)
{
    shopdata_config *config = servers_config("none");
    make_tables();
    servers_ok(shopdata_config_set(config, "route.poll_interval", "1m", NULL), NULL);
    servers_ok(shopdata_config_set(config, "route.catalog_interval", "0ms", NULL), NULL);
    servers_ok(shopdata_config_set(config, "pool.shared", "1", NULL), NULL);
    servers_ok(shopdata_config_set(config, key, value, NULL), NULL);
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    whole = servers_statement(client, "SELECT * FROM item WHERE id = $1");
    divide = servers_statement(client, "SELECT id, price / $2 FROM item WHERE id = $1");
    nap = servers_statement(client, "SELECT id, price FROM item, pg_sleep($2) WHERE id = $1");
    gates[0].through = servers_statement(client, "SELECT id, price FROM item, gate0 WHERE id = $1");
    gates[1].through = servers_statement(client, "SELECT id, price FROM item, gate1 WHERE id = $1");
}

static void begin(void)
{
    begin_with("pool.shared", "1");
}

static void shut_gate(size_t number)
{
    char sql[64];
    snprintf(sql, sizeof sql, "BEGIN; LOCK TABLE gate%zu", number);
    gates[number].keeper = PQconnectdb(getenv("SHOPDATA_PRIMARY"));
    PGresult *result = PQexec(gates[number].keeper, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(gates[number].keeper));
    PQclear(result);
}

static void open_gate(size_t number)
{
    PQfinish(gates[number].keeper);
    gates[number].keeper = NULL;
}

static void await_at_gate(size_t number)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'gate%zu' AND "
             "NOT l.granted",
             number);
    servers_await_value(sql, "1");
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(whole);
    shopdata_statement_free(divide);
    shopdata_statement_free(nap);
    for (size_t i = 0; i < GATES; i++) {
        shopdata_statement_free(gates[i].through);
        open_gate(i);
    }
    shopdata_session_free(session);
    shopdata_close(client);
}

static void check_price(const shopdata_result *result, int id)
{
    int64_t price = 0;
    servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    ck_assert_int_eq(price, id * 10);
}

static int source_of(int id)
{
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(session, by_id, &param, 1, &result, &error), error);
    check_price(result, id);
    int source = shopdata_result_source(result);
    shopdata_result_free(result);
    return source;
}

/* ----------------------------------------------------------------------------------------------------------- roles */

static void believe(size_t node, bool standby)
{
    sdi_moment moment = {.standby = standby, .replay_age_seconds = 0};
    moment.era = sdi_router_era(client->core->router, node);
    moment.flush = moment.insert = 1;
    moment.replay = moment.received = (sdi_lsn)1 << 50; /* it will do for any read */
    ck_assert(sdi_router_observe(client->core->router, node, &moment));
}

/* The question for a role is an error, or tells nothing, where the role is another one by now. */
START_TEST(a_node_whose_role_has_changed_tells_so_and_answers)
{
    begin();
    believe(PRIMARY, true);
    for (int id = 1; id <= ITEMS; id++) {
        int source = source_of(id);
        ck_assert(source == SHOPDATA_FROM_REPLICA || source == SHOPDATA_FROM_PRIMARY);
    }
    servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, NULL), NULL);
    ck_assert_int_eq(source_of(1), SHOPDATA_FROM_PRIMARY);
    believe(REPLICA, false);
    for (int id = 1; id <= ITEMS; id++)
        ck_assert_int_eq(source_of(id), SHOPDATA_FROM_PRIMARY);
    finish();
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- calls */

/* One caller: a thread with a session of its own, on the primary, so that all meet on one node. */
typedef struct caller {
    shopdata_statement *statement;
    shopdata_param params[2];
    size_t count;
    int64_t deadline_ms;
    int status;
    shopdata_result *result;
    shopdata_error *error;
    pthread_t thread;
} caller;

enum { CALLERS = 20, PATIENT_MS = 20000, HASTY_MS = 2000 };

static caller callers[CALLERS];
static double batches_before, reads_before, mended_before, failures_before;

static void *call(void *argument)
{
    caller *c = argument;
    shopdata_session *own;
    servers_ok(shopdata_session_new(client, &own, NULL), NULL);
    servers_ok(shopdata_session_set_flags(own, SHOPDATA_PRIMARY, NULL), NULL);
    servers_ok(shopdata_session_set_deadline(own, c->deadline_ms, NULL), NULL);
    c->status = shopdata_query(own, c->statement, c->params, c->count, &c->result, &c->error);
    shopdata_session_free(own);
    return NULL;
}

static void set_caller(size_t n, shopdata_statement *statement, int id, int64_t deadline_ms)
{
    callers[n] =
        (caller){.statement = statement, .params = {shopdata_int64(id)}, .count = 1, .deadline_ms = deadline_ms};
}

static void set_second(size_t n, shopdata_param param)
{
    callers[n].params[1] = param;
    callers[n].count = 2;
}

static void start(size_t n)
{
    ck_assert_int_eq(pthread_create(&callers[n].thread, NULL, call, &callers[n]), 0);
}

static void join(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        pthread_join(callers[i].thread, NULL);
}

static void forget(size_t n)
{
    shopdata_result_free(callers[n].result);
    shopdata_error_free(callers[n].error);
    callers[n].result = NULL;
    callers[n].error = NULL;
}

static void check_answered(size_t n, int id)
{
    ck_assert_msg(callers[n].status == SHOPDATA_OK, "caller %zu: %s", n, shopdata_error_message(callers[n].error));
    check_price(callers[n].result, id);
    forget(n);
}

static double primarys(const char *metric)
{
    return servers_metric(client, metric, "node=\"primary\"");
}

/* They come one after another, and wait behind who holds the lane. */
static void gather(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        start(i);
        for (int tries = 0; tries < 2000 && primarys("shopdata_pool_waiting_callers") <= (double)(i - from); tries++)
            usleep(5000);
        ck_assert_double_eq(primarys("shopdata_pool_waiting_callers"), (double)(i - from + 1));
    }
}

static void count_from_here(void)
{
    batches_before = primarys("shopdata_shared_batches_total");
    reads_before = primarys("shopdata_shared_reads_total");
    failures_before = primarys("shopdata_node_failures_total");
    mended_before = servers_metric(client, "shopdata_statements_mended_total", NULL);
}

static void check_shared(int reads, int batches)
{
    ck_assert_double_eq(primarys("shopdata_shared_reads_total") - reads_before, reads);
    ck_assert_double_eq(primarys("shopdata_shared_batches_total") - batches_before, batches);
}

/* Runs a statement once, so that it has been measured; on a busy machine too slow, maybe. */
static void make_quick(shopdata_statement *statement, shopdata_param second)
{
    set_caller(0, statement, 1, PATIENT_MS);
    callers[0].params[1] = second;
    callers[0].count = shopdata_statement_parameters(statement);
    start(0);
    join(0, 1);
    check_answered(0, 1);
    sdi_planned *planned = atomic_load(&statement->planned);
    ck_assert_int_gt(atomic_load(&planned->speed.usual), 0);
    atomic_store(&planned->speed.usual, 100);
}

static void make_all_quick(void)
{
    make_quick(by_id, shopdata_null());
    make_quick(whole, shopdata_null());
    make_quick(divide, shopdata_int64(1));
    for (size_t i = 0; i < GATES; i++)
        make_quick(gates[i].through, shopdata_null());
    count_from_here();
}

/* Whoever comes until the first gate is opened gathers behind this caller. */
static void hold_lane(size_t n, int64_t deadline_ms)
{
    shut_gate(0);
    set_caller(n, gates[0].through, 1, deadline_ms);
    start(n);
    await_at_gate(0);
}

/* --------------------------------------------------------------------------------------------------------- sharing */

START_TEST(what_gathers_is_one_batch)
{
    begin();
    make_all_quick();
    hold_lane(0, PATIENT_MS);
    for (size_t i = 1; i < CALLERS; i++)
        set_caller(i, i % 2 ? by_id : whole, (int)i, PATIENT_MS);
    gather(1, CALLERS);
    open_gate(0);
    join(0, CALLERS);
    check_answered(0, 1);
    for (size_t i = 1; i < CALLERS; i++)
        check_answered(i, (int)i);
    check_shared(CALLERS, 2);
    finish();
}
END_TEST

START_TEST(an_error_is_its_callers_alone)
{
    begin();
    make_all_quick();
    hold_lane(0, PATIENT_MS);
    for (size_t i = 1; i < 9; i++) {
        set_caller(i, i % 3 == 0 ? divide : by_id, (int)i, PATIENT_MS);
        if (i % 3 == 0)
            set_second(i, shopdata_int64(i == 3 ? 0 : 1));
    }
    gather(1, 9);
    open_gate(0);
    join(0, 9);
    for (size_t i = 0; i < 9; i++) {
        if (i != 3)
            check_answered(i, i ? (int)i : 1);
    }
    ck_assert_int_eq(callers[3].status, SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_sqlstate(callers[3].error), "22012");
    forget(3);
    check_shared(9, 2);
    ck_assert_double_eq(primarys("shopdata_node_failures_total"), failures_before);
    finish();
}
END_TEST

/* The first to come behind the one who holds the lane leads the next batch, and has to go in the middle of it. */
START_TEST(a_deadline_does_not_hurt_the_neighbours)
{
    begin();
    make_all_quick();
    hold_lane(0, PATIENT_MS);
    shut_gate(1);
    set_caller(1, by_id, 2, HASTY_MS);
    set_caller(2, gates[1].through, 3, PATIENT_MS);
    set_caller(3, by_id, 4, HASTY_MS);
    set_caller(4, by_id, 5, PATIENT_MS);
    gather(1, 5);
    open_gate(0);
    join(0, 2);
    join(3, 4);
    open_gate(1);
    join(2, 3);
    join(4, 5);
    ck_assert_int_eq(callers[1].status, SHOPDATA_ERR_TIMEOUT);
    ck_assert_int_eq(callers[3].status, SHOPDATA_ERR_TIMEOUT);
    forget(1);
    forget(3);
    check_answered(0, 1);
    check_answered(2, 3);
    check_answered(4, 5);
    check_shared(5, 2);
    finish();
}
END_TEST

/* A batch that nobody waits for is broken off, and ended on the server by the node's watcher; the next goes on. */
START_TEST(the_lane_goes_on_without_who_left)
{
    begin_with("route.poll_interval", "100ms");
    make_all_quick();
    hold_lane(0, HASTY_MS);
    set_caller(1, by_id, 2, PATIENT_MS);
    start(1);
    join(0, 2);
    ck_assert_int_eq(callers[0].status, SHOPDATA_ERR_TIMEOUT);
    forget(0);
    check_answered(1, 2);
    for (int tries = 0; tries < 100 && servers_metric(client, "shopdata_cancels_total", NULL) < 1; tries++)
        usleep(50000);
    ck_assert_double_eq(servers_metric(client, "shopdata_cancels_total", NULL), 1);
    finish();
}
END_TEST

START_TEST(a_lost_connection_is_one_failure_and_nobodys_loss)
{
    begin();
    make_all_quick();
    hold_lane(0, PATIENT_MS);
    set_caller(1, by_id, 2, PATIENT_MS);
    set_caller(2, gates[1].through, 3, PATIENT_MS);
    set_caller(3, by_id, 4, PATIENT_MS);
    shut_gate(1);
    gather(1, 4);
    open_gate(0);
    await_at_gate(1);
    servers_sql("SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE "
                "c.relname = 'gate1' AND NOT l.granted");
    open_gate(1);
    join(0, 4);
    check_answered(0, 1);
    for (size_t i = 1; i < 4; i++)
        check_answered(i, (int)i + 1);
    ck_assert_double_eq(primarys("shopdata_node_failures_total") - failures_before, 1);
    finish();
}
END_TEST

/* The server refuses the old plan (0A000), in the middle of a batch. */
START_TEST(a_changed_table_is_mended_for_all)
{
    begin();
    make_all_quick();
    servers_sql("ALTER TABLE item ADD COLUMN name text DEFAULT 'x'");
    count_from_here();
    hold_lane(0, PATIENT_MS);
    for (size_t i = 1; i < 7; i++)
        set_caller(i, i % 2 ? by_id : whole, (int)i, PATIENT_MS);
    gather(1, 7);
    open_gate(0);
    join(0, 7);
    for (size_t i = 1; i < 7; i++) {
        ck_assert_int_eq(callers[i].status, SHOPDATA_OK);
        ck_assert_uint_eq(shopdata_result_columns(callers[i].result), i % 2 ? 2 : 3);
        check_answered(i, (int)i);
    }
    check_answered(0, 1);
    ck_assert_double_ge(servers_metric(client, "shopdata_statements_mended_total", NULL) - mended_before, 1);
    finish();
}
END_TEST

/* A neighbour's answer that is too large costs the connection, and him alone. */
START_TEST(a_result_that_is_too_large_is_its_callers_alone)
{
    begin_with("shopdata.max_result_bytes", "64KiB");
    shopdata_statement *large = servers_statement(client, "SELECT id, price, repeat('x', $2) FROM item WHERE id = $1");
    make_all_quick();
    make_quick(large, shopdata_int64(1));
    hold_lane(0, PATIENT_MS);
    for (size_t i = 1; i < 4; i++)
        set_caller(i, i == 2 ? large : by_id, (int)i, PATIENT_MS);
    set_second(2, shopdata_int64(100000));
    gather(1, 4);
    open_gate(0);
    join(0, 4);
    ck_assert_int_eq(callers[2].status, SHOPDATA_ERR_TOO_LARGE);
    forget(2);
    check_answered(0, 1);
    check_answered(1, 1);
    check_answered(3, 3);
    ck_assert_double_eq(primarys("shopdata_node_failures_total"), failures_before);
    shopdata_statement_free(large);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------- what has no part */

static void ask_alone(shopdata_session *who, shopdata_statement *statement, int times)
{
    for (int i = 0; i < times; i++) {
        shopdata_result *result = NULL;
        shopdata_error *error = NULL;
        shopdata_param params[] = {shopdata_int64(7), shopdata_double(0.004)};
        servers_ok(shopdata_query(who, statement, params, shopdata_statement_parameters(statement), &result, &error),
                   error);
        check_price(result, 7);
        shopdata_result_free(result);
    }
}

START_TEST(what_is_slow_or_locks_or_has_settings_runs_alone)
{
    enum { TIMES = 5 };
    begin();
    shopdata_statement *locks = servers_statement(client, "SELECT id, price FROM item WHERE id = $1 FOR UPDATE");
    ask_alone(session, nap, TIMES);
    ask_alone(session, locks, TIMES);
    servers_ok(shopdata_session_set(session, "app.tenant", "7", NULL), NULL);
    ask_alone(session, by_id, TIMES);
    ck_assert_double_eq(servers_metric(client, "shopdata_shared_reads_total", NULL), 0);
    servers_ok(shopdata_session_set(session, "app.tenant", NULL, NULL), NULL);
    make_quick(by_id, shopdata_null());
    ask_alone(session, by_id, 1);
    ck_assert_double_ge(servers_metric(client, "shopdata_shared_reads_total", NULL), 1);
    shopdata_statement_free(locks);
    finish();
}
END_TEST

static const char *const without[][2] = {{"pool.shared", "0"}, {"pool.prepared", "off"}};

START_TEST(nothing_is_shared_where_that_is_off)
{
    begin_with(without[_i][0], without[_i][1]);
    ask_alone(session, by_id, 5);
    ck_assert_double_eq(servers_metric(client, "shopdata_shared_reads_total", NULL), 0);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- freshness */

enum { WRITERS = 8, ROUNDS = 60 };

/* Each sees his own last write at once, whichever node answers, in whosever batch. */
static void *write_and_read(void *argument)
{
    int id = 1 + (int)(size_t)argument;
    shopdata_session *own;
    servers_ok(shopdata_session_new(client, &own, NULL), NULL);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t price = 0;
        shopdata_error *error = NULL;
        shopdata_result *result = NULL;
        shopdata_param params[] = {shopdata_int64(id), shopdata_int64(round)};
        servers_ok(shopdata_execute(own, whole, params, 2, NULL, &error), error);
        for (int reads = 0; reads < 3; reads++) {
            servers_ok(shopdata_query(own, by_id, params, 1, &result, &error), error);
            servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
            shopdata_result_free(result);
            ck_assert_int_eq(price, round);
        }
    }
    shopdata_session_free(own);
    return NULL;
}

START_TEST(own_writes_are_seen_in_shared_batches)
{
    pthread_t threads[WRITERS];
    begin();
    shopdata_statement_free(whole);
    whole = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
    for (size_t i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_and_read, (void *)i), 0);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_double_gt(servers_metric(client, "shopdata_shared_reads_total", NULL), WRITERS);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_test(cases, a_node_whose_role_has_changed_tells_so_and_answers);
    tcase_add_test(cases, what_gathers_is_one_batch);
    tcase_add_test(cases, an_error_is_its_callers_alone);
    tcase_add_test(cases, a_deadline_does_not_hurt_the_neighbours);
    tcase_add_test(cases, the_lane_goes_on_without_who_left);
    tcase_add_test(cases, a_lost_connection_is_one_failure_and_nobodys_loss);
    tcase_add_test(cases, a_changed_table_is_mended_for_all);
    tcase_add_test(cases, a_result_that_is_too_large_is_its_callers_alone);
    tcase_add_test(cases, what_is_slow_or_locks_or_has_settings_runs_alone);
    tcase_add_loop_test(cases, nothing_is_shared_where_that_is_off, 0, 2);
    tcase_add_test(cases, own_writes_are_seen_in_shared_batches);
}

UNIT_MAIN("shared", fill, 60)
