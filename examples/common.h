/* common.h - what the longer examples share: a client of the servers that the environment names, and a short way out.
 *
 *   SHOPDATA_PRIMARY, SHOPDATA_REPLICA1   connection strings, as libpq has them; the replica may be missing
 *   SHOPDATA_REDIS                        host:port; without it the cache is in the program's own memory */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <shopdata/shopdata.h>

#include <stdio.h>
#include <stdlib.h>

/* Ends the program if a call failed. A service would answer its caller instead, and perhaps try again where
 * shopdata_error_is_retriable says so. */
static inline void check(int status, shopdata_error *error)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", shopdata_status_name(status), shopdata_error_message(error));
    exit(EXIT_FAILURE);
}

/* Sets a key to what an environment variable holds, if it is there. */
static inline void set_from(shopdata_config *config, const char *key, const char *variable)
{
    shopdata_error *error = NULL;
    const char *value = getenv(variable);
    if (value)
        check(shopdata_config_set(config, key, value, &error), error);
}

static inline shopdata_client *open_client(void)
{
    shopdata_error *error = NULL;
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    check(shopdata_config_new(&config, &error), error);
    set_from(config, "node.primary.conninfo", "SHOPDATA_PRIMARY");
    set_from(config, "node.replica1.conninfo", "SHOPDATA_REPLICA1");
    check(shopdata_config_set(config, "cache.kind", getenv("SHOPDATA_REDIS") ? "redis" : "memory", &error), error);
    set_from(config, "cache.address", "SHOPDATA_REDIS");
    check(shopdata_open(config, &client, &error), error);
    shopdata_config_free(config);
    return client;
}

static inline shopdata_statement *prepare(shopdata_client *client, const char *sql)
{
    shopdata_error *error = NULL;
    shopdata_statement *statement = NULL;
    check(shopdata_statement_new(client, NULL, sql, &statement, &error), error);
    return statement;
}

static inline shopdata_session *begin_session(shopdata_client *client)
{
    shopdata_error *error = NULL;
    shopdata_session *session = NULL;
    check(shopdata_session_new(client, &session, &error), error);
    return session;
}

/* Runs a statement without parameters whose result does not interest. */
static inline void execute(shopdata_session *session, const char *sql, shopdata_client *client)
{
    shopdata_error *error = NULL;
    shopdata_statement *statement = prepare(client, sql);
    check(shopdata_execute(session, statement, NULL, 0, NULL, &error), error);
    shopdata_statement_free(statement);
}

static inline const char *cell(const shopdata_result *result, size_t row, size_t column)
{
    shopdata_error *error = NULL;
    const char *text = NULL;
    check(shopdata_result_text(result, row, column, &text, NULL, &error), error);
    return text ? text : "(null)";
}

static inline const char *source_name(const shopdata_result *result)
{
    int source = shopdata_result_source(result);
    return source == SHOPDATA_FROM_CACHE || source == SHOPDATA_FROM_LOCAL ? "cache" : "database";
}

#endif
