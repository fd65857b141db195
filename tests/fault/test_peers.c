/* test_peers.c - bad networks and bad servers between the library and real ones, in the middle of what they say: every
 * call ends in time, with its own answer or with a status that is true; no fence is lost; afterwards all works. Each
 * case is a process of its own, in which SIGPIPE kills. */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/proxy.h"
#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/clock.h"

enum { IDS = 9000000, ITEMS = 20, ID = IDS + 7, CALLS = 3 };
static const char WORD[] = "9000007"; /* the item's number, as the server is told it */

/* What a call may take: its deadline, the half second that a doubtful write may take beyond it, and what a busy machine
 * adds. Where that was more, it is called again: a machine is late now and then, a fault each time. */
enum { SHORT_MS = 80, CACHE_MS = 2000, LONG_MS = 20000, DOUBT_MS = 500, CONNECT_MS = 500, SLACK_MS = 1500, TRIES = 3 };

static const char *const caches[] = {"redis", "memcached"};
enum { CACHES = 2 };

static const char *cache_kind;
static proxy *database, *store;         /* before the primary and before the cache */
static PGconn *aside;                   /* to the primary, past the library */
static shopdata_client *client, *clean; /* through the proxies; another process's, past them */
static shopdata_session *session, *theirs;
static shopdata_statement *by_id, *with_note, *their_by_id, *set_price, *rename_item;
static int64_t last_price, stood; /* the price written last, and the one that certainly stood before */

/* --------------------------------------------------------------------------------------------------------- helpers */

static const char *cache_address(void)
{
    return getenv(strcmp(cache_kind, "memcached") ? "SHOPDATA_REDIS" : "SHOPDATA_MEMCACHED");
}

static proxy *proxy_to_cache(void)
{
    char host[64];
    int port;
    ck_assert_int_eq(sscanf(cache_address(), "%63[^:]:%d", host, &port), 2);
    return proxy_open(host, port);
}

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

/* The primary is the only node, so that whatever is asked passes the proxy; `between` NULL: there is none. */
static shopdata_config *config_of(proxy *to_database, proxy *to_cache)
{
    char text[256];
    shopdata_config *config;
    servers_ok(shopdata_config_new(&config, NULL), NULL);
    snprintf(text, sizeof text, "%s", getenv("SHOPDATA_PRIMARY"));
    if (to_database)
        snprintf(text, sizeof text, "%s host=127.0.0.1 port=%d", getenv("SHOPDATA_PRIMARY"), proxy_port(to_database));
    set(config, "node.primary.conninfo", text);
    snprintf(text, sizeof text, "%s", cache_address());
    if (to_cache)
        snprintf(text, sizeof text, "127.0.0.1:%d", proxy_port(to_cache));
    set(config, "cache.kind", cache_kind);
    set(config, "cache.address", text);
    set(config, "local.coherence", "0ms"); /* the other is to see at once what stands */
    set(config, "cache.timeout", "60ms");
    set(config, "cache.connect_timeout", "60ms");
    set(config, "cache.breaker_open", "10ms");
    set(config, "cache.breaker_open_max", "20ms");
    set(config, "route.poll_interval", "50ms");
    set(config, "route.breaker_open", "20ms");
    set(config, "route.breaker_open_max", "40ms");
    set(config, "pool.connect_timeout", "500ms");
    snprintf(text, sizeof text, "peers-%d", (int)getpid());
    set(config, "cache.key_prefix", text);
    return config;
}

static shopdata_client *open_client(proxy *to_database, proxy *to_cache)
{
    shopdata_client *made;
    shopdata_config *config = config_of(to_database, to_cache);
    servers_ok(shopdata_open(config, &made, NULL), NULL);
    shopdata_config_free(config);
    servers_ok(shopdata_ready(made, 10000, NULL), NULL);
    return made;
}

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL, name text, note text); INSERT INTO item (id, price, name) SELECT 9000000 + i, i, "
                "repeat('item ' || i, 40) FROM "
                "generate_series(1, 20) i; UPDATE item SET note = (SELECT string_agg(md5(i::text), '') FROM "
                "generate_series(1, 25000) i) WHERE id = 9000007");
}

