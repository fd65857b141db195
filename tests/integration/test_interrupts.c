/* test_interrupts.c - a call that waits, wherever that is, ends when the session's function says so: nothing goes on
 * running on the server, nobody else is hurt, and the session works on. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "client/statement.h"

static shopdata_client *client;
static shopdata_session *session, *other;
static shopdata_statement *by_id, *set_price, *sleeps;

/* --------------------------------------------------------------------------------------------------------- helpers */

static shopdata_config *patient_config(const char *cache)
{
    static const char *const settings[][2] = {
        {"shopdata.deadline", "60s"}, {"pool.wait_timeout", "60s"}, {"pool.connect_timeout", "60s"},
        {"pool.size", "2"},           {"cache.timeout", "60s"},
    };
    shopdata_config *config = servers_config(cache);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        servers_ok(shopdata_config_set(config, settings[i][0], settings[i][1], NULL), NULL);
    return config;
}

static void begin_with(shopdata_config *config)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY,"
                " price int NOT NULL); INSERT INTO item SELECT i, i FROM generate_series(1, 100) i");
    servers_settle();
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    by_id = servers_statement(client, "SELECT price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
    sleeps = servers_statement(client, "SELECT pg_sleep(300) /* interrupts */");
}

static void begin(void)
{
    begin_with(patient_config("redis"));
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_statement_free(sleeps);
    shopdata_session_free(session);
    shopdata_session_free(other);
    shopdata_close(client);
}

static int read_price(shopdata_session *who, int id, int64_t *price, shopdata_error **error)
{
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    int status = shopdata_query(who, by_id, &param, 1, &result, error);
    if (status == SHOPDATA_OK)
        status = shopdata_result_int64(result, 0, 0, price, error);
    shopdata_result_free(result);
    return status;
}

static void expect_price(shopdata_session *who, int id, int64_t wanted)
{
    int64_t price = 0;
    shopdata_error *error = NULL;
    servers_ok(read_price(who, id, &price, &error), error);
    ck_assert_int_eq(price, wanted);
}

static int write_price(shopdata_session *who, int id, int64_t price, shopdata_error **error)
{
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    return shopdata_execute(who, set_price, params, 2, NULL, error);
}

/* Says stop the `stop_at`th time, and must not be asked again. */
typedef struct patience {
    atomic_int asked;
    int stop_at;
} patience;

static int answer(void *context)
{
    patience *p = context;
    int asked = atomic_fetch_add(&p->asked, 1) + 1;
    ck_assert_int_le(asked, p->stop_at);
    return asked == p->stop_at;
}

static void set_patience(shopdata_session *who, patience *p)
{
    servers_ok(shopdata_session_set_interrupt(who, p ? answer : NULL, p, NULL), NULL);
}

static void check_interrupted(int status, shopdata_error *error, patience *p)
{
    ck_assert_msg(status == SHOPDATA_ERR_INTERRUPTED, "%s: %s", shopdata_status_name(status),
                  shopdata_error_message(error));
    ck_assert_int_eq(shopdata_error_status(error), status);
    ck_assert_int_eq(shopdata_error_is_retriable(error), 0);
    ck_assert_int_eq(atomic_load(&p->asked), p->stop_at);
    shopdata_error_free(error);
}

/* On the primary: what a session with SHOPDATA_PRIMARY asks, and all that writes. */
static void await_none_running(const char *like)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND query LIKE "
             "'%s'",
             like);
    servers_await_value(sql, "0");
}

static void works_on(shopdata_session *who)
{
    int64_t price = 0;
    shopdata_error *error = NULL;
    set_patience(who, NULL);
    servers_ok(write_price(who, 90, 1, &error), error);
    servers_ok(read_price(who, 90, &price, &error), error);
    ck_assert_int_eq(price, 1);
}

/* A connection past the library that holds locks. */
typedef struct holder {
    pthread_t thread;
    const char *sql;
} holder;

static void *hold(void *argument)
{
    servers_sql(((holder *)argument)->sql);
    return NULL;
}

/* `sql` takes locks, and sleeps: see HOLD. */
static void start_holding(holder *h, const char *sql)
{
    h->sql = sql;
    ck_assert_int_eq(pthread_create(&h->thread, NULL, hold, h), 0);
    servers_await_value(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND wait_event = 'PgSleep'", "1");
}

/* The sleep of a holder is cancelled in its own block, so that its transaction ends in order. */
static void wake_holders(void)
{
    servers_sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND"
                " wait_event = 'PgSleep'");
}

