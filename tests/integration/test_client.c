/* test_client.c - the whole way: a question through cache, replica and primary, a write to its invalidation, and what
 * happens when a server is ill. Each case runs once for every cache. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static const char *const caches[] = {"redis", "memcached", "memory", "none"};
enum { CACHES = 4, SHARED = 3 /* without none */, SERVED = 2 /* by a server */ };

/* The thread sanitizer does not survive a thread that is started in a forked child. */
#ifdef __SANITIZE_THREAD__
enum { SHARED_WHERE_CHILDREN_HAVE_THREADS = 0 };
#else
enum { SHARED_WHERE_CHILDREN_HAVE_THREADS = SHARED };
#endif

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *by_shelf, *set_price, *add_item;

static void begin_configured(shopdata_config *config)
{
    servers_sql(
        "DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, shelf int NOT NULL, price numeric(10,2) "
        "NOT NULL, name text); INSERT INTO item SELECT i, i / 10, i, 'item ' || i FROM generate_series(1, 100) i");
    servers_settle();
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price, name FROM item WHERE id = $1");
    by_shelf = servers_statement(client, "SELECT id, price FROM item WHERE shelf = $1 ORDER BY id");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1 RETURNING price");
    add_item = servers_statement(client, "INSERT INTO item (id, shelf, price, name) VALUES ($1, $2, $3, 'new')");
}

static void begin_with(const char *cache)
{
    begin_configured(servers_config(cache));
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(by_shelf);
    shopdata_statement_free(set_price);
    shopdata_statement_free(add_item);
    shopdata_session_free(session);
    shopdata_close(client);
}

static shopdata_result *read_item(shopdata_session *who, int id)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(who, by_id, &param, 1, &result, &error), error);
    return result;
}

static double price_of(shopdata_session *who, int id)
{
    shopdata_error *error = NULL;
    double price = -1;
    shopdata_result *result = read_item(who, id);
    if (shopdata_result_rows(result))
        servers_ok(shopdata_result_double(result, 0, 1, &price, &error), error);
    shopdata_result_free(result);
    return price;
}

static int try_price(shopdata_session *who, int id, int price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    int status = shopdata_execute(who, set_price, params, 2, NULL, &error);
    ck_assert_msg(status >= 0, "%s: %s", shopdata_status_name(status), shopdata_error_message(error));
    return status;
}

static int source_of(int id)
{
    shopdata_result *result = read_item(session, id);
    int source = shopdata_result_source(result);
    shopdata_result_free(result);
    return source;
}

START_TEST(second_read_comes_from_the_cache)
{
    begin_with(caches[_i]);
    int first = source_of(1);
    ck_assert(first == SHOPDATA_FROM_REPLICA || first == SHOPDATA_FROM_PRIMARY);
    ck_assert_int_eq(source_of(1), SHOPDATA_FROM_CACHE);
    shopdata_result *result = read_item(session, 1);
    ck_assert_str_ne(shopdata_result_node(result), "");
    ck_assert_int_ge(shopdata_result_age_ms(result), 0);
    shopdata_result_free(result);
    ck_assert_double_ge(servers_metric(client, "shopdata_cache_hits_total", NULL), 2);
    char kind[32];
    snprintf(kind, sizeof kind, "kind=\"%s\"", caches[_i]);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_kind", kind), 1);
    ck_assert_double_eq(servers_metric(client, "shopdata_cache_kind", NULL), 1);
    finish();
}
END_TEST

START_TEST(a_write_is_seen_by_the_next_read_of_anybody)
{
    begin_with(caches[_i]);
    shopdata_session *other;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    for (int price = 1; price <= 200; price++) {
        ck_assert_int_eq(try_price(session, 7, price), SHOPDATA_OK);
        ck_assert_double_eq(price_of(other, 7), price);
        ck_assert_double_eq(price_of(session, 7), price);
    }
    shopdata_session_free(other);
    finish();
}
END_TEST

/* Its record is not flushed yet when COMMIT returns: what was flushed then says nothing of it. And the setting is the
 * transaction's own: behind COMMIT it is another. */