static void begin_with(const char *cache)
{
    cache_kind = cache;
    make_table();
    aside = PQconnectdb(getenv("SHOPDATA_PRIMARY"));
    ck_assert_int_eq(PQstatus(aside), CONNECTION_OK);
    database = proxy_open(PQhost(aside), (int)strtol(PQport(aside), NULL, 10));
    store = proxy_to_cache();
    client = open_client(database, store);
    clean = open_client(NULL, NULL);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    servers_ok(shopdata_session_new(clean, &theirs, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price, name FROM item WHERE id = $1");
    with_note = servers_statement(client, "SELECT id, price, note FROM item WHERE id = $1");
    their_by_id = servers_statement(clean, "SELECT id, price, name FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1 RETURNING id, price, name");
    rename_item = servers_statement(client, "UPDATE item SET name = $2 WHERE id = $1");
    last_price = stood = 1000;
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(with_note);
    shopdata_statement_free(their_by_id);
    shopdata_statement_free(set_price);
    shopdata_statement_free(rename_item);
    shopdata_session_free(session);
    shopdata_session_free(theirs);
    shopdata_close(client);
    shopdata_close(clean);
    proxy_close(database);
    proxy_close(store);
    PQfinish(aside);
}

static int64_t ms_since(int64_t begin)
{
    return (sdi_now() - begin) / 1000;
}

/* The price in a row of the item, which must be the one that was asked for. */
static int64_t price_in(const shopdata_result *result, int64_t id)
{
    int64_t found = 0, price = 0;
    servers_ok(shopdata_result_int64(result, 0, 0, &found, NULL), NULL);
    servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    ck_assert_msg(found == id, "asked for %d, told of %d", (int)id, (int)found);
    return price;
}

/* The price as somebody reads it; negative: the status. */
static int64_t read_price(shopdata_session *who, shopdata_statement *statement, int64_t id, shopdata_error **error)
{
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    int status = shopdata_query(who, statement, &param, 1, &result, error);
    int64_t price = status == SHOPDATA_OK ? price_in(result, id) : status;
    shopdata_result_free(result);
    return price;
}

static int64_t price_of(shopdata_session *who, shopdata_statement *statement)
{
    shopdata_error *error = NULL;
    int64_t price = read_price(who, statement, ID, &error);
    ck_assert_msg(price >= 0, "%s: %s", shopdata_status_name((int)price), shopdata_error_message(error));
    return price;
}

static int64_t true_price(void)
{
    PGresult *result = PQexec(aside, "SELECT price FROM item WHERE id = 9000007");
    ck_assert_int_eq(PQntuples(result), 1);
    int64_t price = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return price;
}

/* ----------------------------------------------------------------------------------------------------------- calls */

typedef struct call {
    const char *name;
    const char *word; /* by which the database's proxy knows it; NULL: it should not be asked */
    void (*before)(void);
    int (*run)(shopdata_error **error);
    bool writes;
    size_t calls; /* how many deadlines it has */
} call;

static void warm(void)
{
    shopdata_param params[] = {shopdata_int64(ID), shopdata_int64(++last_price)};
    shopdata_session_set_flags(session, SHOPDATA_NO_CACHE, NULL);
    price_of(session, by_id);
    shopdata_session_set_flags(session, 0, NULL);
    servers_ok(shopdata_execute(session, set_price, params, 2, NULL, NULL), NULL);
    stood = last_price;
}

static void fill_cache(void)
{
    warm();
    price_of(theirs, their_by_id);
    price_of(session, by_id);
    ck_assert_int_eq(price_of(theirs, their_by_id), stood);
}

static void empty_cache(void)
{
    const char *tag = "public.item";
    warm();
    servers_ok(shopdata_invalidate(client, &tag, 1, NULL), NULL);
}

static int run_query(shopdata_error **error)
{
    int64_t price = read_price(session, by_id, ID, error);
    if (price >= 0)
        ck_assert_int_eq(price, stood);
    return price < 0 ? (int)price : SHOPDATA_OK;
}

/* Its entry is more than a socket takes at once. */
static int run_large_query(shopdata_error **error)
{
    int64_t price = read_price(session, with_note, ID, error);
    if (price >= 0)
        ck_assert_int_eq(price, stood);
    return price < 0 ? (int)price : SHOPDATA_OK;
}

static int run_query_many(shopdata_error **error)
{
    shopdata_param ids[CALLS] = {shopdata_int64(IDS + 2), shopdata_int64(ID), shopdata_int64(IDS + 3)};
    const int64_t prices[CALLS] = {2, stood, 3};
    shopdata_call calls[CALLS];
    shopdata_result *results[CALLS] = {NULL};
    for (size_t i = 0; i < CALLS; i++)
        calls[i] = (shopdata_call){by_id, &ids[i], 1, i == 2 ? SHOPDATA_NO_CACHE : 0};
    int status = shopdata_query_many(session, calls, CALLS, results, error);
    for (size_t i = 0; i < CALLS; i++) {
        ck_assert_int_eq(results[i] != NULL, status == SHOPDATA_OK);
        if (results[i])
            ck_assert_int_eq(price_in(results[i], ids[i].value.integer), prices[i]);
        shopdata_result_free(results[i]);
    }
    return status;
}

static int change_price(shopdata_error **error)
{
    shopdata_result *result = NULL;
    shopdata_param params[] = {shopdata_int64(ID), shopdata_int64(last_price)};
    int status = shopdata_execute(session, set_price, params, 2, &result, error);
    ck_assert_int_eq(result != NULL, status >= SHOPDATA_OK);
    if (result)
        ck_assert_int_eq(price_in(result, ID), last_price);
    shopdata_result_free(result);
    return status;
}

static int run_execute(shopdata_error **error)
{
    last_price++;
    return change_price(error);
}

static int change_in_transaction(shopdata_error **error)
{
    shopdata_param name[] = {shopdata_int64(ID), shopdata_text("renamed")};
    int64_t price;
    int status = change_price(error);
    if (status >= SHOPDATA_OK)
        status = shopdata_execute(session, rename_item, name, 2, NULL, error);
    if (status < SHOPDATA_OK)
        return status;
    price = read_price(session, by_id, ID, error);
    if (price >= 0)
        ck_assert_int_eq(price, last_price);
    return price < 0 ? (int)price : SHOPDATA_OK;
}

static int run_transaction(shopdata_error **error)
{
    last_price++;
    int status = shopdata_begin(session, SHOPDATA_READ_COMMITTED, error);
    if (status < SHOPDATA_OK)
        return status;
    status = change_in_transaction(error);
    if (status >= SHOPDATA_OK)
        return shopdata_commit(session, error);
    shopdata_rollback(session, NULL);
    return status;
}

/* A write past the library, then the call that tells of it. */
static void write_elsewhere(void)
{
    char sql[80];
    fill_cache();
    snprintf(sql, sizeof sql, "UPDATE item SET price = %d WHERE id = %d", (int)++last_price, ID);
    PQclear(PQexec(aside, sql));
}

static int run_invalidate(shopdata_error **error)
{
    const char *tags[] = {"public.item/id=9000007", "public.item", "shelf"};
    return shopdata_invalidate(client, tags, 3, error);
}

static const call all_calls[] = {
    {"query, in the cache", NULL, fill_cache, run_query, false, 1},
    {"query, not in the cache", WORD, empty_cache, run_query, false, 1},
    {"query, a large answer", WORD, empty_cache, run_large_query, false, 1},
    {"query_many", WORD, empty_cache, run_query_many, false, 1},
    {"execute", WORD, fill_cache, run_execute, true, 1},
    {"transaction, at a write", WORD, fill_cache, run_transaction, true, 5},
    {"transaction, at its end", "COMMIT", fill_cache, run_transaction, true, 5},
    {"invalidate", NULL, write_elsewhere, run_invalidate, true, 1},
};
enum { CALL_COUNT = sizeof all_calls / sizeof *all_calls };

/* -------------------------------------------------------------------------------------------------- what must hold */

/* A cache that fails is no error. Of a database that does, these may be told. */
static bool may_answer(int status, const call *c, bool is_database)
{
    if (status == SHOPDATA_OK || (c->writes && status == SHOPDATA_UNFENCED && !is_database))
        return true;
    if (!is_database)
        return false;
    if (c->writes && status == SHOPDATA_ERR_AMBIGUOUS)
        return true;
    return status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_TIMEOUT;
}

/* What is told is so, and nobody who reads now reads older rows. */
static void check_write(int status, const char *what)
{
    int64_t truth = true_price();
    ck_assert_msg(truth == last_price || truth == stood, "%s: %d stands", what, (int)truth);
    if (status >= SHOPDATA_OK)
        ck_assert_msg(truth == last_price, "%s: %s, but it does not stand", what, shopdata_status_name(status));
    else if (status != SHOPDATA_ERR_AMBIGUOUS)
        ck_assert_msg(truth == stood, "%s: %s, but it stands", what, shopdata_status_name(status));
    stood = truth;
}

/* A backend that could not be ended while its server did not answer may have done its work since; then its fences are
 * deleted once more. */
static void settle(void)
{
    int64_t until = sdi_deadline_in(5000);
    do {
        stood = true_price();
        if (price_of(theirs, their_by_id) == stood && price_of(session, by_id) == stood)
            return;
        usleep(5000);
    } while (sdi_now() < until);
}

static void check_clean(int status, const char *what)
{
    int64_t read = price_of(theirs, their_by_id);
    ck_assert_msg(read == stood, "%s: %s, another reads %d, %d stands", what, shopdata_status_name(status), (int)read,
                  (int)stood);
}

/* With all well again the library is soon: a doubtful backend is ended, and the cache is told what it had not been. */
static void recover(const char *what)
{
    int64_t price = -1, until = sdi_deadline_in(5000);
    shopdata_error *error = NULL;
    while (sdi_now() < until && (price < 0 || servers_metric(client, "shopdata_unfenced_pending_tags", NULL) > 0)) {
        shopdata_error_free(error);
        error = NULL;
        price = read_price(session, by_id, ID, &error);
        if (price < 0)
            usleep(5000);
    }
    ck_assert_msg(price >= 0, "%s: afterwards: %s: %s", what, shopdata_status_name((int)price),
                  shopdata_error_message(error));
    shopdata_error_free(error);
}

/* False: it was late. */
static bool run_through(const call *c, proxy *between, const proxy_fault *fault, const char *what)
{
    shopdata_error *error = NULL;
    bool is_database = between == database;
    int64_t deadline = is_database ? SHORT_MS : CACHE_MS;
    servers_ok(shopdata_session_set_deadline(session, LONG_MS, NULL), NULL);
    c->before();
    servers_ok(shopdata_session_set_deadline(session, deadline, NULL), NULL);
    proxy_strike(between, fault);
    int64_t begin = sdi_now();
    int status = c->run(&error);
    int64_t took = ms_since(begin), most = deadline * (int64_t)c->calls + DOUBT_MS + SLACK_MS;
    if (took >= most)
        fprintf(stderr, "%s: %s after %d ms\n", what, shopdata_status_name(status), (int)took);
    ck_assert_msg(may_answer(status, c, is_database), "%s: %s: %s", what, shopdata_status_name(status),
                  shopdata_error_message(error));
    ck_assert_msg((status < 0) == (error != NULL), "%s: %s", what, shopdata_status_name(status));
    shopdata_error_free(error);
    if (c->writes)
        check_write(status, what);
    if (status == SHOPDATA_OK)
        check_clean(status, what);
    proxy_heal(between);
    servers_ok(shopdata_session_set_deadline(session, LONG_MS, NULL), NULL);
    recover(what);
    if (status == SHOPDATA_ERR_AMBIGUOUS)
        settle();
    ck_assert_msg(true_price() == stood, "%s: %s, and it came to stand afterwards", what, shopdata_status_name(status));
    ck_assert_int_eq(price_of(session, by_id), stood);
    check_clean(status, what);
    return took < most;
}

/* ---------------------------------------------------------------------------------------------------------- faults */

/* What a server would never say, or not without end. */
static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n\xff\xfe\x80";
static const char zeros[64];
static const char notices[] = "N\0\0\0\x1fSNOTICE\0VNOTICE\0C00000\0Mx\0\0";
static const char bulk[] = "*1\r\n$400000000\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
static const char integers[] = ":0\r\n";
static const char values[] = "VALUE k 0 30 1\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";

typedef struct trouble {
    const char *name;
    enum proxy_kind kind;
    size_t step, steps; /* where it happens: so many bytes are passed before, and so often */
    const char *text;
    size_t length;
} trouble;

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SAYS(text) text, sizeof text - 1
#define QUIET "", 0
static const trouble troubles[] = {
    {"byte by byte", PROXY_BYTE_BY_BYTE, 0, 1, QUIET},
    {"silence", PROXY_STALL_ANSWER, 131, 1, QUIET},
    {"silence in a request", PROXY_STALL_REQUEST, 57, 1, QUIET},
    {"half an answer", PROXY_SHUT_ANSWER, 154, 3, QUIET},
    {"half a request", PROXY_SHUT_REQUEST, 61, 2, QUIET},
    {"reset in an answer", PROXY_RESET_ANSWER, 143, 4, QUIET},
    {"reset in a request", PROXY_RESET_REQUEST, 97, 3, QUIET},
    {"hung up in a request", PROXY_HANG_UP, 97, 3, QUIET},
    {"garbage", PROXY_GARBAGE, 73, 1, SAYS(garbage)},
    {"zeros", PROXY_GARBAGE, 73, 1, SAYS(zeros)},
    /* Read as a row of 1.4 GB, which libpq reads to its end where it comes quicker than it is read: doc/threads.md. */
    {"a flood of garbage", PROXY_FLOOD, 73, 2, SAYS(garbage)},
};
static const trouble of_database[] = {{"a flood of notices", PROXY_FLOOD, 0, 1, SAYS(notices)}};
static const trouble of_cache[] = {{"a bulk without end", PROXY_FLOOD, 0, 1, SAYS(bulk)},
                                   {"a flood of integers", PROXY_FLOOD, 0, 1, SAYS(integers)},
                                   {"a flood of values", PROXY_FLOOD, 0, 1, SAYS(values)}};

/* PEERS_FINE=N breaks the lines at N times as many places. */
static size_t fineness(void)
{
    const char *asked = getenv("PEERS_FINE");
    long times = asked ? strtol(asked, NULL, 10) : 1;
    return times > 0 ? (size_t)times : 1;
}

static void run_at(const call *c, proxy *between, const trouble *t, const char *word, size_t after)
{
    char what[160];
    proxy_fault fault = {t->kind, word, after, 1, t->text, t->length};
    snprintf(what, sizeof what, "%s, %s, %s: %s after %zu bytes, on %s", cache_kind,
             between == store ? "cache" : "database", c->name, t->name, after, word ? "one line" : "all lines");
    for (int tries = 1; !run_through(c, between, &fault, what); tries++)
        ck_assert_msg(tries < TRIES, "%s: late %d times", what, tries);
}

/* A database that is bad on all lines lets a call wait until its deadline: of these a few will do. */
static bool is_on_all(const proxy *between, const trouble *t)
{
    return between == store || fineness() > 1 || t->kind == PROXY_STALL_ANSWER || t->kind == PROXY_RESET_ANSWER ||
           t->text == notices;
}

/* On all lines, and where a word tells the call's own line, on that alone: then those who help have a good one. */
static void run_trouble(const call *c, proxy *between, const trouble *t)
{
    size_t fine = fineness();
    if (is_on_all(between, t))
        run_at(c, between, t, NULL, t->step / 2);
    for (size_t i = 0; i < t->steps * fine; i++) {
        if (between == database && c->word)
            run_at(c, between, t, c->word, i * t->step / fine);
        if (between == store || fine > 1)
            run_at(c, between, t, NULL, i * t->step / fine);
    }
}

/* In the middle of an entry that is being stored, with more of it to be sent. */
static void run_while_storing(const call *c)
{
    static const trouble hung_up = {"hung up in an entry", PROXY_HANG_UP, 0, 1, QUIET};
    if (c->run == run_large_query)
        for (size_t i = 0; i < 4; i++)
            run_at(c, store, &hung_up, strcmp(cache_kind, "memcached") ? "SET\r\n" : "set ", 5000 + i * 20000);
}

static void run_troubles(const call *c, proxy *between, const trouble *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_trouble(c, between, &list[i]);
}

START_TEST(a_bad_database)
{
    begin_with("redis");
    run_troubles(&all_calls[_i], database, troubles, COUNT(troubles));
    run_troubles(&all_calls[_i], database, of_database, COUNT(of_database));
    if (all_calls[_i].word)
        ck_assert_uint_ge(proxy_happened(database), COUNT(troubles));
    finish();
}
END_TEST

/* To open asks nobody yet; what was opened answers, or says that nobody does, and closes whatever hangs.
 * False: late. */
static bool check_open(const proxy_fault *fault, const char *what)
{
    shopdata_client *made = NULL;
    shopdata_config *config = config_of(database, store);
    proxy_strike(database, fault);
    proxy_strike(store, fault);
    int64_t begin = sdi_now();
    servers_ok(shopdata_open(config, &made, NULL), NULL);
    int status = shopdata_ready(made, SHORT_MS, NULL);
    ck_assert_msg(status == SHOPDATA_OK || status == SHOPDATA_ERR_UNAVAILABLE, "%s: %s", what,
                  shopdata_status_name(status));
    shopdata_close(made);
    int64_t took = ms_since(begin);
    shopdata_config_free(config);
    proxy_heal(database);
    proxy_heal(store);
    return took < SHORT_MS + CONNECT_MS + SLACK_MS;
}

static void open_at(const trouble *t, size_t after)
{
    proxy_fault fault = {t->kind, NULL, after, 1, t->text, t->length};
    for (int tries = 1; !check_open(&fault, t->name); tries++)
        ck_assert_msg(tries < TRIES, "%s: late %d times", t->name, tries);
}

START_TEST(opening_and_closing)
{
    begin_with(caches[0]);
    for (size_t i = 0; i < COUNT(troubles); i++)
        for (size_t step = 0; step < fineness(); step++)
            open_at(&troubles[i], step * 360 / fineness());
    recover("opened and closed");
    finish();
}
END_TEST

START_TEST(a_bad_cache)
{
    begin_with(caches[_i / CALL_COUNT]);
    run_troubles(&all_calls[_i % CALL_COUNT], store, troubles, COUNT(troubles));
    run_troubles(&all_calls[_i % CALL_COUNT], store, of_cache, COUNT(of_cache));
    run_while_storing(&all_calls[_i % CALL_COUNT]);
    ck_assert_uint_ge(proxy_happened(store), COUNT(troubles));
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    servers_required_memcached();
    tcase_add_test(cases, opening_and_closing);
    tcase_add_loop_test(cases, a_bad_database, 0, CALL_COUNT);
    tcase_add_loop_test(cases, a_bad_cache, 0, CACHES * CALL_COUNT);
}

UNIT_MAIN("fault/peers", fill, 120)
