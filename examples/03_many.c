/* 03_many.c - several reads in one round trip, who answered them, what was counted, and what errors look like. */
#include "common.h"

#include <string.h>

enum { READS = 3 };

/* All three go to the cache together; those that it does not have go to one database node together. */
static void read_many(shopdata_session *session, shopdata_statement *statement)
{
    shopdata_error *error = NULL;
    shopdata_result *results[READS];
    shopdata_param ids[READS];
    shopdata_call calls[READS];
    for (int i = 0; i < READS; i++) {
        ids[i] = shopdata_int64(i + 1);
        calls[i] = (shopdata_call){.statement = statement, .params = &ids[i], .count = 1};
    }
    check(shopdata_query_many(session, calls, READS, results, &error), error);
    for (int i = 0; i < READS; i++) {
        printf("%s%s from the %s", i ? ", " : "", cell(results[i], 0, 0), source_name(results[i]));
        shopdata_result_free(results[i]);
    }
    printf("\n");
}

/* A call that fails says what is wrong, and whether it is worth trying again. */
static void tell_error(const char *what, int status, shopdata_error *error)
{
    printf("%s: %s %s, %s\n", what, shopdata_status_name(status), shopdata_error_sqlstate(error),
           shopdata_error_is_retriable(error) ? "try again" : "do not try again");
    shopdata_error_free(error);
}

static void make_errors(shopdata_client *client, shopdata_session *session, shopdata_statement *good)
{
    shopdata_error *error = NULL;
    shopdata_statement *statement = NULL;
    shopdata_result *result = NULL;
    shopdata_param id = shopdata_int64(1), word = shopdata_text("seven");
    int64_t number;

    int status = shopdata_statement_new(client, NULL, "SELECT FROM WHERE", &statement, &error);
    tell_error("nonsense", status, error);
    error = NULL;
    status = shopdata_query(session, good, &word, 1, &result, &error);
    tell_error("a word for a number", status, error);
    error = NULL;
    status = shopdata_query(session, good, NULL, 0, &result, &error);
    tell_error("no parameter", status, error);
    error = NULL;
    check(shopdata_query(session, good, &id, 1, &result, &error), error);
    status = shopdata_result_int64(result, 0, 0, &number, &error);
    tell_error("a name as a number", status, error);
    shopdata_result_free(result);
}

/* A counter has a value for each set of labels; the sum over all is what interests here. */
static double counted(const shopdata_metrics *metrics, const char *name, const char *label)
{
    double sum = 0;
    for (size_t i = 0; i < shopdata_metrics_count(metrics); i++) {
        if (!strcmp(shopdata_metrics_name(metrics, i), name) && strstr(shopdata_metrics_labels(metrics, i), label))
            sum += shopdata_metrics_value(metrics, i);
    }
    return sum;
}

static void tell_metrics(shopdata_client *client)
{
    shopdata_error *error = NULL;
    shopdata_metrics *metrics = NULL;
    check(shopdata_metrics_take(client, &metrics, &error), error);
    printf("the cache answered %.0f reads\n", counted(metrics, "shopdata_queries_total", "source=\"cache\"") +
                                                  counted(metrics, "shopdata_queries_total", "source=\"local\""));
    shopdata_metrics_free(metrics);
}

int main(void)
{
    shopdata_client *client = open_client();
    shopdata_session *session = begin_session(client);
    execute(session, "DROP TABLE IF EXISTS example_toys", client);
    execute(session, "CREATE TABLE example_toys (id int PRIMARY KEY, name text)", client);
    execute(session, "INSERT INTO example_toys VALUES (1, 'kite'), (2, 'top'), (3, 'drum')", client);
    shopdata_statement *by_id = prepare(client, "SELECT name FROM example_toys WHERE id = $1");

    read_many(session, by_id);
    read_many(session, by_id);
    tell_metrics(client);
    make_errors(client, session, by_id);

    execute(session, "DROP TABLE example_toys", client);
    shopdata_statement_free(by_id);
    shopdata_session_free(session);
    shopdata_close(client);
    return EXIT_SUCCESS;
}