START_TEST(a_write_that_does_not_wait_for_the_flush_is_seen_as_well)
{
    begin_with(caches[_i]);
    servers_sql("CREATE OR REPLACE FUNCTION hasty(int, int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
                "PERFORM set_config('synchronous_commit', 'off', true); "
                "UPDATE item SET price = $2 WHERE id = $1; END $$");
    shopdata_error *error = NULL;
    shopdata_session *other;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    shopdata_statement *hasty = servers_statement(client, "SELECT hasty($1, $2)");
    servers_ok(shopdata_statement_add_tag(hasty, "public.item", &error), error);
    servers_ok(shopdata_statement_add_tag(hasty, "public.item/*", &error), error);
    for (int price = 1; price <= 50; price++) {
        shopdata_param params[2] = {shopdata_int64(7), shopdata_int64(price)};
        servers_ok(shopdata_execute(session, hasty, params, 2, NULL, &error), error);
        ck_assert_double_eq(price_of(other, 7), price);
    }
    shopdata_statement_free(hasty);
    shopdata_session_free(other);
    finish();
}
END_TEST

/* The hole that every peer has: invalidate, miss, read a replica that lags, store the old row for a whole TTL. */
START_TEST(a_lagging_replica_never_fills_the_cache_with_the_past)
{
    begin_with(caches[_i]);
    servers_do("pause replica1");
    servers_do("pause replica2");
    for (int price = 1000; price < 1020; price++) {
        try_price(session, 3, price);
        shopdata_session *other;
        servers_ok(shopdata_session_new(client, &other, NULL), NULL);
        ck_assert_double_eq(price_of(other, 3), price);
        ck_assert_double_eq(price_of(other, 3), price);
        shopdata_session_free(other);
    }
    servers_do("resume replica1");
    servers_do("resume replica2");
    ck_assert_double_eq(price_of(session, 3), 1019);
    finish();
}
END_TEST

START_TEST(lists_and_absent_rows_are_invalidated_too)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_param shelf = shopdata_int64(50);
    for (int id = 500; id < 510; id++) {
        ck_assert_double_eq(price_of(session, id), -1);
        ck_assert_double_eq(price_of(session, id), -1);
        shopdata_param params[3] = {shopdata_int64(id), shopdata_int64(50), shopdata_int64(5)};
        servers_ok(shopdata_execute(session, add_item, params, 3, NULL, &error), error);
        ck_assert_double_eq(price_of(session, id), 5);
        shopdata_result *list = NULL;
        servers_ok(shopdata_query(session, by_shelf, &shelf, 1, &list, &error), error);
        ck_assert_uint_eq(shopdata_result_rows(list), (size_t)(id - 499));
        shopdata_result_free(list);
    }
    finish();
}
END_TEST

START_TEST(a_batch_gives_all_or_names_the_one_that_failed)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_statement *divide = servers_statement(client, "SELECT 1 / (price - price)::int FROM item WHERE id = $1");
    shopdata_param params[20];
    shopdata_call calls[20];
    shopdata_result *results[20] = {NULL};
    for (int i = 0; i < 20; i++) {
        params[i] = shopdata_int64(i + 1);
        calls[i] = (shopdata_call){.statement = by_id, .params = &params[i], .count = 1};
    }
    for (int round = 0; round < 2; round++) {
        servers_ok(shopdata_query_many(session, calls, 20, results, &error), error);
        for (int i = 0; i < 20; i++) {
            int64_t id;
            servers_ok(shopdata_result_int64(results[i], 0, 0, &id, &error), error);
            ck_assert_int_eq(id, i + 1);
            shopdata_result_free(results[i]);
            results[i] = NULL;
        }
    }
    calls[13].statement = divide;
    ck_assert_int_eq(shopdata_query_many(session, calls, 20, results, &error), SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_sqlstate(error), "22012");
    ck_assert_msg(!strncmp(shopdata_error_message(error), "call 13: ", 9), "%s", shopdata_error_message(error));
    for (int i = 0; i < 20; i++)
        ck_assert_ptr_null(results[i]);
    shopdata_error_free(error);
    shopdata_statement_free(divide);
    finish();
}
END_TEST

