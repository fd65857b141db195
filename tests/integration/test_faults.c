/* test_faults.c - what must hold when things go wrong at the worst moment: late placeholders, backends that outlive
 * their client, frozen servers against deadlines, lost transactions, and everything at once. */
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "client/core.h"

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *set_price;

/* --------------------------------------------------------------------------------------------------------- helpers */

static void make_table(void)
{
    servers_sql(
        "SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
        "price int NOT NULL, name text); INSERT INTO item SELECT i, i, 'item ' || i FROM generate_series(1, 400) i");
    servers_settle();
}

static void make_statements(void)
{
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void begin_with(const char *cache)
{
    make_table();
    client = servers_open_with(servers_hasty_config(cache));
    make_statements();
}

static void begin_set(const char *cache, const char *key, const char *value)
{
    shopdata_config *config = servers_hasty_config(cache);
    make_table();
    servers_ok(shopdata_config_set(config, key, value, NULL), NULL);
    servers_ok(shopdata_open(config, &client, NULL), NULL);
    shopdata_config_free(config);
    make_statements();
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_close(client);
}

/* The price of an item; negative: the status. */
static int64_t read_price(shopdata_session *who, int id, shopdata_error **error)
{
    int64_t price = 0;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    int status = shopdata_query(who, by_id, &param, 1, &result, error);
    if (status == SHOPDATA_OK)
        status = shopdata_result_int64(result, 0, 1, &price, error);
    shopdata_result_free(result);
    return status == SHOPDATA_OK ? price : status;
}

static int64_t price_of(shopdata_session *who, int id)
{
    shopdata_error *error = NULL;
    int64_t price = read_price(who, id, &error);
    ck_assert_msg(price >= 0, "%s: %s", shopdata_status_name((int)price), shopdata_error_message(error));
    return price;
}

static int write_price(shopdata_session *who, int id, int64_t price, shopdata_error **error)
{
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    return shopdata_execute(who, set_price, params, 2, NULL, error);
}

static void must_write(shopdata_session *who, int id, int64_t price)
{
    shopdata_error *error = NULL;
    int status = write_price(who, id, price, &error);
    ck_assert_msg(status >= 0, "%s: %s", shopdata_status_name(status), shopdata_error_message(error));
}

static int64_t ms_since(int64_t begin)
{
    return (sdi_now() - begin) / 1000;
}

static void check_failure(int status, int wanted, shopdata_error **error)
{
    ck_assert_msg(status == wanted, "%s, wanted %s: %s", shopdata_status_name(status), shopdata_status_name(wanted),
                  shopdata_error_message(*error));
    ck_assert_ptr_nonnull(*error);
    shopdata_error_free(*error);
    *error = NULL;
}

static int64_t number(const char *sql)
{
    char *text = servers_value(sql);
    int64_t value = strtoll(text, NULL, 10);
    free(text);
    return value;
}

static void wait_for_primary(void)
{
    for (int i = 0; i < 1000 && servers_metric(client, "shopdata_node_role", "node=\"primary\"") != 2; i++)
        usleep(10000);
}

/* ------------------------------------------------------------------------------------------------ a late placeholder
 */

/* A cache in front of the client's own: its ADDs do not answer in time, and happen just before the fence is put. */
typedef struct late_cache {
    sdi_cache cache;
    sdi_cache *inner;
    sdi_cache_op adds[8];
    char keys[8][256], values[8][64];
    size_t count;
    bool done;
} late_cache;

static late_cache late;

static void keep_add(const sdi_cache_op *operation)
{
    sdi_cache_op *kept = &late.adds[late.count];
    *kept = *operation;
    memcpy(late.keys[late.count], operation->key.data, operation->key.length);
    memcpy(late.values[late.count], operation->value.data, operation->value.length);
    kept->key.data = late.keys[late.count];
    kept->value.data = late.values[late.count];
    late.count++;
}

static bool late_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)cache;
    if (operations[0].verb == SDI_CACHE_ADD && !late.done) {
        for (size_t i = 0; i < count; i++)
            keep_add(&operations[i]);
        return false;
    }
    if ((operations[0].verb == SDI_CACHE_SWAP || operations[0].verb == SDI_CACHE_SET) && !late.done) {
        shopdata_session *other;
        late.done = true;
        servers_ok(shopdata_session_new(client, &other, NULL), NULL);
        must_write(other, 1, 500);
        shopdata_session_free(other);
        ck_assert(late.count && sdi_cache_run(late.inner, late.adds, late.count, SDI_NEVER));
    }
    return sdi_cache_run(late.inner, operations, count, deadline);
}

