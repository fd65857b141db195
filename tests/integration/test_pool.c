/* The pool on a real server: its size, its line, its limits, and what it does with connections that are no good. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "base/clock.h"
#include "model/metrics_store.h"
#include "model/result.h"
#include "postgres/pool.h"

enum { THREADS = 32, SIZE = 3 };

static sdi_node_settings node = {.name = "one", .weight = 1, .zone = ""};
static sdi_pool_settings settings;
static sdi_metrics *metrics;
static sdi_pool *pool;

/* --------------------------------------------------------------------------------------------------------- helpers */

static void make_pool(int64_t size)
{
    static const char *const names[] = {"one"};
    settings = (sdi_pool_settings){
        .size = size, .wait_limit = 100, .wait_timeout_ms = 10000, .connect_timeout_ms = 5000, .prepared = true};
    metrics = sdi_metrics_new((sdi_names){names, 1}, (sdi_names){0});
    pool = sdi_pool_new(&node, &settings, 0, metrics);
    ck_assert(metrics && pool);
}

static void free_pool(void)
{
    sdi_pool_free(pool);
    sdi_metrics_free(metrics);
}

static sdi_pg_connection *take(void)
{
    sdi_pg_connection *connection = NULL;
    shopdata_error *error = NULL;
    int status = sdi_pool_take(pool, sdi_deadline_in(20000), &connection, &error);
    ck_assert_msg(status == 0, "%d: %s", status, shopdata_error_message(error));
    return connection;
}

static int take_within(int64_t ms)
{
    sdi_pg_connection *connection = NULL;
    shopdata_error *error = NULL;
    int status = sdi_pool_take(pool, sdi_deadline_in(ms), &connection, &error);
    ck_assert((status < 0) == (error != NULL));
    shopdata_error_free(error);
    return status;
}

static long ask(sdi_pg_connection *connection, const char *text)
{
    sdi_pg_command command = {.sql = text};
    sdi_slice cell;
    int status = sdi_pg_run(connection, &command, 1, 1 << 20, sdi_deadline_in(20000), NULL);
    ck_assert_msg(status == 0 && command.outcome == SDI_PG_DONE, "%s: %s", text, shopdata_error_message(command.error));
    long value = sdi_result_at(command.result, 0, 0, &cell) ? strtol(cell.data, NULL, 10) : 0;
    sdi_pg_commands_free(&command, 1);
    return value;
}

static bool lives(sdi_pg_connection *by, int32_t pid)
{
    char text[80];
    snprintf(text, sizeof text, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", (int)pid);
    return ask(by, text) != 0;
}

static void wait_until_gone(sdi_pg_connection *by, int32_t pid)
{
    for (int tries = 0; tries < 500 && lives(by, pid); tries++)
        usleep(10000);
    ck_assert(!lives(by, pid));
}

static sdi_pg_connection *outsider(void)
{
    sdi_pg_connection *connection = NULL;
    ck_assert_int_eq(sdi_pg_connect(node.conninfo, false, sdi_deadline_in(20000), &connection, NULL), 0);
    return connection;
}

static int32_t pid_of(const sdi_pg_connection *connection)
{
    return sdi_pg_backend(connection).pid;
}

/* ------------------------------------------------------------------------------------------------------ size, line */

static atomic_int busy, peak;

static void *work(void *unused)
{
    (void)unused;
    for (int i = 0; i < 30; i++) {
        sdi_pg_connection *connection = take();
        int now = atomic_fetch_add(&busy, 1) + 1, seen = atomic_load(&peak);
        while (now > seen && !atomic_compare_exchange_weak(&peak, &seen, now))
            ;
        ck_assert_int_eq(ask(connection, "SELECT pg_backend_pid()"), pid_of(connection));
        usleep(100);
        atomic_fetch_sub(&busy, 1);
        sdi_pool_give(pool, connection);
    }
    return NULL;
}

static void work_together(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void connect_all(void)
{
    sdi_pg_connection *taken[SIZE];
    for (int i = 0; i < SIZE; i++)
        taken[i] = take();
    for (int i = 0; i < SIZE; i++)
        sdi_pool_give(pool, taken[i]);
}

START_TEST(many_threads_share_few_connections)
{
    make_pool(SIZE);
    connect_all(); /* on a busy machine a slow connect could come after all the work */
    atomic_store(&peak, 0);
    work_together();
    ck_assert_int_eq(atomic_load(&peak), SIZE);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_CONNECTS, 0), SIZE);
    ck_assert_uint_gt(sdi_counted(metrics, SDI_M_POOL_WAITS, 0), 0);
    sdi_pool_gauges(pool, 0);
    free_pool();
}
END_TEST