START_TEST(a_transaction_shows_at_commit_and_not_before)
{
    begin_with(caches[_i]);
    shopdata_session *other;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    shopdata_error *error = NULL;
    try_price(session, 5, 10);
    ck_assert_double_eq(price_of(other, 5), 10);
    servers_ok(shopdata_begin(session, SHOPDATA_REPEATABLE_READ, &error), error);
    try_price(session, 5, 20);
    ck_assert_double_eq(price_of(session, 5), 20);
    ck_assert_double_eq(price_of(other, 5), 10);
    servers_ok(shopdata_savepoint(session, "a \"quoted\" name", &error), error);
    try_price(session, 5, 30);
    servers_ok(shopdata_rollback_to(session, "a \"quoted\" name", &error), error);
    servers_ok(shopdata_release(session, "a \"quoted\" name", &error), error);
    ck_assert_double_eq(price_of(session, 5), 20);
    servers_ok(shopdata_commit(session, &error), error);
    ck_assert_double_eq(price_of(other, 5), 20);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    try_price(session, 5, 40);
    servers_ok(shopdata_rollback(session, &error), error);
    ck_assert_double_eq(price_of(session, 5), 20);
    shopdata_session_free(other);
    finish();
}
END_TEST

static void check_failure(int status, int wanted, shopdata_error **error, const char *part)
{
    ck_assert_msg(status == wanted, "%s, wanted %s: %s", shopdata_status_name(status), shopdata_status_name(wanted),
                  shopdata_error_message(*error));
    ck_assert_ptr_nonnull(*error);
    ck_assert_msg(strstr(shopdata_error_message(*error), part), "\"%s\" lacks \"%s\"", shopdata_error_message(*error),
                  part);
    shopdata_error_free(*error);
    *error = NULL;
}

START_TEST(wrong_transaction_states_are_told)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *broken = servers_statement(client, "SELECT 1 / 0 FROM item WHERE id = 1");
    check_failure(shopdata_commit(session, &error), SHOPDATA_ERR_TRANSACTION, &error, "no transaction is open");
    servers_ok(shopdata_begin(session, SHOPDATA_SERIALIZABLE, &error), error);
    check_failure(shopdata_begin(session, 0, &error), SHOPDATA_ERR_TRANSACTION, &error, "open already");
    check_failure(shopdata_query(session, broken, NULL, 0, &result, &error), SHOPDATA_ERR_SQL, &error,
                  "division by zero");
    shopdata_param param = shopdata_int64(1);
    check_failure(shopdata_query(session, by_id, &param, 1, &result, &error), SHOPDATA_ERR_TRANSACTION, &error,
                  "has failed");
    servers_ok(shopdata_rollback(session, &error), error);
    servers_ok(shopdata_begin(session, SHOPDATA_READ_COMMITTED | SHOPDATA_READ_ONLY, &error), error);
    shopdata_param params[2] = {shopdata_int64(1), shopdata_int64(1)};
    check_failure(shopdata_execute(session, set_price, params, 2, NULL, &error), SHOPDATA_ERR_SQL, &error, "read-only");
    check_failure(shopdata_begin(session, 99, &error), SHOPDATA_ERR_ARGUMENT, &error, "isolation");
    shopdata_statement_free(broken);
    shopdata_session_free(session);
    session = NULL;
    ck_assert_double_eq(servers_metric(client, "shopdata_transactions_abandoned_total", NULL), 1);
    finish();
}
END_TEST

START_TEST(bad_input_is_told)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *made = NULL;
    shopdata_param good = shopdata_int64(1), bad = shopdata_text_n("x\xff", 2), params[2] = {good, good};
    check_failure(shopdata_query(session, by_id, NULL, 0, &result, &error), SHOPDATA_ERR_ARGUMENT, &error,
                  "0 parameters given");
    check_failure(shopdata_query(session, by_id, params, 2, &result, &error), SHOPDATA_ERR_ARGUMENT, &error, "takes 1");
    check_failure(shopdata_query(session, by_id, &bad, 1, &result, &error), SHOPDATA_ERR_ARGUMENT, &error, "$1");
    check_failure(shopdata_query(session, NULL, &good, 1, &result, &error), SHOPDATA_ERR_ARGUMENT, &error, "NULL");
    check_failure(shopdata_query(NULL, by_id, &good, 1, &result, &error), SHOPDATA_ERR_ARGUMENT, &error, "NULL");
    check_failure(shopdata_query(session, by_id, &good, 1, NULL, &error), SHOPDATA_ERR_ARGUMENT, &error, "result_out");
    check_failure(shopdata_query(session, set_price, params, 2, &result, &error), SHOPDATA_ERR_REFUSED, &error,
                  "execute");
    check_failure(shopdata_statement_new(client, NULL, "SELECT 1; SELECT 2", &made, &error), SHOPDATA_ERR_REFUSED,
                  &error, "");
    check_failure(shopdata_statement_new(client, NULL, "SET timezone = 'CET'", &made, &error), SHOPDATA_ERR_REFUSED,
                  &error, "");
    check_failure(shopdata_statement_new(client, NULL, "SELEC 1", &made, &error), SHOPDATA_ERR_SQL, &error, "syntax");
    check_failure(shopdata_statement_new(client, NULL, "SELECT '\xff'", &made, &error), SHOPDATA_ERR_ARGUMENT, &error,
                  "UTF-8");
    check_failure(shopdata_statement_new(client, "nope", "SELECT 1", &made, &error), SHOPDATA_ERR_ARGUMENT, &error,
                  "nope");
    ck_assert_ptr_null(made);
    made = servers_statement(client, "SELECT * FROM no_such_table");
    check_failure(shopdata_query(session, made, NULL, 0, &result, &error), SHOPDATA_ERR_SQL, &error, "no_such_table");
    shopdata_statement_free(made);
    ck_assert_ptr_null(result);
    ck_assert_double_eq(price_of(session, 1), 1);
    finish();
}
END_TEST