static const sdi_cache_backend late_backend = {.name = "late", .run = late_run};

/* The cache did not say in time that the placeholder stands: so it may come to stand after a write that came after the
 * floor, and the floor must not be installed. */
START_TEST(a_placeholder_that_comes_late_installs_nothing)
{
    begin_with("memory");
    late = (late_cache){.cache.backend = &late_backend, .inner = client->core->cache};
    client->core->cache = &late.cache;
    ck_assert_int_eq(price_of(session, 1), 1);
    ck_assert(late.done);
    ck_assert_int_eq(price_of(session, 1), 500);
    client->core->cache = late.inner;
    finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- a late fence
 */

/* A cache whose first batch that installs fences does not answer in time, and happens as the second one begins. */
enum late_store { STORE_FIRST, STORE_HELD, STORE_OVER };

typedef struct late_fences {
    sdi_cache cache;
    sdi_cache *inner;
    enum late_store state;
    sdi_cache_op swaps[8];
    char texts[8][3][512];
    size_t count;
} late_fences;

static late_fences held;

static sdi_slice copied(char *room, sdi_slice text)
{
    memcpy(room, text.data, text.length);
    return (sdi_slice){room, text.length};
}

static void keep_swaps(const sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (operations[i].verb != SDI_CACHE_SWAP)
            continue;
        sdi_cache_op *kept = &held.swaps[held.count];
        *kept = operations[i];
        kept->key = copied(held.texts[held.count][0], operations[i].key);
        kept->expected = copied(held.texts[held.count][1], operations[i].expected);
        kept->value = copied(held.texts[held.count][2], operations[i].value);
        held.count++;
    }
}

static shopdata_result *name_and_price(void)
{
    shopdata_session *other;
    shopdata_error *error = NULL;
    shopdata_param one = shopdata_int64(1);
    shopdata_result *result = NULL;
    shopdata_statement *statement = servers_statement(client, "SELECT name, price FROM item WHERE id = $1");
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    servers_ok(shopdata_query(other, statement, &one, 1, &result, &error), error);
    shopdata_session_free(other);
    shopdata_statement_free(statement);
    return result;
}

/* While the fences are on their way another statement's answer is stored, and then the row is written. */
static void overtake(void)
{
    shopdata_session *other;
    shopdata_result_free(name_and_price());
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    must_write(other, 1, 500);
    shopdata_session_free(other);
}

static bool held_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)cache;
    bool installs = operations[0].verb == SDI_CACHE_SWAP;
    if (operations[0].verb == SDI_CACHE_ADD && held.state == STORE_FIRST)
        client->core->floor.sent = client->core->floor.answered = 0; /* the sample is one of before the second came */
    if (installs && held.state == STORE_FIRST) {
        held.state = STORE_OVER; /* for what is run meanwhile */
        keep_swaps(operations, count);
        overtake();
        held.state = STORE_HELD;
        return false;
    }
    if (installs && held.state == STORE_HELD) {
        held.state = STORE_OVER;
        ck_assert(sdi_cache_run(held.inner, held.swaps, held.count, SDI_NEVER));
    }
    return sdi_cache_run(held.inner, operations, count, deadline);
}

static const sdi_cache_backend held_backend = {.name = "held", .run = held_run};

/* A batch that goes to the database twice has a placeholder for each time: the fence of the first, which the cache did
 * not confirm, may come to it after a write, and must not find the second one's. */
