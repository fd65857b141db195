/* program.c - a program that knows the installed library only: its version, an error's message, and, where
 * SHOPDATA_PRIMARY tells a database, a query. */
#include <shopdata/shopdata.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report(const char *what, shopdata_error *error)
{
    fprintf(stderr, "%s: %s\n", what, shopdata_error_message(error));
    shopdata_error_free(error);
    return 1;
}

static int check_version(void)
{
    printf("version %s\n", shopdata_version());
    if (strcmp(shopdata_version(), SHOPDATA_VERSION) == 0)
        return 0;
    fprintf(stderr, "the header says %s\n", SHOPDATA_VERSION);
    return 1;
}

static int check_bad_key(shopdata_config *config)
{
    shopdata_error *error = NULL;
    int status = shopdata_config_set(config, "cache.colour", "blue", &error);
    printf("%s: %s\n", shopdata_status_name(status), shopdata_error_message(error));
    int good = status == SHOPDATA_ERR_CONFIG && strstr(shopdata_error_message(error), "colour");
    shopdata_error_free(error);
    return good ? 0 : 1;
}

static int print_answer(shopdata_session *session, shopdata_statement *statement)
{
    shopdata_param params[] = {shopdata_int64(41), shopdata_text("1")};
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    int64_t sum = 0;
    if (shopdata_query(session, statement, params, 2, &result, &error) ||
        shopdata_result_int64(result, 0, 0, &sum, &error)) {
        shopdata_result_free(result);
        return report("query", error);
    }
    printf("41 + 1 = %" PRId64 ", says %s\n", sum, shopdata_result_node(result));
    shopdata_result_free(result);
    return sum == 42 ? 0 : 1;
}

static int ask(shopdata_client *client)
{
    shopdata_statement *statement = NULL;
    shopdata_session *session = NULL;
    shopdata_error *error = NULL;
    int failed;
    if (shopdata_statement_new(client, NULL, "SELECT $1::bigint + $2::integer", &statement, &error) ||
        shopdata_session_new(client, &session, &error))
        failed = report("statement", error);
    else
        failed = print_answer(session, statement);
    shopdata_session_free(session);
    shopdata_statement_free(statement);
    return failed;
}

static int check_query(shopdata_config *config, const char *conninfo)
{
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    if (shopdata_config_set(config, "node.primary.conninfo", conninfo, &error) ||
        shopdata_open(config, &client, &error))
        return report("open", error);
    int failed = ask(client);
    shopdata_close(client);
    return failed;
}

int main(void)
{
    const char *conninfo = getenv("SHOPDATA_PRIMARY");
    shopdata_config *config = NULL;
    shopdata_error *error = NULL;
    if (shopdata_config_new(&config, &error))
        return report("config", error);
    int failed = check_version() + check_bad_key(config);
    if (conninfo)
        failed += check_query(config, conninfo);
    shopdata_config_free(config);
    return failed ? 1 : 0;
}
