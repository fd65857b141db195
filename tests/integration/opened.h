/* opened.h - a schema of the case's own, `opened`, and a client that notices at once what others change in it; for
 * tests of what stands behind the SQL. */
#ifndef SDI_TESTS_OPENED_H
#define SDI_TESTS_OPENED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"

static shopdata_client *client;
static shopdata_session *session;

static inline shopdata_config *config_of(const char *prefix)
{
    shopdata_config *config = servers_config("redis");
    ck_assert_int_eq(shopdata_config_set(config, "route.catalog_interval", "50ms", NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_config_set(config, "cache.key_prefix", prefix, NULL), SHOPDATA_OK);
    return config;
}

/* A key prefix of the case's own, which a second client of it may share. */
static inline const char *prefix_of_case(void)
{
    static char prefix[64];
    static int number;
    snprintf(prefix, sizeof prefix, "sql-%d-%d", (int)getpid(), number++);
    return prefix;
}

static const char *prefix;

static inline void begin(const char *schema)
{
    servers_sql("DROP SCHEMA IF EXISTS opened CASCADE; CREATE SCHEMA opened;"
                "CREATE TABLE opened.item (id int PRIMARY KEY, shelf int, name text);"
                "INSERT INTO opened.item SELECT i, i / 10, 'item ' || i FROM generate_series(1, 20) i");
    servers_sql(schema);
    servers_replay("SHOPDATA_REPLICA1"); /* nodes that differ in the role's settings are not used together */
    servers_replay("SHOPDATA_REPLICA2");
    prefix = prefix_of_case();
    client = servers_open_with(config_of(prefix));
    servers_ok(shopdata_session_new(client, &session, NULL), NULL);
}

static inline void finish(void)
{
    shopdata_session_free(session);
    shopdata_close(client);
    servers_sql("DROP SCHEMA opened CASCADE");
}

/* The first cell, "NULL", or "none"; *source tells who answered. */
static inline const char *first_of(shopdata_session *who, shopdata_statement *statement, int *source)
{
    static char text[256];
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    const char *cell = NULL;
    servers_ok(shopdata_query(who, statement, NULL, 0, &result, &error), error);
    if (shopdata_result_rows(result))
        servers_ok(shopdata_result_text(result, 0, 0, &cell, NULL, &error), error);
    snprintf(text, sizeof text, "%s", cell ? cell : shopdata_result_rows(result) ? "NULL" : "none");
    *source = shopdata_result_source(result);
    shopdata_result_free(result);
    return text;
}

static inline void expect(shopdata_session *who, shopdata_statement *statement, const char *expected)
{
    int source;
    ck_assert_str_eq(first_of(who, statement, &source), expected);
}

static inline void expect_cached(shopdata_session *who, shopdata_statement *statement, const char *expected)
{
    int source;
    expect(who, statement, expected);
    ck_assert_str_eq(first_of(who, statement, &source), expected);
    ck_assert_int_eq(source, SHOPDATA_FROM_CACHE);
}

static inline void expect_uncached(shopdata_session *who, shopdata_statement *statement, const char *expected)
{
    int source;
    expect(who, statement, expected);
    ck_assert_str_eq(first_of(who, statement, &source), expected);
    ck_assert_int_ne(source, SHOPDATA_FROM_CACHE);
}

/* The catalog is asked for less often where it takes long: on a busy machine that may be every half minute. */
static inline void expect_soon(shopdata_statement *statement, const char *expected)
{
    int source;
    for (int i = 0; i < 8000 && strcmp(first_of(session, statement, &source), expected) != 0; i++)
        usleep(10000);
    expect(session, statement, expected);
}

static inline void execute(const char *sql)
{
    shopdata_error *error = NULL;
    shopdata_statement *statement = servers_statement(client, sql);
    servers_ok(shopdata_execute(session, statement, NULL, 0, NULL, &error), error);
    shopdata_statement_free(statement);
}

#endif