START_TEST(a_fence_that_comes_late_replaces_no_later_placeholder)
{
    int64_t price;
    shopdata_param one = shopdata_int64(1);
    shopdata_result *results[2];
    begin_with("memory");
    held = (late_fences){.cache.backend = &held_backend, .inner = client->core->cache};
    client->core->floor.sent = client->core->floor.answered = 9;
    client->core->cache = &held.cache;
    shopdata_call calls[2] = {{by_id, &one, 1, 0}, {by_id, &one, 1, 0}};
    servers_ok(shopdata_query_many(session, calls, 2, results, NULL), NULL);
    client->core->cache = held.inner;
    ck_assert(held.count && held.state == STORE_OVER);
    shopdata_result_free(results[0]);
    shopdata_result_free(results[1]);
    results[0] = name_and_price();
    servers_ok(shopdata_result_int64(results[0], 0, 1, &price, NULL), NULL);
    ck_assert_int_eq(price, 500);
    shopdata_result_free(results[0]);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------- a cold stampede */

enum { STAMPEDE = 16 };

/* A cache that takes the first placeholders only when all have missed, and counts the looks. */
typedef struct crowd_cache {
    sdi_cache cache;
    sdi_cache *inner;
    atomic_int looks, claims;
} crowd_cache;

static crowd_cache crowd;

static bool crowd_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)cache;
    if (operations[0].verb == SDI_CACHE_GET)
        atomic_fetch_add(&crowd.looks, 1);
    if (operations[0].verb == SDI_CACHE_ADD && atomic_fetch_add(&crowd.claims, 1) == 0) {
        for (int i = 0; i < 1000 && atomic_load(&crowd.looks) < STAMPEDE; i++)
            usleep(5000);
        usleep(200000); /* from the look to the flight */
    }
    return sdi_cache_run(crowd.inner, operations, count, deadline);
}

static const sdi_cache_backend crowd_backend = {.name = "crowd", .run = crowd_run};

static void *read_cold(void *unused)
{
    shopdata_session *own;
    servers_ok(shopdata_session_new(client, &own, NULL), NULL);
    ck_assert_int_eq(price_of(own, 1), 1);
    shopdata_session_free(own);
    return unused;
}

/* The floor that the leader samples after all have come is as good for them as one of their own: nobody looks again. */
START_TEST(one_sample_serves_all_who_wait_for_a_cold_key)
{
    pthread_t threads[STAMPEDE];
    begin_with("memory");
    ck_assert_int_eq(price_of(session, 2), 2); /* the plan is made */
    crowd.cache.backend = &crowd_backend;
    crowd.inner = client->core->cache;
    client->core->cache = &crowd.cache;
    double sampled = servers_metric(client, "shopdata_fences_sampled_total", NULL);
    for (int i = 0; i < STAMPEDE; i++)
        pthread_create(&threads[i], NULL, read_cold, NULL);
    for (int i = 0; i < STAMPEDE; i++)
        pthread_join(threads[i], NULL);
    client->core->cache = crowd.inner;
    ck_assert_int_eq(atomic_load(&crowd.looks), STAMPEDE);
    ck_assert_int_eq(atomic_load(&crowd.claims), 1);
    ck_assert_double_eq(servers_metric(client, "shopdata_fences_sampled_total", NULL), sampled + 1);
    ck_assert_double_eq(servers_metric(client, "shopdata_flights_joined_total", NULL), STAMPEDE - 1);
    finish();
}
END_TEST

/* ----------------------------------------------------------------------------------------- writes whose fate is
 * unknown */

static int port_of_primary(void)
{
    return (int)number("SELECT inet_server_port()");
}

/* Cuts all connections of this process to a port, as a firewall would: the servers do not hear of it. */
static void cut_connections(int port)
{
    DIR *open = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(open));) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > 2 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port)
            shutdown(fd, SHUT_RD);
    }
    closedir(open);
}