START_TEST(the_last_used_comes_first)
{
    make_pool(SIZE);
    sdi_pg_connection *a = take(), *b = take();
    ck_assert_ptr_ne(a, b);
    sdi_pool_give(pool, b);
    sdi_pool_give(pool, a);
    ck_assert_ptr_eq(take(), a);
    sdi_pool_give(pool, a);
    free_pool();
}
END_TEST

static atomic_int order;

static void *stand_in_line(void *place)
{
    sdi_pg_connection *connection = take();
    *(int *)place = atomic_fetch_add(&order, 1);
    sdi_pool_give(pool, connection);
    return NULL;
}

static int line_length(void)
{
    sdi_pool_gauges(pool, 0);
    return (int)sdi_metrics_gauged(metrics, SDI_M_POOL_WAITING, 0);
}

START_TEST(the_line_is_served_in_its_order)
{
    enum { LINE = 8 };
    pthread_t threads[LINE];
    int places[LINE];
    make_pool(1);
    atomic_store(&order, 0);
    sdi_pg_connection *held = take();
    for (int i = 0; i < LINE; i++) {
        pthread_create(&threads[i], NULL, stand_in_line, &places[i]);
        while (line_length() <= i)
            usleep(500);
    }
    sdi_pool_give(pool, held);
    for (int i = 0; i < LINE; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(places[i], i);
    }
    free_pool();
}
END_TEST

