/* test_strict.c - `cache.mode` strict: what is visible on the primary is in every cached answer, also if the writer was
 * killed before he could tell. The writer who is killed is a process of its own; a proxy between him and the cache
 * holds him up at the step that is meant. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/caches.h"
#include "../support/proxy.h"
#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/memory.h"
#include "base/random.h"
#include "cache/operation.h"
#include "fresh/keys.h"
#include "postgres/moment.h"

static const char *const caches[] = {"redis", "memory"};
enum { REDIS, MEMORY, CACHES };

static char prefix[64];
static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *all, *set_price;

/* --------------------------------------------------------------------------------------------------------- helpers */

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

/* All clients of a test share the keys. */
static shopdata_config *config_of(const char *cache, const char *mode)
{
    shopdata_config *config = servers_config(cache);
    set(config, "cache.mode", mode);
    set(config, "cache.key_prefix", prefix);
    set(config, "route.catalog_interval", "0ms"); /* the table's making shall be no news */
    return config;
}

static void make_table(void)
{
    snprintf(prefix, sizeof prefix, "strict-%016llx", (unsigned long long)sdi_nonce());
    servers_sql(
        "SET client_min_messages = warning; DROP TABLE IF EXISTS item, aside; "
        "CREATE TABLE item (id int PRIMARY KEY, price int NOT NULL, UNIQUE (price) DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO item SELECT i, i FROM generate_series(1, 50) i; CREATE TABLE aside (id int)");
    servers_settle();
}

static void make_statements(shopdata_client *of)
{
    by_id = servers_statement(of, "SELECT id, price FROM item WHERE id = $1");
    all = servers_statement(of, "SELECT count(*), sum(price) FROM item");
    set_price = servers_statement(of, "UPDATE item SET price = $2 WHERE id = $1");
}

static void begin(const char *cache)
{
    make_table();
    client = servers_open_with(config_of(cache, "strict"));
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(all);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_close(client);
}

static int64_t ask(int id, int *source_out)
{
    int64_t price;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(session, by_id, &param, 1, &result, &error), error);
    servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    if (source_out)
        *source_out = shopdata_result_source(result);
    shopdata_result_free(result);
    return price;
}

static void expect(int id, int64_t price)
{
    ck_assert_int_eq(ask(id, NULL), price);
}

/* Within a few reads it comes from the cache again: what is pending is settled, and replicas have replayed. A
 * placeholder of a read that ran out of time stands for ten seconds. */
static void expect_cached(int id, int64_t price)
{
    int source = 0;
    for (int i = 0; i < 4000 && source != SHOPDATA_FROM_CACHE; i++) {
        ck_assert_int_eq(ask(id, &source), price);
        usleep(5000);
    }
    ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
}

static int execute(shopdata_session *who, int id, int price, shopdata_error **error)
{
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    return shopdata_execute(who, set_price, params, 2, NULL, error);
}

static void write_price(int id, int price)
{
    shopdata_error *error = NULL;
    servers_ok(execute(session, id, price, &error), error);
}

static double metric(const char *name, const char *label)
{
    return servers_metric(client, name, label);
}

static double fence_changes(const char *label)
{
    return metric("shopdata_fence_changes_total", label);
}

/* ----------------------------------------------------------------------------------------------- a writer is killed */

/* A process that writes one price, through a cache at the port that it is told. */
typedef struct victim {
    pid_t pid;
    int told;
    proxy *between;
} victim;

static void write_as_victim(int port_from, const char *mode)
{
    char address[64];
    int port = 0;
    shopdata_client *own;
    shopdata_session *writer;
    if (read(port_from, &port, sizeof port) != sizeof port)
        _exit(1);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    shopdata_config *config = config_of("redis", mode);
    set(config, "cache.address", address);
    set(config, "cache.timeout", "30s");
    if (shopdata_open(config, &own, NULL) || shopdata_ready(own, 10000, NULL) ||
        shopdata_session_new(own, &writer, NULL) ||
        shopdata_statement_new(own, NULL, "UPDATE item SET price = $2 WHERE id = $1", &set_price, NULL))
        _exit(2);
    execute(writer, 1, 1000, NULL);
    _exit(3);
}