static void *write_slowly(void *status)
{
    shopdata_error *error = NULL;
    *(int *)status = write_price(session, 3, 333, &error);
    shopdata_error_free(error);
    return NULL;
}

static void lock_item(bool lock)
{
    static shopdata_session *holder;
    if (lock) {
        servers_ok(shopdata_session_new(client, &holder, NULL), NULL);
        servers_ok(shopdata_session_set_deadline(holder, 60000, NULL), NULL);
        servers_ok(shopdata_begin(holder, 0, NULL), NULL);
        must_write(holder, 3, 1);
    } else {
        shopdata_session_free(holder);
    }
}

/* Its client is gone, but the backend waits for a lock, and would commit once it gets it. */
START_TEST(an_ambiguous_write_has_ended_when_that_is_told)
{
    begin_with("redis");
    int status = 0, port = port_of_primary();
    pthread_t thread;
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS gate; CREATE TABLE gate (id int PRIMARY KEY); "
                "INSERT INTO gate VALUES (1)");
    servers_sql("CREATE OR REPLACE FUNCTION slow_gate() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_sleep(1.2); RETURN NEW; END'; COMMENT ON FUNCTION slow_gate() IS "
                "'shopdata writes: nothing'; CREATE TRIGGER slow BEFORE UPDATE ON item FOR EACH ROW "
                "EXECUTE FUNCTION slow_gate()");
    pthread_create(&thread, NULL, write_slowly, &status);
    for (int i = 0; i < 200 && !number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"); i++)
        usleep(5000);
    cut_connections(port);
    pthread_join(thread, NULL);
    ck_assert_int_eq(status, SHOPDATA_ERR_AMBIGUOUS);
    int64_t running = number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    int64_t before = price_of(session, 3);
    usleep(1500000);
    ck_assert_int_eq(price_of(session, 3), number("SELECT price FROM item WHERE id = 3"));
    ck_assert_int_eq(before, price_of(session, 3));
    ck_assert_int_eq(running, 0);
    finish();
}
END_TEST

/* A frozen backend has the write in its socket, and runs it when it thaws. */
START_TEST(a_write_to_a_frozen_primary_is_never_hidden)
{
    begin_with("redis");
    for (int round = 1; round <= 5; round++) {
        shopdata_error *error = NULL;
        must_write(session, 4, round);
        price_of(session, 4);
        price_of(session, 4);
        servers_ok(shopdata_session_set_deadline(session, 300, NULL), NULL);
        servers_do("freeze primary");
        int64_t begin = sdi_now();
        check_failure(write_price(session, 4, 1000 + round, &error), SHOPDATA_ERR_AMBIGUOUS, &error);
        ck_assert_int_lt(ms_since(begin), 300 + UNIT_BUSY_MS);
        servers_do("thaw primary");
        servers_ok(shopdata_session_set_deadline(session, 20000, NULL), NULL);
        for (int i = 0; i < 20; i++) {
            read_price(session, 4, NULL);
            usleep(2000);
        }
        usleep(400000);
        ck_assert_int_eq(price_of(session, 4), number("SELECT price FROM item WHERE id = 4"));
    }
    finish();
}
END_TEST