START_TEST(waiting_has_limits)
{
    make_pool(1);
    sdi_pg_connection *held = take();
    settings.wait_timeout_ms = 50;
    ck_assert_int_eq(take_within(5000), SHOPDATA_ERR_BUSY);
    ck_assert_int_eq(take_within(20), SHOPDATA_ERR_TIMEOUT);
    settings.wait_limit = 0;
    ck_assert_int_eq(take_within(5000), SHOPDATA_ERR_BUSY);
    sdi_pool_give(pool, held);
    sdi_pool_give(pool, take());
    free_pool();
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- failures */

START_TEST(a_failed_connect_leaves_its_room)
{
    const char *real = node.conninfo;
    make_pool(1);
    node.conninfo = "host=127.0.0.1 port=1";
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(take_within(5000), SHOPDATA_ERR_UNAVAILABLE);
    node.conninfo = real;
    sdi_pool_give(pool, take());
    free_pool();
}
END_TEST

START_TEST(killed_connections_are_replaced)
{
    make_pool(SIZE);
    sdi_pg_connection *by = outsider(), *taken[SIZE];
    sdi_pg_backend_id victims[SIZE];
    for (int i = 0; i < SIZE; i++)
        taken[i] = take();
    for (int i = 0; i < SIZE; i++) {
        victims[i] = sdi_pg_backend(taken[i]);
        sdi_pool_give(pool, taken[i]);
    }
    for (int i = 0; i < SIZE; i++) {
        ck_assert_int_eq(sdi_pg_terminate(by, &victims[i], sdi_deadline_in(5000), NULL), 0);
        wait_until_gone(by, victims[i].pid);
    }
    work_together();
    free_pool();
    sdi_pg_close(by);
}
END_TEST

START_TEST(an_open_transaction_does_not_come_back)
{
    make_pool(1);
    sdi_pg_connection *connection = take();
    int32_t pid = pid_of(connection);
    ask(connection, "BEGIN");
    ck_assert_int_eq(sdi_pg_transaction(connection), SDI_PG_OPEN);
    sdi_pool_give(pool, connection);
    connection = take();
    ck_assert_int_ne(pid_of(connection), pid);
    sdi_pool_give(pool, connection);
    free_pool();
}
END_TEST

START_TEST(a_flush_closes_all)
{
    make_pool(SIZE);
    sdi_pg_connection *idle = take(), *used = take(), *by = outsider();
    int32_t idle_pid = pid_of(idle), used_pid = pid_of(used);
    sdi_pool_give(pool, idle);
    sdi_pool_flush(pool);
    wait_until_gone(by, idle_pid);
    ck_assert_int_eq(ask(used, "SELECT 1"), 1);
    sdi_pool_give(pool, used);
    wait_until_gone(by, used_pid);
    sdi_pool_give(pool, take());
    free_pool();
    sdi_pg_close(by);
}
END_TEST

static sdi_pg_connection *asleep(void)
{
    sdi_pg_command command = {.sql = "SELECT pg_sleep(60)"};
    sdi_pg_connection *connection = take();
    ck_assert_int_eq(sdi_pg_run(connection, &command, 1, 4096, sdi_deadline_in(50), NULL), SHOPDATA_ERR_TIMEOUT);
    return connection;
}

START_TEST(what_runs_on_is_ended_on_the_server)
{
    make_pool(SIZE);
    sdi_pg_connection *sleeper = asleep(), *neighbour = take(), *by = outsider();
    int32_t pid = pid_of(sleeper);
    sdi_pg_backend_id other_life = sdi_pg_backend(neighbour);
    sdi_pool_give_running(pool, sleeper);
    ck_assert(lives(by, pid));
    ck_assert_uint_eq(sdi_pool_reap(pool, by, sdi_deadline_in(5000)), 1);
    ck_assert_uint_eq(sdi_pool_reap(pool, by, sdi_deadline_in(5000)), 0);
    wait_until_gone(by, pid);
    /* The same process id, begun at another time, is somebody else. */
    snprintf(other_life.started, sizeof other_life.started, "2001-01-01 00:00:00+00");
    ck_assert_int_eq(sdi_pg_terminate(by, &other_life, sdi_deadline_in(5000), NULL), 0);
    ck_assert_int_eq(ask(neighbour, "SELECT 1"), 1);
    sdi_pool_give(pool, neighbour);
    free_pool();
    sdi_pg_close(by);
}
END_TEST

START_TEST(what_runs_on_keeps_its_room_until_then)
{
    make_pool(1);
    sdi_pg_connection *by = outsider(), *sleeper = asleep();
    sdi_pg_backend_id backend = sdi_pg_backend(sleeper);
    sdi_pool_give_running(pool, sleeper);
    ck_assert_int_eq(take_within(50), SHOPDATA_ERR_TIMEOUT);
    ck_assert_uint_eq(sdi_pool_reap(pool, NULL, sdi_deadline_in(5000)), 1);
    sdi_pool_give(pool, take());
    ck_assert_int_eq(sdi_pg_terminate(by, &backend, sdi_deadline_in(5000), NULL), 0);
    free_pool();
    sdi_pg_close(by);
}
END_TEST

START_TEST(a_forked_child_abandons_its_copy)
{
    make_pool(SIZE);
    sdi_pg_connection *used = take(), *idle = take();
    sdi_pool_give(pool, idle);
    pid_t child = fork();
    if (child == 0) {
        sdi_pool_abandon(pool);
        _exit(0);
    }
    int status;
    ck_assert(waitpid(child, &status, 0) == child && status == 0);
    usleep(50000);
    ck_assert_int_eq(ask(used, "SELECT 2"), 2);
    ck_assert_ptr_eq(take(), idle);
    ck_assert_int_eq(ask(idle, "SELECT 3"), 3);
    sdi_pool_give(pool, used);
    sdi_pool_give(pool, idle);
    free_pool();
}
END_TEST

static void fill(TCase *cases)
{
    node.conninfo = getenv("SHOPDATA_PRIMARY");
    if (!node.conninfo)
        exit(77);
    tcase_add_test(cases, many_threads_share_few_connections);
    tcase_add_test(cases, the_last_used_comes_first);
    tcase_add_test(cases, the_line_is_served_in_its_order);
    tcase_add_test(cases, waiting_has_limits);
    tcase_add_test(cases, a_failed_connect_leaves_its_room);
    tcase_add_test(cases, killed_connections_are_replaced);
    tcase_add_test(cases, an_open_transaction_does_not_come_back);
    tcase_add_test(cases, a_flush_closes_all);
    tcase_add_test(cases, what_runs_on_is_ended_on_the_server);
    tcase_add_test(cases, what_runs_on_keeps_its_room_until_then);
    tcase_add_test(cases, a_forked_child_abandons_its_copy);
}

UNIT_MAIN("pool", fill, 60)