/* It is forked before there are threads. */
static victim breed(const char *mode)
{
    int ends[2];
    victim made = {.pid = -1};
    make_table();
    ck_assert_int_eq(pipe(ends), 0);
    made.pid = fork();
    ck_assert_int_ge(made.pid, 0);
    if (made.pid == 0) {
        close(ends[1]);
        write_as_victim(ends[0], mode);
    }
    close(ends[0]);
    made.told = ends[1];
    client = servers_open_with(config_of("redis", mode));
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
    return made;
}

/* Lets it write, until this fault has struck; then it is killed. */
static void kill_at(victim *v, proxy_fault fault)
{
    char host[64];
    int port = 0;
    ck_assert_int_eq(sscanf(getenv("SHOPDATA_REDIS"), "%63[^:]:%d", host, &port), 2);
    v->between = proxy_open(host, port);
    proxy_strike(v->between, &fault);
    port = proxy_port(v->between);
    ck_assert_int_eq(write(v->told, &port, sizeof port), sizeof port);
    for (int i = 0; i < 2000 && !proxy_happened(v->between); i++)
        usleep(5000);
    ck_assert_uint_eq(proxy_happened(v->between), 1);
    ck_assert_int_eq(kill(v->pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(v->pid, NULL, 0), v->pid);
    close(v->told);
}

/* The last argument of what tells the cache is what it settles: nothing ("-"), or one transaction (33 bytes, as no key
 * here is long: not even with a process's number in the prefix). A mark settles nothing, what follows COMMIT settles
 * the mark; in mode fenced there is only the one, which settles nothing. */
static const proxy_fault BEHIND_COMMIT = {.kind = PROXY_STALL_REQUEST, .word = "\r\n$33\r\n", .lines = 1};
static const proxy_fault BEHIND_COMMIT_FENCED = {.kind = PROXY_STALL_REQUEST, .word = "\r\n$1\r\n-\r\n", .lines = 1};
static const proxy_fault BEHIND_MARK = {.kind = PROXY_STALL_ANSWER, .word = "\r\n$1\r\n-\r\n", .lines = 1};
static const proxy_fault BEFORE_MARK = {.kind = PROXY_STALL_REQUEST, .word = "\r\n$1\r\n-\r\n", .lines = 1};

static void end_victim(victim *v)
{
    finish();
    proxy_close(v->between);
}

START_TEST(a_writer_killed_behind_commit_is_found)
{
    victim writer = breed("strict");
    expect(1, 1);
    expect_cached(1, 1);
    kill_at(&writer, BEHIND_COMMIT);
    expect(1, 1000);
    ck_assert_double_ge(metric("shopdata_pending_met_total", NULL), 1);
    expect_cached(1, 1000);
    ck_assert_double_eq(metric("shopdata_pending_settled_total", NULL), 1);
    end_victim(&writer);
}
END_TEST

/* That is what it is for: in mode fenced the same writer's price is not seen until the entry's time is up. */
START_TEST(in_fenced_he_is_not)
{
    victim writer = breed("fenced");
    expect(1, 1);
    expect_cached(1, 1);
    kill_at(&writer, BEHIND_COMMIT_FENCED);
    expect_cached(1, 1);
    char *price = servers_value("SELECT price FROM item WHERE id = 1");
    ck_assert_str_eq(price, "1000");
    free(price);
    end_victim(&writer);
}
END_TEST

START_TEST(a_writer_killed_behind_his_mark_has_not_written)
{
    victim writer = breed("strict");
    expect_cached(1, 1);
    kill_at(&writer, BEHIND_MARK);
    expect(1, 1);
    expect_cached(1, 1);
    ck_assert_double_eq(metric("shopdata_pending_settled_total", NULL), 1);
    end_victim(&writer);
}
END_TEST

START_TEST(a_writer_killed_before_his_mark_has_not_written)
{
    victim writer = breed("strict");
    expect_cached(1, 1);
    kill_at(&writer, BEFORE_MARK);
    expect_cached(1, 1);
    ck_assert_double_eq(metric("shopdata_pending_met_total", NULL), 0);
    end_victim(&writer);
}
END_TEST

/* The mark is gone with the server; so are the entries. */
START_TEST(a_mark_lost_with_its_server_is_not_missed)
{
    victim writer = breed("strict");
    expect_cached(1, 1);
    kill_at(&writer, BEHIND_COMMIT);
    servers_do("restart redis");
    expect(1, 1000);
    expect_cached(1, 1000);
    end_victim(&writer);
}
END_TEST

/* The fence is made while the writer is in the middle: he has an xid, and has found nothing to mark. */
START_TEST(a_fence_knows_who_was_running_when_it_was_made)
{
    victim writer = breed("strict");
    kill_at(&writer, BEHIND_MARK);
    expect(1, 1);
    expect_cached(1, 1);
    end_victim(&writer);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- writes that live
 */

START_TEST(a_write_is_seen_and_marks_and_settles)
{
    begin(caches[_i]);
    expect_cached(1, 1);
    for (int price = 100; price < 130; price++) {
        write_price(1, price);
        expect(1, price);
    }
    expect_cached(1, 129);
    ck_assert_double_eq(fence_changes("kind=\"marked\""), fence_changes("kind=\"merged\""));
    ck_assert_double_ge(fence_changes("kind=\"marked\""), 60);
    ck_assert_double_eq(metric("shopdata_pending_met_total", NULL), 0); /* settled before each write returned */
    finish();
}
END_TEST

static void check_refused(int status, shopdata_error *error)
{
    ck_assert_int_eq(status, SHOPDATA_ERR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(shopdata_error_message(error), "the cache did not take the mark of this write"));
    ck_assert_int_ne(shopdata_error_is_retriable(error), 0);
    shopdata_error_free(error);
}

START_TEST(without_the_cache_nothing_is_written)
{
    begin("redis");
    shopdata_error *error = NULL;
    expect_cached(1, 1);
    servers_do("stop redis");
    int status = execute(session, 1, 100, &error);
    check_refused(status, error);
    error = NULL;
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    servers_ok(execute(session, 2, 200, &error), error);
    status = shopdata_commit(session, &error);
    check_refused(status, error);
    ck_assert_int_eq(shopdata_rollback(session, NULL), SHOPDATA_ERR_TRANSACTION); /* it is over */
    expect(1, 1);
    expect(2, 2);
    ck_assert_double_eq(metric("shopdata_marks_refused_total", NULL), 2);
    servers_do("start redis");
    for (status = -1, error = NULL; status != SHOPDATA_OK; usleep(20000)) {
        shopdata_error_free(error);
        error = NULL;
        status = execute(session, 1, 100, &error);
    }
    expect_cached(1, 100);
    finish();
}
END_TEST

/* What became of the mark is known only after the cache's timeout, and the server does not wait for it. */
START_TEST(a_connection_lost_while_the_mark_is_refused)
{
    make_table();
    shopdata_config *config = config_of("redis", "strict");
    set(config, "cache.timeout", "2s");
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
    shopdata_error *error = NULL;
    expect_cached(1, 1);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    servers_ok(execute(session, 1, 100, &error), error);
    servers_do("freeze redis");
    pid_t killer = fork();
    if (killer == 0) {
        servers_sql("DO $$ BEGIN FOR i IN 1..1000 LOOP PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE state = 'idle in transaction' AND query LIKE '%pg_current_snapshot%'; EXIT WHEN FOUND;"
                    " PERFORM pg_sleep(0.005); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$");
        _exit(0);
    }
    int status = shopdata_commit(session, &error);
    check_refused(status, error);
    ck_assert_int_eq(waitpid(killer, NULL, 0), killer);
    ck_assert_int_eq(shopdata_rollback(session, NULL), SHOPDATA_ERR_TRANSACTION); /* it is over */
    servers_do("thaw redis");
    char *price = servers_value("SELECT price FROM item WHERE id = 1");
    ck_assert_str_eq(price, "1");
    free(price);
    finish();
}
END_TEST

START_TEST(who_changes_nothing_marks_nothing)
{
    begin(caches[_i]);
    write_price(999, 1);
    ck_assert_double_eq(fence_changes("kind=\"marked\""), 0);
    shopdata_error *error = NULL;
    servers_ok(shopdata_begin(session, SHOPDATA_READ_ONLY, &error), error);
    expect(1, 1);
    servers_ok(shopdata_commit(session, &error), error);
    ck_assert_double_eq(fence_changes(NULL), 0);
    finish();
}
END_TEST

/* Two items of one price: the constraint is looked at when it commits. */
START_TEST(a_commit_that_fails_leaves_no_trace)
{
    begin(caches[_i]);
    shopdata_error *error = NULL;
    expect_cached(1, 1);
    ck_assert_int_eq(execute(session, 1, 2, &error), SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_sqlstate(error), "23505");
    shopdata_error_free(error);
    int source;
    ck_assert_int_eq(ask(1, &source), 1);
    ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
    error = NULL;
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    servers_ok(execute(session, 1, 2, &error), error);
    ck_assert_int_eq(shopdata_commit(session, &error), SHOPDATA_ERR_SQL);
    shopdata_error_free(error);
    ck_assert_int_eq(ask(1, &source), 1);
    ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
    ck_assert_double_eq(fence_changes("kind=\"withdrawn\""), fence_changes("kind=\"marked\""));
    finish();
}
END_TEST

START_TEST(a_savepoint_undone_is_marked_with_the_rest)
{
    begin(caches[_i]);
    shopdata_error *error = NULL;
    expect_cached(1, 1);
    expect_cached(2, 2);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    servers_ok(execute(session, 1, 100, &error), error);
    servers_ok(shopdata_savepoint(session, "s", &error), error);
    servers_ok(execute(session, 2, 200, &error), error);
    servers_ok(shopdata_rollback_to(session, "s", &error), error);
    servers_ok(shopdata_commit(session, &error), error);
    expect(1, 100);
    expect(2, 2);
    expect_cached(2, 2);
    finish();
}
END_TEST

/* A transaction of anybody that has an xid: who knows what it will write. */
START_TEST(a_long_transaction_keeps_new_fences_off_the_standbys_until_it_ends)
{
    begin(caches[_i]);
    int source;
    shopdata_error *error = NULL;
    shopdata_session *other;
    shopdata_statement *insert = servers_statement(client, "INSERT INTO aside VALUES (1)");
    expect_cached(1, 1);
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    servers_ok(shopdata_begin(other, SHOPDATA_READ_COMMITTED, &error), error);
    servers_ok(shopdata_execute(other, insert, NULL, 0, NULL, &error), error);
    expect(2, 2);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask(2, &source), 2);
        ck_assert_int_eq(source, SHOPDATA_FROM_PRIMARY);
        ck_assert_int_eq(ask(1, &source), 1); /* its fence stood before */
        ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
    }
    ck_assert_double_ge(metric("shopdata_cache_fills_dropped_total", "reason=\"pending\""), 5);
    servers_ok(shopdata_commit(other, &error), error);
    expect_cached(2, 2);
    shopdata_statement_free(insert);
    shopdata_session_free(other);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------- records that stand
 */

/* The record of a tag, past the library. */
static sdi_slice fence_key(const char *tag, sdi_buffer *key)
{
    sdi_buffer space = SDI_BUFFER_INIT;
    char *database = servers_value("SELECT current_database()");
    sdi_key_space(prefix, database, &space);
    sdi_fence_key((sdi_slice){space.data, space.length}, sdi_slice_of(tag), key);
    sdi_buffer_free(&space);
    free(database);
    return (sdi_slice){key->data, key->length};
}

static sdi_cache *open_redis(sdi_metrics **metrics)
{
    sdi_cache_settings settings = caches_settings(SDI_CACHE_REDIS);
    sdi_address *addresses = sdi_addresses_read(sdi_slice_of(getenv("SHOPDATA_REDIS")), &settings.address_count);
    settings.addresses = addresses;
    settings.max_entry_bytes = 1 << 20;
    sdi_cache *cache = caches_open(&settings, metrics); /* it has a copy */
    sdi_free(addresses);
    return cache;
}

/* The letter of the record that stands; 0: none. */
static char letter_of(sdi_cache *cache, sdi_slice key)
{
    sdi_cache_op get = {.verb = SDI_CACHE_GET, .key = key};
    ck_assert(sdi_cache_run(cache, &get, 1, SDI_NEVER));
    char letter = get.found ? *get.block : '\0';
    sdi_cache_unset(&get, 1);
    return letter;
}

START_TEST(what_another_mode_left_is_made_anew)
{
    begin("redis");
    sdi_metrics *metrics;
    sdi_cache *cache = open_redis(&metrics);
    sdi_buffer room = SDI_BUFFER_INIT;
    sdi_slice key = fence_key("public.item/id=1", &room);
    finish();
    client = servers_open_with(config_of("redis", "fenced"));
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
    expect_cached(1, 1);
    ck_assert_int_eq(letter_of(cache, key), 'F');
    finish();
    client = servers_open_with(config_of("redis", "strict"));
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
    int source;
    ck_assert_int_eq(ask(1, &source), 1);
    ck_assert_int_ne(source, SHOPDATA_FROM_CACHE);
    expect_cached(1, 1);
    ck_assert_int_eq(letter_of(cache, key), 'S');
    finish();
    caches_close(cache, metrics);
    sdi_buffer_free(&room);
}
END_TEST

START_TEST(what_is_damaged_is_made_anew)
{
    begin("redis");
    sdi_metrics *metrics;
    sdi_cache *cache = open_redis(&metrics);
    sdi_buffer room = SDI_BUFFER_INIT;
    sdi_slice key = fence_key("public.item/id=1", &room);
    sdi_cache_op spoil = {.verb = SDI_CACHE_SET, .key = key, .value = sdi_slice_of("S nonsense"), .ttl_ms = 60000};
    expect_cached(1, 1);
    ck_assert(sdi_cache_run(cache, &spoil, 1, SDI_NEVER));
    expect(1, 1);
    expect_cached(1, 1);
    ck_assert_int_eq(letter_of(cache, key), 'S');
    finish();
    caches_close(cache, metrics);
    sdi_buffer_free(&room);
}
END_TEST

static sdi_era era_of_primary(void)
{
    char *system = servers_value("SELECT system_identifier FROM pg_control_system()");
    char *timeline = servers_value("SELECT timeline_id FROM pg_control_checkpoint()");
    sdi_era era = {strtoull(system, NULL, 10), (uint32_t)strtoul(timeline, NULL, 10)};
    free(system);
    free(timeline);
    return era;
}

/* A position that no entry of before has. */
static sdi_lsn flush_anew(void)
{
    servers_sql("INSERT INTO aside VALUES (1)");
    char *flush = servers_value("SELECT pg_current_wal_flush_lsn() - '0/0'");
    sdi_lsn lsn = strtoull(flush, NULL, 10);
    free(flush);
    return lsn;
}

/* So many writers that died: each left a mark with an xid of long ago. */
START_TEST(many_marks_are_settled_at_once_and_too_many_delete_the_fence)
{
    begin("redis");
    sdi_metrics *metrics;
    sdi_cache *cache = open_redis(&metrics);
    sdi_buffer room = SDI_BUFFER_INIT;
    sdi_slice key = fence_key("public.item/id=1", &room);
    sdi_change mark = {.point = {.era = era_of_primary(), .pending.count = 1}};
    sdi_cache_op merge = {.verb = SDI_CACHE_MERGE, .key = key, .change = &mark, .ttl_ms = 60000};
    for (uint64_t count = SDI_PENDING_MAX; count <= SDI_PENDING_MAX + 1; count++) {
        expect_cached(1, 1);
        sdi_lsn flush = flush_anew();
        for (uint64_t i = 0; i < count; i++) {
            mark.point.pending.list[0] = (sdi_pending){100 + i, flush};
            ck_assert(sdi_cache_run(cache, &merge, 1, SDI_NEVER));
        }
        ck_assert_int_eq(letter_of(cache, key), count > SDI_PENDING_MAX ? '\0' : 'S');
        expect(1, 1);
        ck_assert_double_eq(metric("shopdata_pending_settled_total", NULL), SDI_PENDING_MAX);
    }
    expect_cached(1, 1);
    finish();
    caches_close(cache, metrics);
    sdi_buffer_free(&room);
}
END_TEST

/* Marks of transactions that the primary does not know: lost in a crash. */
START_TEST(what_was_lost_in_a_crash_is_settled)
{
    begin("redis");
    sdi_metrics *metrics;
    sdi_cache *cache = open_redis(&metrics);
    sdi_buffer room = SDI_BUFFER_INIT;
    sdi_slice key = fence_key("public.item/id=1", &room);
    sdi_change mark = {.point = {.era = era_of_primary(), .pending = {1, {{UINT64_C(1) << 31, 8}}}}};
    sdi_cache_op merge = {.verb = SDI_CACHE_MERGE, .key = key, .change = &mark, .ttl_ms = 60000};
    expect_cached(1, 1);
    ck_assert(sdi_cache_run(cache, &merge, 1, SDI_NEVER));
    expect(1, 1);
    expect_cached(1, 1);
    ck_assert_double_eq(metric("shopdata_pending_settled_total", NULL), 1);
    finish();
    caches_close(cache, metrics);
    sdi_buffer_free(&room);
}
END_TEST

/* A writer who is about to return, as a reader sees him: marked, and settled a moment later. */
typedef struct returning {
    sdi_cache *cache;
    sdi_cache_op settle;
} returning;

static void *return_late(void *argument)
{
    returning *late = argument;
    usleep(100000);
    ck_assert(sdi_cache_run(late->cache, &late->settle, 1, SDI_NEVER));
    return NULL;
}

static void open_patient(void)
{
    make_table();
    shopdata_config *config = config_of("redis", "strict");
    set(config, "route.wait_for_replica", "5s");
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
}

START_TEST(a_reader_waits_for_who_is_about_to_return)
{
    open_patient();
    sdi_metrics *metrics;
    sdi_cache *cache = open_redis(&metrics);
    sdi_buffer room = SDI_BUFFER_INIT;
    sdi_slice key = fence_key("public.item/id=1", &room);
    sdi_pendings one = {1, {{UINT64_C(1) << 40, UINT64_C(1) << 60}}}; /* nobody but he can settle it */
    sdi_change mark = {.point = {.era = era_of_primary(), .pending = one}};
    sdi_change settle = {.point = {.era = mark.point.era}, .settled = one};
    sdi_cache_op merge = {.verb = SDI_CACHE_MERGE, .key = key, .change = &mark, .ttl_ms = 60000};
    returning late = {cache, merge};
    late.settle.change = &settle;
    expect_cached(1, 1);
    ck_assert(sdi_cache_run(cache, &merge, 1, SDI_NEVER));
    pthread_t thread;
    int source;
    ck_assert_int_eq(pthread_create(&thread, NULL, return_late, &late), 0);
    ck_assert_int_eq(ask(1, &source), 1);
    ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
    pthread_join(thread, NULL);
    finish();
    caches_close(cache, metrics);
    sdi_buffer_free(&room);
}
END_TEST

/* --------------------------------------------------------------------------------------------- a reader without cache
 */

/* He cannot read the fences; the primary tells him what was written last. Replicas that stand still may not answer. */
START_TEST(who_cannot_read_the_fences_sees_the_write_all_the_same)
{
    make_table();
    shopdata_client *writes = servers_open_with(config_of("redis", "strict"));
    shopdata_session *writer;
    shopdata_error *error = NULL;
    shopdata_config *config = config_of("redis", "strict");
    set(config, "cache.address", "127.0.0.1:1");
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    make_statements(client);
    expect(1, 1);
    shopdata_statement_free(set_price);
    set_price = servers_statement(writes, "UPDATE item SET price = $2 WHERE id = $1");
    servers_ok(shopdata_session_new(writes, &writer, NULL), NULL);
    servers_do("pause replica1");
    servers_do("pause replica2");
    for (int price = 100; price < 110; price++) {
        servers_ok(execute(writer, 1, price, &error), error);
        expect(1, price);
    }
    servers_do("resume replica1");
    servers_do("resume replica2");
    shopdata_session_free(writer);
    shopdata_close(writes);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ the next xid
 */

static sdi_pg_command sql(const char *text)
{
    return (sdi_pg_command){.sql = text};
}

/* What the moment knows in the same batch as this, behind it. */
static sdi_moment moment_behind(const char *before)
{
    sdi_pg_connection *connection;
    shopdata_error *error = NULL;
    sdi_moment moment;
    sdi_pg_command commands[2] = {sql(before), sdi_moment_command()};
    servers_ok(sdi_pg_connect(getenv("SHOPDATA_PRIMARY"), true, SDI_NEVER, &connection, &error), error);
    servers_ok(sdi_pg_run(connection, commands, 2, SIZE_MAX, SDI_NEVER, &error), error);
    ck_assert_int_eq(commands[1].outcome, SDI_PG_DONE);
    ck_assert(sdi_moment_read(connection, commands[1].result, &moment));
    sdi_pg_commands_free(commands, 2);
    sdi_pg_close(connection);
    return moment;
}

/* Whoever has an xid is pending; the moment of a transaction that has one itself says that one. */
START_TEST(the_next_xid_is_behind_all_that_were_given_out)
{
    sdi_pendings pending;
    sdi_moment idle = moment_behind("SELECT 1");
    ck_assert_uint_ge(idle.next, idle.demanded.xmax);
    char *given = servers_value("SELECT pg_current_xact_id()");
    uint64_t xid = strtoull(given, NULL, 10);
    free(given);
    ck_assert_uint_ge(xid, idle.next);
    sdi_moment after = moment_behind("SELECT 1"), own = moment_behind("SELECT pg_current_xact_id()");
    ck_assert_uint_gt(after.next, xid);
    ck_assert(sdi_moment_pending(&after, &pending));
    ck_assert_uint_ge(own.next, after.next);
    sdi_moment later = moment_behind("SELECT 1");
    ck_assert_uint_gt(later.next, own.next); /* it said its own */
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, a_writer_killed_behind_commit_is_found);
    tcase_add_test(cases, in_fenced_he_is_not);
    tcase_add_test(cases, a_writer_killed_behind_his_mark_has_not_written);
    tcase_add_test(cases, a_writer_killed_before_his_mark_has_not_written);
    tcase_add_test(cases, a_mark_lost_with_its_server_is_not_missed);
    tcase_add_test(cases, a_fence_knows_who_was_running_when_it_was_made);
    tcase_add_loop_test(cases, a_write_is_seen_and_marks_and_settles, 0, CACHES);
    tcase_add_test(cases, without_the_cache_nothing_is_written);
    tcase_add_test(cases, a_connection_lost_while_the_mark_is_refused);
    tcase_add_loop_test(cases, who_changes_nothing_marks_nothing, 0, CACHES);
    tcase_add_loop_test(cases, a_commit_that_fails_leaves_no_trace, 0, CACHES);
    tcase_add_loop_test(cases, a_savepoint_undone_is_marked_with_the_rest, 0, CACHES);
    tcase_add_loop_test(cases, a_long_transaction_keeps_new_fences_off_the_standbys_until_it_ends, 0, CACHES);
    tcase_add_test(cases, what_another_mode_left_is_made_anew);
    tcase_add_test(cases, what_is_damaged_is_made_anew);
    tcase_add_test(cases, many_marks_are_settled_at_once_and_too_many_delete_the_fence);
    tcase_add_test(cases, what_was_lost_in_a_crash_is_settled);
    tcase_add_test(cases, a_reader_waits_for_who_is_about_to_return);
    tcase_add_test(cases, who_cannot_read_the_fences_sees_the_write_all_the_same);
    tcase_add_test(cases, the_next_xid_is_behind_all_that_were_given_out);
}

int main(void)
{
    servers_required();
    return unit_run("integration/strict", 240, (unit_fill *const[]){fill}, 1);
}