START_TEST(a_write_whose_answer_is_too_large_is_told_of)
{
    begin_with("redis");
    shopdata_error *error = NULL;
    shopdata_statement *huge =
        servers_statement(client, "UPDATE item SET price = 7 WHERE id < 100 RETURNING repeat(name, 1000000)");
    int status = shopdata_execute(session, huge, NULL, 0, NULL, &error);
    ck_assert_msg(status == SHOPDATA_ERR_AMBIGUOUS || status == SHOPDATA_ERR_TOO_LARGE, "%s",
                  shopdata_status_name(status));
    shopdata_error_free(error);
    ck_assert_int_eq(price_of(session, 5), number("SELECT price FROM item WHERE id = 5"));
    shopdata_statement_free(huge);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ transactions
 */

static void kill_writers(void)
{
    servers_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'");
}

/* What follows must not be committed by itself, as if nothing had been before it. */
START_TEST(a_lost_transaction_stays_lost_until_it_is_ended)
{
    begin_with("redis");
    shopdata_error *error = NULL;
    for (int commits = 0; commits < 2; commits++) {
        servers_ok(shopdata_begin(session, 0, &error), error);
        must_write(session, 6, 60);
        kill_writers();
        check_failure(write_price(session, 7, 70, &error), SHOPDATA_ERR_UNAVAILABLE, &error);
        check_failure(write_price(session, 8, 80, &error), SHOPDATA_ERR_TRANSACTION, &error);
        check_failure((int)read_price(session, 8, &error), SHOPDATA_ERR_TRANSACTION, &error);
        check_failure(shopdata_rollback_to(session, "s", &error), SHOPDATA_ERR_TRANSACTION, &error);
        check_failure(shopdata_begin(session, 0, &error), SHOPDATA_ERR_TRANSACTION, &error);
        if (commits)
            check_failure(shopdata_commit(session, &error), SHOPDATA_ERR_TRANSACTION, &error);
        else
            servers_ok(shopdata_rollback(session, &error), error);
        for (int id = 6; id <= 8; id++)
            ck_assert_int_eq(price_of(session, id), id);
    }
    must_write(session, 8, 81);
    ck_assert_int_eq(price_of(session, 8), 81);
    finish();
}
END_TEST

START_TEST(commit_ends_a_failed_transaction_too)
{
    begin_with("none");
    shopdata_error *error = NULL;
    shopdata_statement *broken = servers_statement(client, "SELECT 1 / (id - id) FROM item WHERE id = 1");
    shopdata_result *result = NULL;
    servers_ok(shopdata_begin(session, 0, &error), error);
    must_write(session, 9, 90);
    check_failure(shopdata_query(session, broken, NULL, 0, &result, &error), SHOPDATA_ERR_SQL, &error);
    check_failure(shopdata_commit(session, &error), SHOPDATA_ERR_TRANSACTION, &error);
    servers_ok(shopdata_begin(session, 0, &error), error);
    servers_ok(shopdata_rollback(session, &error), error);
    ck_assert_int_eq(price_of(session, 9), 9);
    shopdata_statement_free(broken);
    finish();
}
END_TEST

START_TEST(a_commit_cut_off_is_ambiguous_or_certain)
{
    begin_with("redis");
    shopdata_error *error = NULL;
    int port = port_of_primary();
    for (int i = 0; i < 5; i++) {
        price_of(session, 10);
        servers_ok(shopdata_begin(session, 0, &error), error);
        must_write(session, 10, 100 + i);
        cut_connections(port);
        int status = shopdata_commit(session, &error); /* its answer may have come before the cut */
        ck_assert_msg(status == SHOPDATA_ERR_AMBIGUOUS || status == SHOPDATA_OK, "%s", shopdata_status_name(status));
        shopdata_error_free(error);
        error = NULL;
        ck_assert_int_eq(price_of(session, 10), number("SELECT price FROM item WHERE id = 10"));
    }
    finish();
}
END_TEST

/* The plan of a new statement asks the catalog on another connection, which must not wait for this one's locks. */
START_TEST(ddl_in_a_transaction_does_not_wait_for_itself)
{
    begin_with("redis");
    shopdata_error *error = NULL;
    shopdata_statement *alter = servers_statement(client, "ALTER TABLE item ADD COLUMN colour text");
    shopdata_statement *fresh = servers_statement(client, "UPDATE item SET name = 'x' WHERE id = 11");
    int64_t begin = sdi_now();
    servers_ok(shopdata_begin(session, 0, &error), error);
    servers_ok(shopdata_execute(session, alter, NULL, 0, NULL, &error), error);
    servers_ok(shopdata_execute(session, fresh, NULL, 0, NULL, &error), error);
    ck_assert_int_eq(price_of(session, 11), 11);
    servers_ok(shopdata_commit(session, &error), error);
    ck_assert_int_lt(ms_since(begin), UNIT_BUSY_MS);
    shopdata_statement_free(alter);
    shopdata_statement_free(fresh);
    finish();
}
END_TEST

/* The first answer fills the server's buffer, so it arrives long before the second read has run out of time. */
START_TEST(a_batch_out_of_time_says_so)
{
    begin_with("none");
    shopdata_error *error = NULL;
    shopdata_result *results[2] = {NULL, NULL};
    shopdata_statement *big = servers_statement(client, "SELECT repeat(name, 1000) FROM item"),
                       *slow = servers_statement(client, "SELECT pg_sleep(3)");
    shopdata_call calls[2] = {{.statement = big}, {.statement = slow}};
    servers_ok(shopdata_statement_add_tag(slow, "none", &error), error);
    servers_ok(shopdata_session_set_deadline(session, 300, NULL), NULL);
    check_failure(shopdata_query_many(session, calls, 2, results, &error), SHOPDATA_ERR_TIMEOUT, &error);
    ck_assert_ptr_null(results[0]);
    shopdata_statement_free(big);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- frozen servers
 */

START_TEST(frozen_replicas_are_found_out_within_the_deadline)
{
    begin_with("redis");
    servers_do("freeze replica1");
    servers_do("freeze replica2");
    for (int id = 20; id < 30; id++)
        ck_assert_int_eq(price_of(session, id), id);
    servers_do("thaw replica1");
    servers_do("thaw replica2");
    finish();
}
END_TEST

START_TEST(with_the_primary_frozen_or_killed_replicas_answer)
{
    static const char *const ends[][2] = {{"freeze primary", "thaw primary"}, {"kill primary", "start primary"}};
    begin_with("redis");
    for (int round = 0; round < 2; round++) {
        shopdata_error *error = NULL;
        servers_do(ends[round][0]);
        for (int id = 30 + 10 * round; id < 40 + 10 * round; id++)
            ck_assert_int_eq(price_of(session, id), id);
        servers_ok(shopdata_session_set_deadline(session, 300, NULL), NULL);
        int64_t begin = sdi_now();
        int status = write_price(session, 1, 1, &error);
        ck_assert_msg(status < 0 && ms_since(begin) < 300 + UNIT_BUSY_MS, "%s after %d ms",
                      shopdata_status_name(status), (int)ms_since(begin));
        shopdata_error_free(error);
        servers_do(ends[round][1]);
        servers_ok(shopdata_session_set_deadline(session, 20000, NULL), NULL);
        must_write(session, 1, 1);
        wait_for_primary();
        servers_ok(shopdata_session_set_deadline(session, 5000, NULL), NULL);
    }
    finish();
}
END_TEST

START_TEST(everything_frozen_ends_at_the_deadline)
{
    static const char *const all[] = {"primary", "replica1", "replica2", "redis"};
    char text[40];
    begin_with("redis");
    servers_ok(shopdata_session_set_deadline(session, 400, NULL), NULL);
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "freeze %s", all[i]);
        servers_do(text);
    }
    for (int i = 0; i < 6; i++) {
        shopdata_error *error = NULL;
        int64_t begin = sdi_now();
        int64_t status = i % 2 ? write_price(session, 60 + i, 1, &error) : read_price(session, 60 + i, &error);
        ck_assert_msg(status < 0 && ms_since(begin) < 400 + UNIT_BUSY_MS, "%d after %d ms", (int)status,
                      (int)ms_since(begin));
        ck_assert_ptr_nonnull(error);
        shopdata_error_free(error);
    }
    int64_t begin = sdi_now();
    finish(); /* pool.connect_timeout is 500 ms */
    ck_assert_int_lt(ms_since(begin), 500 + UNIT_BUSY_MS);
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "thaw %s", all[i]);
        servers_do(text);
    }
}
END_TEST