START_TEST(cells_are_read_as_what_they_are)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_statement *all =
        servers_statement(client, "SELECT id, price, name, id = 1 AS yes, '\\x00ff'::bytea AS raw, NULL::int AS nil "
                                  "FROM item WHERE id = $1");
    shopdata_param one = shopdata_int64(1);
    for (int round = 0; round < 2; round++) {
        shopdata_result *r = NULL;
        int64_t number;
        double real;
        int yes;
        unsigned char raw[4];
        size_t length;
        const char *text;
        servers_ok(shopdata_query(session, all, &one, 1, &r, &error), error);
        servers_ok(shopdata_result_int64(r, 0, 0, &number, &error), error);
        servers_ok(shopdata_result_double(r, 0, 1, &real, &error), error);
        servers_ok(shopdata_result_text(r, 0, 2, &text, &length, &error), error);
        servers_ok(shopdata_result_bool(r, 0, 3, &yes, &error), error);
        servers_ok(shopdata_result_bytes(r, 0, 4, raw, sizeof raw, &length, &error), error);
        ck_assert(number == 1 && real == 1.0 && yes == 1 && length == 2 && raw[1] == 0xff);
        ck_assert_str_eq(text, "item 1");
        ck_assert_int_eq(shopdata_result_is_null(r, 0, 5), 1);
        ck_assert_int_eq(shopdata_result_find_column(r, "raw"), 4);
        check_failure(shopdata_result_int64(r, 0, 5, &number, &error), SHOPDATA_ERR_TYPE, &error, "NULL");
        check_failure(shopdata_result_int64(r, 0, 2, &number, &error), SHOPDATA_ERR_TYPE, &error, "name");
        check_failure(shopdata_result_int64(r, 1, 0, &number, &error), SHOPDATA_ERR_RANGE, &error, "row 1");
        check_failure(shopdata_result_text(r, 0, 6, &text, NULL, &error), SHOPDATA_ERR_RANGE, &error, "column 6");
        check_failure(shopdata_result_bool(r, 0, 0, &yes, &error), SHOPDATA_ERR_TYPE, &error, "boolean");
        shopdata_result_free(r);
    }
    shopdata_statement_free(all);
    finish();
}
END_TEST

START_TEST(a_deadline_ends_the_statement_on_the_server)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *slow = servers_statement(client, "SELECT pg_sleep(30)");
    servers_ok(shopdata_session_set_deadline(session, 200, &error), error);
    servers_ok(shopdata_session_set_flags(session, SHOPDATA_PRIMARY, &error), error);
    int status = shopdata_query(session, slow, NULL, 0, &result, &error);
    if (status == SHOPDATA_ERR_REFUSED) { /* volatile: it must be executed */
        shopdata_error_free(error);
        error = NULL;
        servers_ok(shopdata_statement_add_tag(slow, "none", &error), error);
        status = shopdata_query(session, slow, NULL, 0, &result, &error);
    }
    check_failure(status, SHOPDATA_ERR_TIMEOUT, &error, "");
    char *running = NULL;
    for (int i = 0; i < 1000; i++) {
        free(running);
        running = servers_value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = "
                                "'active' AND pid <> pg_backend_pid()");
        if (!strcmp(running, "0"))
            break;
        usleep(20000);
    }
    ck_assert_str_eq(running, "0");
    free(running);
    shopdata_statement_free(slow);
    finish();
}
END_TEST

