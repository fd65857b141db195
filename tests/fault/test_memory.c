/* test_memory.c - every allocation fails once, and once with all that follow it, in every call that the library has.
 * The call answers that memory is out, or succeeds; nothing is lost, and least of all a fence; afterwards all works. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "allocation.h"
#include "base/clock.h"
#include "client/core.h"
#include "client/fencing.h"

static const char *const caches[] = {"redis", "memory"};
enum { CACHES = 2, ITEMS = 20, ID = 7, CALLS = 3, STATUSES = 32 };

/* A library that is left without memory in the middle of connecting may be asked for thousands of allocations. */
enum { LIBRARIES_MAX = 80 };

/* libpq without memory for an answer waits for more of it until the deadline: so it is a short one. */
enum { LIBRARIES_MS = 60 };

/* Blocks more or less at the end than at the beginning; one lost by each of so many failures is more. */
enum { KEPT_BY_LIBRARIES = 8 };

static const char *cache_kind;
static shopdata_config *config;
static shopdata_client *client, *neighbour; /* another process's, as far as the cache can tell */
static shopdata_session *session, *theirs;
static shopdata_statement *by_id, *their_by_id, *set_price, *rename_item;
static int64_t last_price;
static bool outputs_right; /* Check allocates: while allocations fail nothing is asserted, only noted */

/* --------------------------------------------------------------------------------------------------------- helpers */

static shopdata_client *open_ready(void)
{
    shopdata_client *made = NULL;
    servers_ok(shopdata_open(config, &made, NULL), NULL);
    servers_ok(shopdata_ready(made, 10000, NULL), NULL);
    return made;
}