static void stop_holding(holder *h)
{
    wake_holders();
    pthread_join(h->thread, NULL);
}

#define HOLD(lock)                                                                                                     \
    "DO $$ BEGIN " lock "; BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END; END $$"
#define HOLD_ROW HOLD("PERFORM 1 FROM item WHERE id = 5 FOR UPDATE")
#define HOLD_TABLE HOLD("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")

/* ---------------------------------------------------------------------------------------------------- the database */

START_TEST(a_read_is_ended_on_the_server)
{
    begin();
    patience p = {.stop_at = 3};
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, NULL), NULL);
    set_patience(session, &p);
    int status = shopdata_query(session, sleeps, NULL, 0, &result, &error);
    check_interrupted(status, error, &p);
    ck_assert_ptr_null(result);
    await_none_running("SELECT pg_sleep(300)%");
    works_on(session);
    ck_assert_double_eq(servers_metric(client, "shopdata_errors_total", "kind=\"interrupted\""), 1);
    finish();
}
END_TEST

START_TEST(so_is_one_of_many)
{
    begin();
    patience p = {.stop_at = 2};
    shopdata_error *error = NULL;
    shopdata_result *results[2] = {NULL, NULL};
    shopdata_param five = shopdata_int64(5);
    shopdata_call calls[2] = {{by_id, &five, 1, SHOPDATA_PRIMARY}, {sleeps, NULL, 0, SHOPDATA_PRIMARY}};
    set_patience(session, &p);
    int status = shopdata_query_many(session, calls, 2, results, &error);
    check_interrupted(status, error, &p);
    ck_assert_ptr_null(results[0]);
    await_none_running("SELECT pg_sleep(300)%");
    works_on(session);
    finish();
}
END_TEST

/* All of it was sent at once, COMMIT too: so it is as with a deadline. */
START_TEST(a_write_that_waits_for_a_lock_is_ended_and_ambiguous)
{
    begin();
    holder h;
    patience p = {.stop_at = 2};
    shopdata_error *error = NULL;
    servers_ok(write_price(session, 5, 5, &error), error); /* there are plan and connection: the next is sent at once */
    start_holding(&h, HOLD_ROW);
    set_patience(session, &p);
    ck_assert_int_eq(write_price(session, 5, 500, &error), SHOPDATA_ERR_AMBIGUOUS);
    shopdata_error_free(error);
    ck_assert_int_eq(atomic_load(&p.asked), 2);
    await_none_running("UPDATE item%");
    stop_holding(&h);
    expect_price(other, 5, 5);
    works_on(session);
    finish();
}
END_TEST

START_TEST(a_transaction_is_lost_and_rolls_back)
{
    begin();
    holder h;
    patience p = {.stop_at = 2};
    shopdata_error *error = NULL;
    start_holding(&h, HOLD_ROW);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, NULL), NULL);
    servers_ok(write_price(session, 6, 600, NULL), NULL);
    set_patience(session, &p);
    int status = write_price(session, 5, 500, &error);
    check_interrupted(status, error, &p);
    ck_assert_int_eq(write_price(session, 7, 700, NULL), SHOPDATA_ERR_TRANSACTION);
    servers_ok(shopdata_rollback(session, NULL), NULL);
    await_none_running("UPDATE item%");
    stop_holding(&h);
    expect_price(other, 6, 6);
    works_on(session);
    finish();
}
END_TEST

START_TEST(waiting_for_a_connection_ends)
{
    begin();
    shopdata_error *error = NULL;
    shopdata_session *holders[2];
    for (int i = 0; i < 2; i++) {
        servers_ok(shopdata_session_new(client, &holders[i], NULL), NULL);
        servers_ok(shopdata_begin(holders[i], SHOPDATA_READ_COMMITTED, NULL), NULL);
    }
    for (int round = 0; round < 3; round++) {
        patience p = {.stop_at = 2};
        set_patience(session, &p);
        int status = round == 0   ? write_price(session, 1, 2, &error)
                     : round == 1 ? shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error)
                                  : shopdata_query(session, sleeps, NULL, 0, &(shopdata_result *){NULL}, &error);
        check_interrupted(status, error, &p);
        error = NULL;
        servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, NULL), NULL);
    }
    for (int i = 0; i < 2; i++)
        shopdata_session_free(holders[i]);
    works_on(session);
    finish();
}
END_TEST