START_TEST(a_result_too_large_is_refused_and_the_next_is_fine)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *huge = servers_statement(client, "SELECT repeat(name, 10000000) FROM item WHERE shelf = 1");
    check_failure(shopdata_query(session, huge, NULL, 0, &result, &error), SHOPDATA_ERR_TOO_LARGE, &error,
                  "max_result_bytes");
    ck_assert_ptr_null(result);
    ck_assert_double_eq(price_of(session, 1), 1);
    shopdata_statement_free(huge);
    finish();
}
END_TEST

START_TEST(a_rejected_write_changes_nothing_and_keeps_the_connection)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    for (int i = 0; i < 30; i++) {
        shopdata_param params[3] = {shopdata_int64(1), shopdata_int64(1), shopdata_int64(1)};
        ck_assert_int_eq(shopdata_execute(session, add_item, params, 3, NULL, &error), SHOPDATA_ERR_SQL);
        ck_assert_str_eq(shopdata_error_sqlstate(error), "23505");
        shopdata_error_free(error);
        error = NULL;
    }
    try_price(session, 1, 77);
    ck_assert_double_eq(price_of(session, 1), 77);
    finish();
}
END_TEST

/* The check of a deferred constraint fails at COMMIT, after the rows of RETURNING have arrived. */
START_TEST(rows_of_a_write_that_fails_at_commit_are_not_handed_out)
{
    begin_with(caches[_i]);
    servers_sql("DROP TABLE IF EXISTS deferred; CREATE TABLE deferred (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); "
                "INSERT INTO deferred VALUES (1)");
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_statement *insert = servers_statement(client, "INSERT INTO deferred VALUES (1) RETURNING a");
    check_failure(shopdata_execute(session, insert, NULL, 0, &result, &error), SHOPDATA_ERR_SQL, &error,
                  "duplicate key");
    ck_assert_ptr_null(result);
    shopdata_statement_free(insert);
    finish();
}
END_TEST

START_TEST(invalidate_reaches_rows_and_lists)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    const char *row = "public.item/id=9", *table = "public.item";
    ck_assert_double_eq(price_of(session, 9), 9);
    ck_assert_double_eq(price_of(session, 8), 8);
    servers_sql("UPDATE item SET price = price + 100");
    servers_ok(shopdata_invalidate(client, &row, 1, &error), error);
    ck_assert_double_eq(price_of(session, 9), 109);
    servers_ok(shopdata_invalidate(client, &table, 1, &error), error);
    ck_assert_double_eq(price_of(session, 8), 108);
    finish();
}
END_TEST

START_TEST(schema_changes_through_the_library_are_noticed)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_statement *all = servers_statement(client, "SELECT * FROM item WHERE id = $1");
    shopdata_statement *alter = servers_statement(client, "ALTER TABLE item ADD COLUMN colour text DEFAULT 'red'");
    shopdata_param one = shopdata_int64(1);
    shopdata_result *result = NULL;
    servers_ok(shopdata_query(session, all, &one, 1, &result, &error), error);
    ck_assert_uint_eq(shopdata_result_columns(result), 4);
    shopdata_result_free(result);
    servers_ok(shopdata_execute(session, alter, NULL, 0, NULL, &error), error);
    servers_ok(shopdata_query(session, all, &one, 1, &result, &error), error);
    ck_assert_uint_eq(shopdata_result_columns(result), 5);
    shopdata_result_free(result);
    shopdata_statement_free(all);
    shopdata_statement_free(alter);
    finish();
}
END_TEST

