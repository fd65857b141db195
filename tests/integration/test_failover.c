/* test_failover.c - the primary dies, a replica is promoted: the client finds it without a restart. A promotion cannot
 * be undone, so this program has servers of its own. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/clock.h"

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id, *set_price;

static void ok(int status, const shopdata_error *error)
{
    ck_assert_msg(status >= 0, "%s: %s", shopdata_status_name(status), shopdata_error_message(error));
}

static int64_t price_of(int id)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    int64_t price = -1;
    shopdata_param param = shopdata_int64(id);
    int status = shopdata_query(session, by_id, &param, 1, &result, &error);
    ok(status, error);
    ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    shopdata_result_free(result);
    return price;
}

static void set_price_to(int id, int64_t price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    int status = shopdata_execute(session, set_price, params, 2, NULL, &error);
    ok(status, error);
}

static void wait_for_role(const char *labels, int role)
{
    for (int i = 0; i < 1000 && servers_metric(client, "shopdata_node_role", labels) != role; i++)
        usleep(10000);
    ck_assert_int_eq((int)servers_metric(client, "shopdata_node_role", labels), role);
}

static void begin(void)
{
    servers_sql("CREATE TABLE item (id int PRIMARY KEY, price int NOT NULL); "
                "INSERT INTO item SELECT i, i FROM generate_series(1, 100) i");
    servers_settle();
    client = servers_open_with(servers_hasty_config("redis"));
    ok(shopdata_session_new(client, &session, NULL), NULL);
    ok(shopdata_session_set_deadline(session, 20000, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
    set_price = servers_statement(client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void end(void)
{
    shopdata_statement_free(by_id);
    shopdata_statement_free(set_price);
    shopdata_session_free(session);
    shopdata_close(client);
}

/* Rows of the old era stand in the cache with fences of the old era. What the new primary says of them is what counts:
 * here it says so past the library, as one that lost the last commits of the old one would. */
static void nothing_of_the_old_era_is_served(void)
{
    free(servers_value_at("SHOPDATA_REPLICA1", "UPDATE item SET price = price + 1000 WHERE id <= 10"));
    for (int id = 1; id <= 10; id++)
        ck_assert_int_eq(price_of(id), id + 1000);
}

/* The old primary comes back and believes that it is one: nobody may listen to it. */
static void the_deposed_one_is_not_heard(void)
{
    servers_do("start primary");
    wait_for_role("node=\"primary\"", 2);
    servers_do("freeze replica1");
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(50), shopdata_int64(5)};
    ok(shopdata_session_set_deadline(session, 2500, NULL), NULL);
    int status = shopdata_execute(session, set_price, params, 2, NULL, &error);
    ck_assert_msg(status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_TIMEOUT ||
                      status == SHOPDATA_ERR_AMBIGUOUS,
                  "%s: %s", shopdata_status_name(status), shopdata_error_message(error));
    shopdata_error_free(error);
    char *price = servers_value("SELECT price FROM item WHERE id = 50"); /* of the old primary */
    ck_assert_str_eq(price, "50");
    free(price);
    servers_do("thaw replica1");
    ok(shopdata_session_set_deadline(session, 20000, NULL), NULL);
    set_price_to(50, 51);
    ck_assert_int_eq(price_of(50), 51);
}

static int64_t price_with(shopdata_session *who, int id, unsigned flags)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    int64_t price = -1;
    shopdata_param param = shopdata_int64(id);
    shopdata_call call = {by_id, &param, 1, flags};
    int status = shopdata_query_many(who, &call, 1, &result, &error);
    ok(status, error);
    ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    shopdata_result_free(result);
    return price;
}

/* Anybody: who has seen and written nothing, and has nothing to demand. */
static void anybody_reads(int id, int64_t price)
{
    shopdata_session *anybody;
    ok(shopdata_session_new(client, &anybody, NULL), NULL);
    ck_assert_int_eq(price_with(anybody, id, 0), price);
    ck_assert_int_eq(price_with(anybody, id, SHOPDATA_NO_CACHE), price);
    shopdata_session_free(anybody);
}

/* The old primary is back and goes on writing, and a replica follows it: what both say is of a line that is dead. */
static void the_dead_line_is_not_heard(void)
{
    servers_do("start primary");
    wait_for_role("node=\"primary\"", 2);
    servers_sql("UPDATE item SET price = -1 WHERE id BETWEEN 70 AND 90");
    char *seen = NULL;
    for (int i = 0; i < 500 && (!seen || strcmp(seen, "-1") != 0); i++, usleep(20000)) {
        free(seen);
        seen = servers_value_at("SHOPDATA_REPLICA2", "SELECT price FROM item WHERE id = 70");
    }
    ck_assert_str_eq(seen, "-1");
    free(seen);
    wait_for_role("node=\"replica2\"", 1);
    for (int round = 0; round < 5; round++)
        for (int id = 70; id <= 90; id++)
            anybody_reads(id, id);
    servers_do("stop primary");
}

static char old_token[1600];

static void keep_token(void)
{
    const char *token;
    ok(shopdata_session_token(session, &token, NULL), NULL);
    snprintf(old_token, sizeof old_token, "%s", token);
}

/* A token of before the promotion goes on to ask for what survived. */
static void tokens_run_on(void)
{
    shopdata_session *user;
    shopdata_error *error = NULL;
    ok(shopdata_session_new(client, &user, NULL), NULL);
    ok(shopdata_session_advance(user, old_token, &error), error);
    ck_assert_int_eq(price_with(user, 30, SHOPDATA_NO_CACHE), 300);
    ck_assert_int_eq(price_with(user, 30, 0), 300);
    shopdata_session_free(user);
}

START_TEST(a_promoted_replica_takes_over)
{
    begin();
    for (int round = 0; round < 3; round++)
        for (int id = 1; id <= 20; id++)
            ck_assert_int_eq(price_of(id), id);
    set_price_to(30, 300);
    keep_token();
    servers_do("stop primary");
    servers_do("promote replica1");
    set_price_to(40, 400); /* waits until the new one is found */
    ck_assert_int_eq(price_of(40), 400);
    ck_assert_int_eq(price_of(30), 300);
    wait_for_role("node=\"replica1\"", 2);
    ck_assert_double_eq(servers_metric(client, "shopdata_failovers_total", NULL), 1);
    nothing_of_the_old_era_is_served();
    tokens_run_on();
    the_dead_line_is_not_heard();
    servers_do("follow replica2 replica1");
    for (int i = 0; i < 100; i++) {
        set_price_to(60 + i % 20, i);
        ck_assert_int_eq(price_of(60 + i % 20), i);
        ck_assert_int_eq(price_of(60 + i % 20), i);
    }
    ck_assert_double_gt(servers_metric(client, "shopdata_cache_hits_total", NULL), 40);
    the_deposed_one_is_not_heard();
    end();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_test(cases, a_promoted_replica_takes_over);
}

UNIT_MAIN("integration/failover", fill, 120)