START_TEST(waiting_for_a_node_that_is_down_ends)
{
    begin();
    shopdata_error *error = NULL;
    expect_price(session, 3, 3);
    servers_do("stop primary");
    for (int round = 0; round < 3; round++) {
        patience p = {.stop_at = 2};
        set_patience(session, &p);
        int status = write_price(session, 3, 30 + round, &error);
        check_interrupted(status, error, &p);
        error = NULL;
    }
    servers_do("start primary");
    works_on(session);
    expect_price(session, 3, 3);
    finish();
}
END_TEST

/* Nothing answers, so that there is no plan. Whoever is asked may wait for a lock of his whose holder calls the library
 * meanwhile. */
static sdi_mutex giant = SDI_MUTEX_INIT;
static atomic_int giant_asked;

static int answer_under_giant(void *context)
{
    sdi_lock(&giant);
    sdi_unlock(&giant);
    return atomic_fetch_add(&giant_asked, 1) + 1 >= *(const int *)context;
}

static void *call_under_giant(void *argument)
{
    (void)argument;
    while (atomic_load(&giant_asked) == 0)
        usleep(1000);
    sdi_lock(&giant);
    ck_assert_int_eq(shopdata_statement_add_tag(by_id, "late", NULL), SHOPDATA_ERR_ARGUMENT);
    sdi_unlock(&giant);
    return NULL;
}

START_TEST(whoever_is_asked_may_wait_for_a_lock_of_his)
{
    begin();
    pthread_t thread;
    int stop_at = 10;
    int64_t price;
    shopdata_error *error = NULL;
    atomic_store(&giant_asked, 0);
    servers_do("freeze primary");
    servers_do("freeze replica1");
    servers_do("freeze replica2");
    servers_ok(shopdata_session_set_interrupt(session, answer_under_giant, &stop_at, NULL), NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, call_under_giant, NULL), 0);
    ck_assert_int_eq(read_price(session, 1, &price, &error), SHOPDATA_ERR_INTERRUPTED);
    shopdata_error_free(error);
    pthread_join(thread, NULL);
    ck_assert_int_eq(atomic_load(&giant_asked), stop_at);
    servers_heal();
    works_on(session);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ neighbours */

typedef struct reader {
    pthread_t thread;
    shopdata_session *session;
    int status;
    int64_t price;
} reader;

static void *read_five(void *argument)
{
    reader *r = argument;
    r->status = read_price(r->session, 5, &r->price, NULL);
    return NULL;
}

static void start_reader(reader *r, shopdata_session *who)
{
    *r = (reader){.session = who};
    ck_assert_int_eq(pthread_create(&r->thread, NULL, read_five, r), 0);
}

static const char *const nodes[] = {"SHOPDATA_PRIMARY", "SHOPDATA_REPLICA1", "SHOPDATA_REPLICA2"};

static int count_at_all(const char *sql)
{
    int count = 0;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char *text = servers_value_at(nodes[i], sql);
        count += (int)strtol(text, NULL, 10);
        free(text);
    }
    return count;
}

static int answer_when_told(void *context)
{
    return atomic_load((atomic_int *)context);
}

/* Replicas take over the primary's lock on the table; which of the nodes answers does not matter here. */
START_TEST(who_waits_for_the_answer_of_one_interrupted_gets_his_own)
{
    static const char locked[] = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND"
                                 " relation = 'item'::regclass::oid";
    static const char waiting[] = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
                                  " 'SELECT price%'";
    begin();
    holder h;
    reader leads, joins;
    atomic_int told = 0;
    expect_price(session, 5, 5); /* the plan is made */
    servers_ok(write_price(session, 5, 5, NULL), NULL);
    start_holding(&h, HOLD_TABLE);
    servers_flush();
    while (count_at_all(locked) < 3)
        usleep(10000);
    servers_ok(shopdata_session_set_interrupt(session, answer_when_told, &told, NULL), NULL);
    start_reader(&leads, session);
    while (count_at_all(waiting) < 1)
        usleep(10000);
    start_reader(&joins, other);
    usleep(100000); /* if he is slower he does not join: no harm to the test */
    atomic_store(&told, 1);
    pthread_join(leads.thread, NULL);
    ck_assert_int_eq(leads.status, SHOPDATA_ERR_INTERRUPTED);
    stop_holding(&h);
    pthread_join(joins.thread, NULL);
    ck_assert_int_eq(joins.status, SHOPDATA_OK);
    ck_assert_int_eq(joins.price, 5);
    works_on(session);
    finish();
}
END_TEST