/* A plan of a replica that does not know the table yet would say: nothing to bump. */
START_TEST(a_write_to_a_table_that_replicas_do_not_know_yet_bumps_it)
{
    begin_with(caches[_i]);
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_session *primary;
    servers_do("pause replica1");
    servers_do("pause replica2");
    servers_sql(
        "DROP TABLE IF EXISTS fresh; CREATE TABLE fresh (id int PRIMARY KEY, n int); INSERT INTO fresh VALUES (1, 1)");
    shopdata_statement *update = servers_statement(client, "UPDATE fresh SET n = n + 1 WHERE id = 1");
    servers_ok(shopdata_execute(session, update, NULL, 0, NULL, &error), error);
    const char *text;
    servers_ok(shopdata_statement_explain(update, &text, &error), error);
    ck_assert_msg(strstr(text, "public.fresh/id=1"), "%s", text);
    shopdata_statement *read = servers_statement(client, "SELECT n FROM fresh WHERE id = 1");
    servers_ok(shopdata_session_new(client, &primary, NULL), NULL);
    servers_ok(shopdata_session_set_flags(primary, SHOPDATA_PRIMARY, NULL), NULL);
    for (int64_t n = 2; n < 6; n++) {
        int64_t seen;
        servers_ok(shopdata_query(primary, read, NULL, 0, &result, &error), error);
        servers_ok(shopdata_result_int64(result, 0, 0, &seen, &error), error);
        ck_assert_int_eq(seen, n);
        shopdata_result_free(result);
        servers_ok(shopdata_execute(session, update, NULL, 0, NULL, &error), error);
    }
    shopdata_statement_free(update);
    shopdata_statement_free(read);
    shopdata_session_free(primary);
    finish();
}
END_TEST

static PGconn *holder; /* of a lock that would keep every later case waiting */

static void let_go(void)
{
    PQfinish(holder);
    holder = NULL;
}

static void wait_until_held(const char *node)
{
    static const char locks[] =
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'item'::regclass";
    char *count = servers_value_at(node, locks);
    for (int i = 0; i < 1000 && !strcmp(count, "0"); i++) {
        usleep(10000);
        free(count);
        count = servers_value_at(node, locks);
    }
    ck_assert_msg(strcmp(count, "0"), "the lock of the table never came to %s", node);
    free(count);
}

/* Nobody reads the table, on any node, until it is given back. */
static void hold_table(void)
{
    holder = PQconnectdb(getenv("SHOPDATA_PRIMARY"));
    PGresult *result = PQexec(holder, "BEGIN; LOCK TABLE item");
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(holder));
    PQclear(result);
    servers_flush();
    wait_until_held("SHOPDATA_REPLICA1");
    wait_until_held("SHOPDATA_REPLICA2");
}

static void *read_sum(void *statement)
{
    shopdata_session *mine;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    servers_ok(shopdata_session_new(client, &mine, NULL), NULL);
    servers_ok(shopdata_query(mine, statement, NULL, 0, &result, &error), error);
    shopdata_result_free(result);
    shopdata_session_free(mine);
    return NULL;
}

static double missed(void)
{
    return servers_metric(client, "shopdata_cache_misses_total", NULL);
}

static void wait_until_missed(double wanted)
{
    for (int i = 0; i < 10000 && missed() < wanted; i++)
        usleep(1000);
    ck_assert_double_eq(missed(), wanted);
}

