/* test_shared.c - what the reads of a node share, and what it is asked beside them. */
#include <stdio.h>
#include <string.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "client/core.h"

enum { ITEMS = 100, PRIMARY = 0, REPLICA = 1 };

static shopdata_client *client;
static shopdata_session *session;
static shopdata_statement *by_id;

/* --------------------------------------------------------------------------------------------------------- helpers */

static void make_table(void)
{
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price int NOT NULL); INSERT INTO item SELECT i, i * 10 FROM generate_series(1, 100) i");
    servers_replay("SHOPDATA_REPLICA1");
    servers_replay("SHOPDATA_REPLICA2");
}

/* Nobody else asks the nodes meanwhile: their watchers sleep. */
static void begin(void)
{
    shopdata_config *config = servers_config("none");
    make_table();
    servers_ok(shopdata_config_set(config, "route.poll_interval", "1m", NULL), NULL);
    servers_ok(shopdata_config_set(config, "route.catalog_interval", "0ms", NULL), NULL);
    client = servers_open_with(config);
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
    by_id = servers_statement(client, "SELECT id, price FROM item WHERE id = $1");
}

static void finish(void)
{
    shopdata_statement_free(by_id);
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

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_test(cases, a_node_whose_role_has_changed_tells_so_and_answers);
}

UNIT_MAIN("shared", fill, 60)