START_TEST(an_exhausted_pool_says_busy_in_time)
{
    begin_set("redis", "pool.size", "1");
    shopdata_error *error = NULL;
    must_write(session, 1, 1);
    lock_item(true);
    int64_t begin = sdi_now();
    check_failure(write_price(session, 5, 1, &error), SHOPDATA_ERR_BUSY, &error);
    ck_assert_int_lt(ms_since(begin), 1000 + UNIT_BUSY_MS); /* pool.wait_timeout is 1 s */
    servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, NULL), NULL);
    begin = sdi_now();
    check_failure((int)read_price(session, 5, &error), SHOPDATA_ERR_BUSY, &error);
    ck_assert_int_lt(ms_since(begin), 3000 + UNIT_BUSY_MS);
    lock_item(false);
    ck_assert_int_eq(price_of(session, 5), 5);
    finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- all at once */

enum { ITEMS = 8, READERS = 24, DEADLINE_MS = 1500, SECONDS = 15, SECONDS_BRIEF = 5 };
static atomic_llong acknowledged[ITEMS];
static atomic_int stale, late_calls, strange, reads, writes;
static atomic_bool storm;

static bool allowed(int64_t status)
{
    return status >= 0 || status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_TIMEOUT ||
           status == SHOPDATA_ERR_BUSY || status == SHOPDATA_ERR_AMBIGUOUS;
}