/* Where another thread of the parent was making a plan, the child makes its own. The thread sanitizer does not survive
 * a thread that is started in a forked child. */
#ifndef __SANITIZE_THREAD__
START_TEST(a_forked_child_does_not_wait_for_a_plan_of_its_parent)
{
    begin();
    reader planning;
    atomic_int told = 0;
    servers_do("freeze primary");
    servers_do("freeze replica1");
    servers_do("freeze replica2");
    servers_ok(shopdata_session_set_interrupt(session, answer_when_told, &told, NULL), NULL);
    start_reader(&planning, session);
    for (bool busy = false; !busy; usleep(1000)) {
        sdi_lock(&by_id->lock);
        busy = by_id->planning != 0;
        sdi_unlock(&by_id->lock);
    }
    pid_t child = fork();
    if (child == 0) {
        int64_t price = 0;
        bool good = shopdata_after_fork(client, NULL) == SHOPDATA_OK &&
                    read_price(other, 5, &price, NULL) == SHOPDATA_OK && price == 5;
        _exit(good ? 0 : 1);
    }
    servers_heal();
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
    atomic_store(&told, 1);
    pthread_join(planning.thread, NULL);
    works_on(session);
    finish();
}
END_TEST
#endif

/* ------------------------------------------------------------------------------------------------------- the cache */

static const char *const caches[] = {"redis", "memcached"};

START_TEST(waiting_for_the_cache_ends_and_is_no_fault_of_it)
{
    char command[40];
    begin_with(patient_config(caches[_i]));
    expect_price(session, 8, 8);
    expect_price(session, 8, 8);
    snprintf(command, sizeof command, "freeze %s", caches[_i]);
    servers_do(command);
    for (int round = 0; round < 10; round++) { /* more than open a breaker */
        int64_t price;
        patience p = {.stop_at = 1};
        shopdata_error *error = NULL;
        set_patience(session, &p);
        int status = read_price(session, 8, &price, &error);
        check_interrupted(status, error, &p);
    }
    servers_heal();
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_errors_total", NULL), 0);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_breaker_state", NULL), 0);
    works_on(session);
    finish();
}
END_TEST

/* Says stop once the write is there to be seen: from then on it must not be asked any more. */
static int answer_once_written(void *context)
{
    char *price = servers_value("SELECT price FROM item WHERE id = 9");
    int written = !strcmp(price, "900");
    *(int *)context += written;
    free(price);
    return written;
}

START_TEST(a_write_that_stands_is_told_to_the_cache_all_the_same)
{
    int asked_late = 0;
    shopdata_config *config = patient_config("redis");
    servers_ok(shopdata_config_set(config, "cache.timeout", "400ms", NULL), NULL);
    begin_with(config);
    expect_price(session, 9, 9);
    servers_ok(write_price(session, 10, 10, NULL), NULL); /* the plan is made */
    servers_do("freeze redis");
    servers_ok(shopdata_session_set_interrupt(session, answer_once_written, &asked_late, NULL), NULL);
    ck_assert_int_eq(write_price(session, 9, 900, NULL), SHOPDATA_UNFENCED);
    ck_assert_int_eq(asked_late, 0);
    servers_heal();
    works_on(session);
    expect_price(other, 9, 900);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, NULL, wake_holders);
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, a_read_is_ended_on_the_server);
    tcase_add_test(cases, so_is_one_of_many);
    tcase_add_test(cases, a_write_that_waits_for_a_lock_is_ended_and_ambiguous);
    tcase_add_test(cases, a_transaction_is_lost_and_rolls_back);
    tcase_add_test(cases, waiting_for_a_connection_ends);
    tcase_add_test(cases, waiting_for_a_node_that_is_down_ends);
    tcase_add_test(cases, whoever_is_asked_may_wait_for_a_lock_of_his);
    tcase_add_test(cases, who_waits_for_the_answer_of_one_interrupted_gets_his_own);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(cases, a_forked_child_does_not_wait_for_a_plan_of_its_parent);
#endif
    tcase_add_loop_test(cases, waiting_for_the_cache_ends_and_is_no_fault_of_it, 0, 2);
    tcase_add_test(cases, a_write_that_stands_is_told_to_the_cache_all_the_same);
}

int main(void)
{
    servers_required();
    servers_required_memcached();
    return unit_run("integration/interrupts", 250, (unit_fill *const[]){fill}, 1);
}
