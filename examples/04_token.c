/* 04_token.c - a user whose requests are answered by two instances: a token in his cookie lets the second one show him
 * what he wrote on the first. */
#include "common.h"

/* A real one comes and goes with each request: Set-Cookie: seen=...; HttpOnly; Secure; SameSite=Lax */
static char cookie[1600];

/* What comes back from a browser may be anything: what is no token of ours changes nothing. */
static shopdata_session *begin_request(shopdata_client *instance)
{
    shopdata_error *error = NULL;
    shopdata_session *session = begin_session(instance);
    if (*cookie && shopdata_session_advance(session, cookie, &error) < 0)
        printf("a cookie that is none: %s\n", shopdata_error_message(error));
    shopdata_error_free(error);
    return session;
}

static void end_request(shopdata_session *session)
{
    shopdata_error *error = NULL;
    const char *token;
    check(shopdata_session_token(session, &token, &error), error);
    snprintf(cookie, sizeof cookie, "%s", token);
    shopdata_session_free(session);
}

static void post(shopdata_client *instance, const char *text)
{
    shopdata_error *error = NULL;
    shopdata_session *session = begin_request(instance);
    shopdata_statement *write = prepare(instance, "UPDATE example_notes SET text = $1 WHERE id = 1");
    shopdata_param param = shopdata_text(text);
    check(shopdata_execute(session, write, &param, 1, NULL, &error), error);
    shopdata_statement_free(write);
    end_request(session);
}

/* random() keeps the answer out of the cache: it goes to whichever node the token allows. */
static void show(shopdata_client *instance)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_session *session = begin_request(instance);
    shopdata_statement *read = prepare(instance, "SELECT text FROM example_notes WHERE id = 1 AND random() < 2");
    check(shopdata_query(session, read, NULL, 0, &result, &error), error);
    printf("he reads: %s\n", cell(result, 0, 0));
    shopdata_result_free(result);
    shopdata_statement_free(read);
    end_request(session);
}

int main(void)
{
    shopdata_client *one = open_client(), *other = open_client();
    shopdata_session *session = begin_session(one);
    execute(session, "DROP TABLE IF EXISTS example_notes", one);
    execute(session, "CREATE TABLE example_notes (id int PRIMARY KEY, text text)", one);
    execute(session, "INSERT INTO example_notes VALUES (1, 'nothing')", one);
    end_request(session);

    post(one, "written on the first");
    show(other);
    post(other, "written on the second");
    show(one);
    snprintf(cookie, sizeof cookie, "1nonsense");
    end_request(begin_request(other));

    session = begin_request(one);
    execute(session, "DROP TABLE example_notes", one);
    shopdata_session_free(session);
    shopdata_close(one);
    shopdata_close(other);
    return EXIT_SUCCESS;
}
