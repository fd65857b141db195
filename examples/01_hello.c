/* 01_hello.c - the smallest whole program: connect, ask, print.
 *
 *   01_hello "host=127.0.0.1 dbname=shop"     without an argument: $SHOPDATA_PRIMARY */
#include <shopdata/shopdata.h>

#include <stdio.h>
#include <stdlib.h>

/* Everything hangs together so: a configuration makes a client; a client makes statements (once, and kept) and sessions
 * (one a request); a statement, run in a session, makes a result. On failure nothing is written, so a chain like this
 * may go on to its end; and every free function takes NULL. */
static int hello(const char *conninfo, shopdata_error **error)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    shopdata_statement *statement = NULL;
    shopdata_session *session = NULL;
    shopdata_result *result = NULL;
    shopdata_param name = shopdata_text("world");
    const char *greeting;

    int status = shopdata_config_new(&config, error);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set(config, "node.primary.conninfo", conninfo, error);
    if (status == SHOPDATA_OK)
        status = shopdata_open(config, &client, error);
    if (status == SHOPDATA_OK)
        status =
            shopdata_statement_new(client, NULL, "SELECT 'Hello, ' || $1::text || '!' AS greeting", &statement, error);
    if (status == SHOPDATA_OK)
        status = shopdata_session_new(client, &session, error);
    if (status == SHOPDATA_OK)
        status = shopdata_query(session, statement, &name, 1, &result, error);
    for (size_t row = 0; row < shopdata_result_rows(result); row++) {
        if (shopdata_result_text(result, row, 0, &greeting, NULL, error) == SHOPDATA_OK)
            printf("%s (says %s)\n", greeting, shopdata_result_node(result));
    }

    shopdata_result_free(result);
    shopdata_session_free(session);
    shopdata_statement_free(statement);
    shopdata_close(client);
    shopdata_config_free(config);
    return status;
}

int main(int argc, char **argv)
{
    shopdata_error *error = NULL;
    const char *conninfo = argc > 1 ? argv[1] : getenv("SHOPDATA_PRIMARY");
    if (hello(conninfo ? conninfo : "", &error) == SHOPDATA_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", shopdata_error_message(error));
    shopdata_error_free(error);
    return EXIT_FAILURE;
}