/* A write has overtaken the entry, and left the fence: nobody has a reason to refuse the answer of the one who asks. */
START_TEST(one_of_many_who_miss_at_once_asks_the_database)
{
    enum { MANY = 16, LOOKS = 100 };
    pthread_t threads[MANY];
    begin_with(caches[_i]);
    shopdata_statement *sum = servers_statement(client, "SELECT sum(price) FROM item");
    read_sum(sum);
    try_price(session, 1, 100);
    double asked_before = servers_asked(client), missed_before = missed();
    hold_table();
    for (int i = 0; i < MANY; i++)
        pthread_create(&threads[i], NULL, read_sum, sum);
    wait_until_missed(missed_before + MANY);
    for (int i = 0; i < LOOKS; i++, usleep(1000))
        ck_assert_double_le(servers_metric(client, "shopdata_pool_busy_connections", NULL), 1);
    let_go();
    for (int i = 0; i < MANY; i++)
        pthread_join(threads[i], NULL);
    ck_assert_double_lt(servers_asked(client) - asked_before, MANY);
    shopdata_statement_free(sum);
    finish();
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- ill servers */

static void do_to_cache(const char *verb, const char *cache)
{
    char command[40];
    snprintf(command, sizeof command, "%s %s", verb, cache);
    servers_do(command);
}

/* A placeholder of a read that ran out of time stands for ten seconds. */
static void await_cached(int id)
{
    for (int i = 0; i < 2000 && source_of(id) != SHOPDATA_FROM_CACHE; i++)
        usleep(10000);
    ck_assert_int_eq(source_of(id), SHOPDATA_FROM_CACHE);
}

START_TEST(a_cache_that_is_down_fails_nothing_and_forgets_nothing)
{
    begin_with(caches[_i]);
    ck_assert_double_eq(price_of(session, 4), 4);
    ck_assert_double_eq(price_of(session, 4), 4);
    do_to_cache("freeze", caches[_i]);
    ck_assert_int_eq(try_price(session, 4, 44), SHOPDATA_UNFENCED);
    ck_assert_double_eq(price_of(session, 4), 44);
    do_to_cache("thaw", caches[_i]); /* it still holds the old entry, and its fence */
    for (int i = 0; i < 50; i++) {
        ck_assert_double_eq(price_of(session, 4), 44);
        usleep(10000);
    }
    await_cached(4);
    do_to_cache("kill", caches[_i]);
    ck_assert_int_eq(try_price(session, 4, 45), SHOPDATA_UNFENCED);
    ck_assert_double_eq(price_of(session, 4), 45);
    do_to_cache("start", caches[_i]);
    await_cached(4);
    ck_assert_double_eq(price_of(session, 4), 45);
    finish();
}
END_TEST

START_TEST(dead_replicas_are_left_and_found_again)
{
    begin_configured(servers_hasty_config("redis"));
    servers_do("kill replica1");
    servers_do("freeze replica2");
    for (int id = 1; id <= 20; id++)
        ck_assert_double_eq(price_of(session, id), id);
    servers_do("thaw replica2");
    servers_do("start replica1");
    for (int i = 0; i < 500 && servers_metric(client, "shopdata_node_role", "node=\"replica1\"") != 1; i++)
        usleep(20000);
    ck_assert_double_eq(servers_metric(client, "shopdata_node_role", "node=\"replica1\""), 1);
    finish();
}
END_TEST

START_TEST(without_the_primary_replicas_answer_and_writes_wait)
{
    begin_with("redis");
    shopdata_error *error = NULL;
    try_price(session, 1, 11);
    shopdata_session *other;
    servers_ok(shopdata_session_new(client, &other, NULL), NULL);
    ck_assert_double_eq(price_of(other, 1), 11);
    servers_do("kill primary");
    for (int id = 1; id <= 20; id++)
        ck_assert_double_eq(price_of(other, id), id == 1 ? 11 : id);
    shopdata_param params[2] = {shopdata_int64(1), shopdata_int64(12)};
    servers_ok(shopdata_session_set_deadline(other, 300, &error), error);
    int status = shopdata_execute(other, set_price, params, 2, NULL, &error);
    ck_assert_msg(status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_TIMEOUT, "%s",
                  shopdata_error_message(error));
    shopdata_error_free(error);
    servers_do("start primary");
    servers_ok(shopdata_session_set_deadline(other, 20000, NULL), NULL);
    try_price(other, 1, 13);
    ck_assert_double_eq(price_of(other, 1), 13);
    shopdata_session_free(other);
    finish();
}
END_TEST

START_TEST(a_forked_child_gets_connections_of_its_own)
{
    begin_with(caches[_i]);
    ck_assert_double_eq(price_of(session, 2), 2);
    pid_t child = fork();
    if (child == 0) {
        shopdata_result *result = NULL;
        shopdata_param two = shopdata_int64(2);
        int refused = shopdata_query(session, by_id, &two, 1, &result, NULL);
        int renewed = shopdata_after_fork(client, NULL);
        int answered = shopdata_query(session, by_id, &two, 1, &result, NULL);
        int good = refused == SHOPDATA_ERR_FORKED && renewed == 0 && answered == 0 && shopdata_result_rows(result) == 1;
        shopdata_result_free(result);
        finish();
        _exit(good ? 0 : 1 + (refused != SHOPDATA_ERR_FORKED) + 2 * (renewed != 0) + 4 * (answered != 0));
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", WEXITSTATUS(status));
    for (int i = 0; i < 20; i++) {
        try_price(session, 2, i);
        ck_assert_double_eq(price_of(session, 2), i);
    }
    finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- many at once */

enum { WRITERS = 2, READERS = 6, ENOUGH = 2000 };
static atomic_int acknowledged[WRITERS];
static atomic_int stale, checked;

/* On and on until the readers have seen enough of it. */
static void *write_versions(void *argument)
{
    int id = *(int *)argument;
    shopdata_session *mine;
    servers_ok(shopdata_session_new(client, &mine, NULL), NULL);
    for (int version = 1; atomic_load(&checked) < ENOUGH; version++) {
        try_price(mine, id + 1, version);
        atomic_store(&acknowledged[id], version);
    }
    shopdata_session_free(mine);
    return NULL;
}

static void *read_versions(void *argument)
{
    (void)argument;
    shopdata_session *mine;
    servers_ok(shopdata_session_new(client, &mine, NULL), NULL);
    for (unsigned i = 0; atomic_load(&checked) < ENOUGH; i++) {
        int id = (int)(i % WRITERS), least = atomic_load(&acknowledged[id]);
        if (price_of(mine, id + 1) < least)
            atomic_fetch_add(&stale, 1);
        atomic_fetch_add(&checked, 1);
    }
    shopdata_session_free(mine);
    return NULL;
}

START_TEST(no_reader_sees_less_than_was_acknowledged_before_he_began)
{
    begin_with(caches[_i]);
    pthread_t writers[WRITERS], readers[READERS];
    int ids[WRITERS];
    atomic_store(&stale, 0);
    atomic_store(&checked, 0);
    for (int i = 0; i < WRITERS; i++) {
        ids[i] = i;
        try_price(session, i + 1, 0);
        atomic_store(&acknowledged[i], 0);
        pthread_create(&writers[i], NULL, write_versions, &ids[i]);
    }
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_versions, NULL);
    servers_do("pause replica1");
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    servers_do("resume replica1");
    ck_assert_int_ge(atomic_load(&checked), ENOUGH);
    ck_assert_int_eq(atomic_load(&stale), 0);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    servers_required_memcached();
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_checked_fixture(cases, NULL, let_go);
    tcase_add_loop_test(cases, second_read_comes_from_the_cache, 0, SHARED);
    tcase_add_loop_test(cases, a_write_is_seen_by_the_next_read_of_anybody, 0, CACHES);
    tcase_add_loop_test(cases, a_write_that_does_not_wait_for_the_flush_is_seen_as_well, 0, CACHES);
    tcase_add_loop_test(cases, a_lagging_replica_never_fills_the_cache_with_the_past, 0, CACHES);
    tcase_add_loop_test(cases, lists_and_absent_rows_are_invalidated_too, 0, CACHES);
    tcase_add_loop_test(cases, a_batch_gives_all_or_names_the_one_that_failed, 0, CACHES);
    tcase_add_loop_test(cases, a_transaction_shows_at_commit_and_not_before, 0, CACHES);
    tcase_add_loop_test(cases, wrong_transaction_states_are_told, 0, 1);
    tcase_add_loop_test(cases, bad_input_is_told, 0, 1);
    tcase_add_loop_test(cases, cells_are_read_as_what_they_are, 0, CACHES);
    tcase_add_loop_test(cases, a_deadline_ends_the_statement_on_the_server, 0, 1);
    tcase_add_loop_test(cases, a_result_too_large_is_refused_and_the_next_is_fine, 0, 1);
    tcase_add_loop_test(cases, a_rejected_write_changes_nothing_and_keeps_the_connection, 0, 1);
    tcase_add_loop_test(cases, rows_of_a_write_that_fails_at_commit_are_not_handed_out, 0, 1);
    tcase_add_loop_test(cases, invalidate_reaches_rows_and_lists, 0, SHARED);
    tcase_add_loop_test(cases, schema_changes_through_the_library_are_noticed, 0, CACHES);
    tcase_add_loop_test(cases, a_write_to_a_table_that_replicas_do_not_know_yet_bumps_it, 0, 1);
    tcase_add_loop_test(cases, one_of_many_who_miss_at_once_asks_the_database, 0, SHARED);
    tcase_add_loop_test(cases, a_cache_that_is_down_fails_nothing_and_forgets_nothing, 0, SERVED);
    tcase_add_test(cases, dead_replicas_are_left_and_found_again);
    tcase_add_test(cases, without_the_primary_replicas_answer_and_writes_wait);
    tcase_add_loop_test(cases, a_forked_child_gets_connections_of_its_own, 0, SHARED_WHERE_CHILDREN_HAVE_THREADS);
    tcase_add_loop_test(cases, no_reader_sees_less_than_was_acknowledged_before_he_began, 0, CACHES);
}

UNIT_MAIN("integration/client", fill, 120)
