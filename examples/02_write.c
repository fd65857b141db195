/* 02_write.c - writes: RETURNING, what a writer reads next, and a transaction with a savepoint. */
#include "common.h"

#include <string.h>

static void show_price(shopdata_session *session, shopdata_statement *price, const char *when)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param id = shopdata_int64(1);
    check(shopdata_query(session, price, &id, 1, &result, &error), error);
    printf("%s: %s\n", when, cell(result, 0, 0));
    shopdata_result_free(result);
}

/* A numeric goes in as text, and comes out as text: a double would not hold 19.99. */
static void set_price(shopdata_session *session, shopdata_statement *update, const char *price)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param params[] = {shopdata_int64(1), shopdata_text(price)};
    int status = shopdata_execute(session, update, params, 2, &result, &error);
    check(status, error);
    /* SHOPDATA_UNFENCED is positive: the write stands, only other processes may see the old price a little longer. */
    if (status == SHOPDATA_UNFENCED)
        fprintf(stderr, "the shared cache could not be told\n");
    printf("%d row is now %s at %s\n", (int)shopdata_result_changed(result), cell(result, 0, 0), cell(result, 0, 1));
    shopdata_result_free(result);
}

/* The replicas follow the primary with a delay, and the cache holds the old price: the reader sees the new one. */
static void read_own_write(shopdata_client *client, shopdata_statement *price, shopdata_statement *update)
{
    shopdata_session *writer = begin_session(client), *reader = begin_session(client);
    show_price(reader, price, "before");
    set_price(writer, update, "19.99");
    show_price(writer, price, "the writer reads");
    show_price(reader, price, "another reads");
    shopdata_session_free(writer);
    shopdata_session_free(reader);
}

/* In a transaction an error spoils all that follows, but what a savepoint guards. */
static void use_transaction(shopdata_client *client, shopdata_statement *price, shopdata_statement *update)
{
    shopdata_error *error = NULL;
    shopdata_session *session = begin_session(client);
    shopdata_param wrong[] = {shopdata_int64(1), shopdata_text("-5")};
    check(shopdata_begin(session, SHOPDATA_READ_COMMITTED, &error), error);
    set_price(session, update, "24.50");
    check(shopdata_savepoint(session, "before the discount", &error), error);
    int status = shopdata_execute(session, update, wrong, 2, NULL, &error);
    printf("a price below zero: %s, SQLSTATE %s\n", shopdata_status_name(status), shopdata_error_sqlstate(error));
    shopdata_error_free(error);
    error = NULL;
    check(shopdata_rollback_to(session, "before the discount", &error), error);
    check(shopdata_commit(session, &error), error);
    show_price(session, price, "after the transaction");
    shopdata_session_free(session);
}

int main(void)
{
    shopdata_error *error = NULL;
    const char *told = NULL;
    shopdata_client *client = open_client();
    shopdata_session *session = begin_session(client);
    execute(session, "DROP TABLE IF EXISTS example_gifts", client);
    execute(session,
            "CREATE TABLE example_gifts (id int PRIMARY KEY, name text, price numeric(10,2) CHECK (price >= 0))",
            client);
    execute(session, "INSERT INTO example_gifts VALUES (1, 'teapot', 17.00)", client);

    shopdata_statement *price = prepare(client, "SELECT price FROM example_gifts WHERE id = $1");
    shopdata_statement *update =
        prepare(client, "UPDATE example_gifts SET price = $2 WHERE id = $1 RETURNING name, price");
    /* What the library made of the SQL: which answers are cached, and what a write makes stale. */
    check(shopdata_statement_explain(price, &told, &error), error);
    printf("%s%s", told, told[0] && told[strlen(told) - 1] == '\n' ? "" : "\n");
    read_own_write(client, price, update);
    use_transaction(client, price, update);

    execute(session, "DROP TABLE example_gifts", client);
    shopdata_statement_free(price);
    shopdata_statement_free(update);
    shopdata_session_free(session);
    shopdata_close(client);
    return EXIT_SUCCESS;
}