/* What failed for want of memory is tried again at once: breakers shall not be what the test waits for. */
static void rest_briefly(void)
{
    static const char *const keys[] = {"cache.breaker_open", "cache.breaker_open_max", "route.breaker_open",
                                       "route.breaker_open_max"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        servers_ok(shopdata_config_set(config, keys[i], i % 2 ? "4ms" : "2ms", NULL), NULL);
}

static void begin_with(const char *cache, const char *mode)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL, name text); INSERT INTO item SELECT i, i, 'item ' || i FROM "
                "generate_series(1, 20) i");
    cache_kind = cache;
    config = servers_config(cache);
    servers_ok(shopdata_config_set(config, "cache.mode", mode, NULL), NULL);
    rest_briefly();
    client = open_ready();
    bool alone = !strcmp(cache, "memory"); /* the cache is the client's own */
    neighbour = alone ? NULL : open_ready();
    shopdata_client *who = alone ? client : neighbour;
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    servers_ok(shopdata_session_new(who, &theirs, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    their_by_id = servers_statement(who, "SELECT id, price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1 RETURNING id, price");
    rename_item = servers_statement(client, "UPDATE item SET name = $2 WHERE id = $1");
    last_price = 1000;
}

static void finish(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(their_by_id);
    shopdata_statement_free(set_price);
    shopdata_statement_free(rename_item);
    shopdata_session_free(session);
    shopdata_session_free(theirs);
    shopdata_close(client);
    shopdata_close(neighbour);
    shopdata_config_free(config);
}

/* The price as somebody reads it; negative: the status. */
static int64_t read_price(shopdata_session *who, shopdata_statement *statement, shopdata_error **error)
{
    int64_t price = 0;
    shopdata_result *result = NULL;
    shopdata_param id = shopdata_int64(ID);
    int status = shopdata_query(who, statement, &id, 1, &result, error);
    if (status == SHOPDATA_OK)
        status = shopdata_result_int64(result, 0, 1, &price, error);
    shopdata_result_free(result);
    return status == SHOPDATA_OK ? price : status;
}

/* Connections that broke for want of memory, and breakers that opened, need a moment: a few tries are granted. */
static int64_t price_of(shopdata_session *who, shopdata_statement *statement)
{
    shopdata_error *error = NULL;
    int64_t price = -1;
    for (int i = 0; i < 2000 && price < 0; i++) {
        shopdata_error_free(error);
        error = NULL;
        price = read_price(who, statement, &error);
        if (price < 0)
            usleep(1000);
    }
    ck_assert_msg(price >= 0, "%s: %s", shopdata_status_name((int)price), shopdata_error_message(error));
    shopdata_error_free(error);
    return price;
}

static int64_t true_price(void)
{
    int64_t price;
    shopdata_session_set_flags(theirs, SHOPDATA_PRIMARY | SHOPDATA_NO_CACHE, NULL);
    price = price_of(theirs, their_by_id);
    shopdata_session_set_flags(theirs, 0, NULL);
    return price;
}

/* --------------------------------------------------------------------------------------------------- what must hold */

static void reach_primary(void)
{
    shopdata_session_set_flags(session, SHOPDATA_PRIMARY | SHOPDATA_NO_CACHE, NULL);
    price_of(session, by_id);
    shopdata_session_set_flags(session, 0, NULL);
}

/* Whoever reads now reads what is true, unless the write said that others may not. */
static void check_fresh(int status)
{
    if (status == SHOPDATA_ERR_AMBIGUOUS) /* it promises nothing while no primary is known */
        reach_primary();
    int64_t truth = true_price(), own = price_of(session, by_id);
    ck_assert_msg(own == truth, "after %s: read %d, stands %d", shopdata_status_name(status), (int)own, (int)truth);
    int64_t other = price_of(theirs, their_by_id);
    if (status == SHOPDATA_UNFENCED)
        return;
    ck_assert_msg(other == truth, "after %s: another reads %d, stands %d", shopdata_status_name(status), (int)other,
                  (int)truth);
}

static void after_write(int status)
{
    int64_t truth = true_price();
    if (status >= SHOPDATA_OK)
        ck_assert_int_eq(truth, last_price);
    if (status == SHOPDATA_ERR_NO_MEMORY || status == SHOPDATA_ERR_UNAVAILABLE)
        ck_assert_int_ne(truth, last_price); /* else it had to be AMBIGUOUS */
    check_fresh(status);
}

/* Our own lack of memory is told as such. A library's comes to us as whatever the library makes of it: libpq without
 * memory for an answer waits for more of it until the deadline. */
static bool may_answer(int status, enum allocation_whose whose, bool writes)
{
    if (status >= SHOPDATA_OK || status == SHOPDATA_ERR_NO_MEMORY)
        return true;
    if (writes && status == SHOPDATA_ERR_AMBIGUOUS)
        return true;
    return whose == ALLOCATION_ALL &&
           (status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_SQL || status == SHOPDATA_ERR_TRANSACTION ||
            status == SHOPDATA_ERR_TIMEOUT || status == SHOPDATA_ERR_CONFIG);
}

/* ------------------------------------------------------------------------------------------------------------ calls */

typedef struct scenario {
    const char *name;
    void (*before)(void);
    int (*run)(shopdata_error **error);
    void (*after)(int status);
    bool writes;
    enum allocation_whose most; /* libpg_query exits without memory: no library's is failed where it parses */
    const char *mode;           /* of the cache */
} scenario;

/* Connections that broke the last time are made anew, so that it is not connecting again that memory fails. */
static void connect_all(void)
{
    shopdata_param params[] = {shopdata_int64(1), shopdata_text("renamed")};
    shopdata_session_set_flags(session, SHOPDATA_NO_CACHE, NULL);
    for (int i = 0; i < 3; i++)
        price_of(session, by_id);
    shopdata_session_set_flags(session, 0, NULL);
    servers_ok(shopdata_execute(session, rename_item, params, 2, NULL, NULL), NULL);
}

static void fill_cache(void)
{
    connect_all();
    price_of(theirs, their_by_id);
    price_of(session, by_id);
}

static void empty_cache(void)
{
    const char *tag = "public.item";
    connect_all();
    servers_ok(shopdata_invalidate(client, &tag, 1, NULL), NULL);
}

static int run_config(shopdata_error **error)
{
    shopdata_config *made = NULL;
    int status = shopdata_config_new(&made, error);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set(made, "node.a.conninfo", "host=localhost", error);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set(made, "policy.shelf.ttl", "5m", error);
    if (status == SHOPDATA_OK)
        status = shopdata_config_read_file(made, getenv("SHOPDATA_EXAMPLE_INI"), error);
    shopdata_config_free(made);
    return status;
}

static int run_config_fault(shopdata_error **error)
{
    shopdata_config *made = NULL;
    int status = shopdata_config_new(&made, error);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set(made, "pool.sise", "3", error);
    shopdata_config_free(made);
    if (status != SHOPDATA_ERR_CONFIG)
        return status;
    shopdata_error_free(*error);
    *error = NULL;
    return SHOPDATA_OK;
}

/* A write of ours that waits to be told, and may not be told before it is read. */
static void leave_untold(void)
{
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_buffer keys = SDI_BUFFER_INIT;
    fill_cache();
    sdi_tags_add(&tags, sdi_slice_of("public.item/id=7"));
    sdi_fence_keys(client->core, &tags, &keys);
    sdi_untold_keep(client->core, &keys, NULL);
    sdi_buffer_free(&keys);
    sdi_tags_free(&tags);
}

static int run_open(shopdata_error **error)
{
    shopdata_client *made = NULL;
    int status = shopdata_open(config, &made, error);
    shopdata_close(made);
    return status;
}

static int run_statement(shopdata_error **error)
{
    shopdata_statement *made = NULL;
    const char *text;
    int status = shopdata_statement_new(
        client, NULL, "SELECT i.id, lower(i.name) FROM item i JOIN item o ON o.id = i.id WHERE i.id = $1", &made,
        error);
    if (status == SHOPDATA_OK)
        status = shopdata_statement_add_tag(made, "shelf/$1", error);
    if (status == SHOPDATA_OK)
        status = shopdata_statement_explain(made, &text, error);
    shopdata_statement_free(made);
    return status;
}

static int run_query(shopdata_error **error)
{
    int64_t price = read_price(session, by_id, error);
    return price < 0 ? (int)price : SHOPDATA_OK;
}

static int run_query_in_new_session(shopdata_error **error)
{
    shopdata_session *made = NULL;
    int status = shopdata_session_new(client, &made, error);
    if (status == SHOPDATA_OK) {
        int64_t price = read_price(made, by_id, error);
        status = price < 0 ? (int)price : SHOPDATA_OK;
    }
    shopdata_session_free(made);
    return status;
}

/* The way of a session from one instance to the next. */
static int run_token(shopdata_error **error)
{
    const char *token;
    shopdata_session *made = NULL;
    int status = shopdata_session_token(session, &token, error);
    if (status == SHOPDATA_OK)
        status = shopdata_session_new(client, &made, error);
    if (status == SHOPDATA_OK)
        status = shopdata_session_advance(made, token, error);
    if (status == SHOPDATA_OK) {
        int64_t price = read_price(made, by_id, error);
        status = price < 0 ? (int)price : SHOPDATA_OK;
    }
    shopdata_session_free(made);
    return status;
}

static int run_query_many(shopdata_error **error)
{
    shopdata_param ids[CALLS] = {shopdata_int64(ID), shopdata_int64(2), shopdata_int64(3)};
    shopdata_call calls[CALLS];
    shopdata_result *results[CALLS] = {NULL};
    for (size_t i = 0; i < CALLS; i++)
        calls[i] = (shopdata_call){by_id, &ids[i], 1, i == 2 ? SHOPDATA_NO_CACHE : 0};
    int status = shopdata_query_many(session, calls, CALLS, results, error);
    for (size_t i = 0; i < CALLS; i++) {
        outputs_right &= (status == SHOPDATA_OK) == (results[i] != NULL);
        shopdata_result_free(results[i]);
    }
    return status;
}

/* What its worker lacks is told as by the call; here it is the caller who lacks it. */
static int finish_op(shopdata_op *op, shopdata_error **error)
{
    shopdata_result *result = NULL;
    int status = shopdata_op_wait(op, 60000, error);
    if (status == SHOPDATA_OK)
        status = shopdata_op_take(op, &result, error);
    outputs_right &= shopdata_result_rows(result) == (status >= SHOPDATA_OK);
    shopdata_result_free(result);
    shopdata_op_free(op);
    return status;
}

static int run_op(shopdata_error **error)
{
    shopdata_op *op = NULL;
    shopdata_queue *queue = NULL;
    shopdata_param id = shopdata_int64(ID);
    shopdata_call call = {.statement = by_id, .params = &id, .count = 1};
    int status = shopdata_queue_new(client, &queue, error);
    if (status == SHOPDATA_OK)
        status = shopdata_start(session, queue, &call, 1, NULL, &op, error);
    if (status >= SHOPDATA_OK)
        status = finish_op(op, error);
    shopdata_queue_free(queue);
    return status;
}

static int run_op_that_writes(shopdata_error **error)
{
    shopdata_op *op = NULL;
    shopdata_param params[] = {shopdata_int64(ID), shopdata_int64(++last_price)};
    int status = shopdata_start_execute(session, NULL, set_price, params, 2, NULL, &op, error);
    return status < SHOPDATA_OK ? status : finish_op(op, error);
}

static int run_execute(shopdata_error **error)
{
    shopdata_result *result = NULL;
    shopdata_param params[] = {shopdata_int64(ID), shopdata_int64(++last_price)};
    int status = shopdata_execute(session, set_price, params, 2, &result, error);
    outputs_right &= shopdata_result_rows(result) == (status >= SHOPDATA_OK);
    shopdata_result_free(result);
    return status;
}

static int change_in_transaction(shopdata_error **error)
{
    shopdata_param params[] = {shopdata_int64(ID), shopdata_int64(last_price)};
    shopdata_param name[] = {shopdata_int64(ID), shopdata_text("renamed")};
    int status = shopdata_execute(session, set_price, params, 2, NULL, error);
    if (status >= SHOPDATA_OK)
        status = shopdata_savepoint(session, "here", error);
    if (status >= SHOPDATA_OK)
        status = shopdata_execute(session, rename_item, name, 2, NULL, error);
    if (status >= SHOPDATA_OK)
        status = shopdata_rollback_to(session, "here", error);
    return status;
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

static int run_invalidate(shopdata_error **error)
{
    const char *tags[] = {"public.item/id=7", "public.item", "shelf"};
    return shopdata_invalidate(client, tags, 3, error);
}

/* A write past the library, then the call that tells of it. */
static void write_elsewhere(void)
{
    char sql[80];
    fill_cache();
    snprintf(sql, sizeof sql, "UPDATE item SET price = %d WHERE id = %d", (int)++last_price, ID);
    servers_sql(sql);
}

static void after_invalidate(int status)
{
    if (status >= SHOPDATA_OK)
        check_fresh(status);
    else
        empty_cache();
}

static int run_metrics(shopdata_error **error)
{
    shopdata_metrics *metrics = NULL;
    int status = shopdata_metrics_take(client, &metrics, error);
    if (status == SHOPDATA_OK)
        status = shopdata_metrics_prometheus(metrics) ? SHOPDATA_OK : SHOPDATA_ERR_NO_MEMORY;
    shopdata_metrics_free(metrics);
    return status;
}

static const scenario scenarios[] = {
    {"configuration", NULL, run_config, NULL, false, ALLOCATION_OURS, "fenced"},
    {"configuration's fault", NULL, run_config_fault, NULL, false, ALLOCATION_OURS, "fenced"},
    {"open and close", NULL, run_open, NULL, false, ALLOCATION_OURS, "fenced"},
    {"statement", NULL, run_statement, NULL, false, ALLOCATION_OURS, "fenced"},
    {"query, in the cache", fill_cache, run_query, check_fresh, false, ALLOCATION_OURS, "fenced"},
    {"query, not in the cache", empty_cache, run_query, check_fresh, false, ALLOCATION_ALL, "fenced"},
    {"query in a new session", fill_cache, run_query_in_new_session, check_fresh, false, ALLOCATION_OURS, "fenced"},
    {"query_many", empty_cache, run_query_many, check_fresh, false, ALLOCATION_ALL, "fenced"},
    {"op", fill_cache, run_op, check_fresh, false, ALLOCATION_OURS, "fenced"},
    {"op that writes", fill_cache, run_op_that_writes, after_write, true, ALLOCATION_OURS, "fenced"},
    {"execute", fill_cache, run_execute, after_write, true, ALLOCATION_ALL, "fenced"},
    {"transaction", fill_cache, run_transaction, after_write, true, ALLOCATION_ALL, "fenced"},
    {"session's token", fill_cache, run_token, check_fresh, false, ALLOCATION_OURS, "fenced"},
    {"query, untold write", leave_untold, run_query, check_fresh, false, ALLOCATION_OURS, "fenced"},
    {"query, strict", empty_cache, run_query, check_fresh, false, ALLOCATION_OURS, "strict"},
    {"execute, strict", fill_cache, run_execute, after_write, true, ALLOCATION_ALL, "strict"},
    {"transaction, strict", fill_cache, run_transaction, after_write, true, ALLOCATION_OURS, "strict"},
    {"invalidate", write_elsewhere, run_invalidate, after_invalidate, false, ALLOCATION_OURS, "fenced"},
    {"metrics", NULL, run_metrics, NULL, false, ALLOCATION_OURS, "fenced"},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---------------------------------------------------------------------------------------------------------- the loop
 */

static bool run_once(const scenario *s, enum allocation_whose whose, enum allocation_span span, size_t n, size_t *told)
{
    shopdata_error *error = NULL;
    if (s->before)
        s->before();
    outputs_right = true;
    shopdata_session_set_deadline(session, whose == ALLOCATION_ALL ? LIBRARIES_MS : 20000, NULL);
    allocation_fail_at(whose, span, n);
    int status = s->run(&error);
    bool failed = allocation_heal();
    shopdata_session_set_deadline(session, 20000, NULL);
    bool unmarked = s->writes && !strcmp(s->mode, "strict") && status == SHOPDATA_ERR_UNAVAILABLE;
    ck_assert_msg(unmarked || may_answer(status, whose, s->writes), "%s, allocation %zu: %s: %s", s->name, n,
                  shopdata_status_name(status), shopdata_error_message(error));
    ck_assert_msg(outputs_right && (status < 0) == (error != NULL), "%s, allocation %zu: %s, but other outputs",
                  s->name, n, shopdata_status_name(status));
    shopdata_error_free(error);
    told[status < 0 ? -status : STATUSES - 1 - status]++;
    if (s->after)
        s->after(status);
    return failed;
}

static void show(const scenario *s, enum allocation_whose whose, enum allocation_span span, const size_t *told)
{
    printf("%-8s%-26s%-6s%-8s", cache_kind, s->name, whose == ALLOCATION_OURS ? "ours" : "all",
           span == ALLOCATION_ONCE ? "once" : "on");
    for (int i = 0; i < STATUSES; i++)
        if (told[i])
            printf(" %s %zu", shopdata_status_name(i < STATUSES - 2 ? -i : STATUSES - 1 - i), told[i]);
    printf("\n");
}

static void run_all(const scenario *s, enum allocation_whose whose, enum allocation_span span)
{
    size_t n = 1, told[STATUSES] = {0};
    size_t most = whose == ALLOCATION_ALL ? LIBRARIES_MAX : SIZE_MAX;
    while (n < most && run_once(s, whose, span, n, told))
        n++;
    ck_assert_msg(n > 1, "%s: no allocation failed", s->name);
    show(s, whose, span, told);
}

START_TEST(every_allocation_fails)
{
    const scenario *s = &scenarios[_i % SCENARIOS];
    if (_i >= SCENARIOS && !s->after)
        return; /* the cache has no part in it */
    long before = allocation_live();
    begin_with(caches[_i / SCENARIOS], s->mode);
    if (_i >= SCENARIOS) /* the plans were made without memory before */
        servers_ok(run_execute(NULL), NULL);
    run_all(s, ALLOCATION_OURS, ALLOCATION_ONCE);
    if (_i < SCENARIOS || !allocation_catches_all()) /* of two builds, each does what the other does not */
        run_all(s, ALLOCATION_OURS, ALLOCATION_FROM_THERE_ON);
    if (allocation_catches_all() && s->most == ALLOCATION_ALL && _i < SCENARIOS) {
        run_all(s, ALLOCATION_ALL, ALLOCATION_ONCE);
        run_all(s, ALLOCATION_ALL, ALLOCATION_FROM_THERE_ON);
    }
    finish();
    ck_assert_msg(labs(allocation_live() - before) <= KEPT_BY_LIBRARIES, "%s: %ld blocks are left", s->name,
                  allocation_live() - before);
}
END_TEST

/* Libraries keep something of their first use. */
static void warm_up(void)
{
    begin_with(caches[0], "fenced");
    run_statement(NULL);
    run_config(NULL);
    finish();
}

static void fill(TCase *cases)
{
    servers_required();
    setenv("PGGSSENCMODE", "disable", 1); /* Kerberos' library crashes without memory */
    tcase_add_unchecked_fixture(cases, warm_up, NULL);
    tcase_add_loop_test(cases, every_allocation_fails, 0, CACHES * SCENARIOS);
}

UNIT_MAIN("fault/memory", fill, 120)