static void note(const char *what, int64_t begin, int64_t status, shopdata_error *error)
{
    if (ms_since(begin) > DEADLINE_MS + 3500 && atomic_fetch_add(&late_calls, 1) < 5)
        fprintf(stderr, "%s took %d ms: %s\n", what, (int)ms_since(begin), shopdata_error_message(error));
    if (!allowed(status) && atomic_fetch_add(&strange, 1) < 5)
        fprintf(stderr, "%s: %s: %s\n", what, shopdata_status_name((int)status), shopdata_error_message(error));
    shopdata_error_free(error);
}

static shopdata_session *stormy_session(void)
{
    shopdata_session *mine;
    servers_ok(shopdata_session_new(client, &mine, NULL), NULL);
    servers_ok(shopdata_session_set_deadline(mine, DEADLINE_MS, NULL), NULL);
    return mine;
}

/* Versions only grow; one that is UNFENCED or AMBIGUOUS is not promised to anybody. */
static void *storm_writer(void *argument)
{
    int item = (int)(intptr_t)argument;
    shopdata_session *mine = stormy_session();
    for (int64_t version = 1000; atomic_load(&storm); version++) {
        shopdata_error *error = NULL;
        int64_t begin = sdi_now();
        bool wrapped = version % 3 == 0;
        int status = wrapped ? shopdata_begin(mine, 0, &error) : SHOPDATA_OK;
        if (status == SHOPDATA_OK)
            status = write_price(mine, item + 1, version, &error);
        if (wrapped && status == SHOPDATA_OK)
            status = shopdata_commit(mine, &error);
        else if (wrapped)
            shopdata_rollback(mine, NULL);
        if (status >= 0)
            atomic_store(&acknowledged[item], version);
        if (!wrapped)
            note("a write", begin, status, error);
        else
            note("a transaction", sdi_now(), status, error);
        atomic_fetch_add(&writes, status >= 0);
        usleep(1000);
    }
    shopdata_session_free(mine);
    return NULL;
}

static void *storm_reader(void *argument)
{
    shopdata_session *mine = stormy_session();
    for (unsigned i = (unsigned)(intptr_t)argument; atomic_load(&storm); i++) {
        shopdata_error *error = NULL;
        int item = (int)(i % ITEMS);
        int64_t least = atomic_load(&acknowledged[item]), begin = sdi_now();
        int64_t price = read_price(mine, item + 1, &error);
        if (price >= 0 && price < least && atomic_fetch_add(&stale, 1) < 5)
            fprintf(stderr, "item %d: %lld, but %lld was acknowledged\n", item + 1, (long long)price, (long long)least);
        note("a read", begin, price, error);
        atomic_fetch_add(&reads, price >= 0);
    }
    shopdata_session_free(mine);
    return NULL;
}

static void trouble(unsigned *seed)
{
    static const char *const pairs[][2] = {
        {"pause replica1", "resume replica1"}, {"pause replica2", "resume replica2"},
        {"freeze replica1", "thaw replica1"},  {"freeze replica2", "thaw replica2"},
        {"kill replica1", "start replica1"},   {"freeze primary", "thaw primary"},
        {"kill primary", "start primary"},     {"freeze redis", "thaw redis"},
        {"kill redis", "start redis"},         {"freeze memcached", "thaw memcached"},
        {"kill memcached", "start memcached"},
    };
    size_t what = (size_t)rand_r(seed) % (sizeof pairs / sizeof pairs[0]);
    servers_do(pairs[what][0]);
    usleep(100000 + (useconds_t)rand_r(seed) % 700000);
    servers_do(pairs[what][1]);
    usleep((useconds_t)rand_r(seed) % 200000);
}

static void run_storm(unsigned seed, bool brief)
{
    pthread_t threads[ITEMS + READERS];
    for (int i = 0; i < ITEMS; i++)
        atomic_store(&acknowledged[i], 0);
    int64_t until = sdi_deadline_in((brief ? SECONDS_BRIEF : SECONDS) * 1000);
    atomic_store(&storm, true);
    for (intptr_t i = 0; i < ITEMS + READERS; i++)
        pthread_create(&threads[i], NULL, i < ITEMS ? storm_writer : storm_reader, (void *)i);
    while (sdi_now() < until)
        trouble(&seed);
    atomic_store(&storm, false);
    for (int i = 0; i < ITEMS + READERS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(whatever_happens_no_read_is_old_and_no_call_is_late)
{
    static const char *const caches[] = {"redis", "memcached"};
    begin_with(caches[_i]);
    const char *seed = getenv("STORM_SEED");
    run_storm((unsigned)(seed ? strtol(seed, NULL, 10) : sdi_now()), _i > 0 || getenv("SHOPDATA_TEST_BRIEF"));
    fprintf(stderr, "%d reads, %d writes\n", atomic_load(&reads), atomic_load(&writes));
    ck_assert_int_eq(atomic_load(&stale), 0);
    ck_assert_int_eq(atomic_load(&late_calls), 0);
    ck_assert_int_eq(atomic_load(&strange), 0);
    ck_assert_int_gt(atomic_load(&reads), 100);
    ck_assert_int_gt(atomic_load(&writes), 10);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    servers_required_memcached();
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, a_placeholder_that_comes_late_installs_nothing);
    tcase_add_test(cases, a_fence_that_comes_late_replaces_no_later_placeholder);
    tcase_add_test(cases, one_sample_serves_all_who_wait_for_a_cold_key);
    tcase_add_test(cases, an_ambiguous_write_has_ended_when_that_is_told);
    tcase_add_test(cases, a_write_to_a_frozen_primary_is_never_hidden);
    tcase_add_test(cases, a_write_whose_answer_is_too_large_is_told_of);
    tcase_add_test(cases, a_lost_transaction_stays_lost_until_it_is_ended);
    tcase_add_test(cases, commit_ends_a_failed_transaction_too);
    tcase_add_test(cases, a_commit_cut_off_is_ambiguous_or_certain);
    tcase_add_test(cases, ddl_in_a_transaction_does_not_wait_for_itself);
    tcase_add_test(cases, a_batch_out_of_time_says_so);
    tcase_add_test(cases, frozen_replicas_are_found_out_within_the_deadline);
    tcase_add_test(cases, with_the_primary_frozen_or_killed_replicas_answer);
    tcase_add_test(cases, everything_frozen_ends_at_the_deadline);
    tcase_add_test(cases, an_exhausted_pool_says_busy_in_time);
    tcase_add_loop_test(cases, whatever_happens_no_read_is_old_and_no_call_is_late, 0, 2);
}

UNIT_MAIN("integration/faults", fill, 120)
