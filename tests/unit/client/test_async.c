/* Ops of a client whose only node nobody serves: they fail by themselves or wait until they are told to stop. What they
 * bring from real servers is tests/integration/test_async.c's. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "client/op.h"

enum { LONG_MS = 60000 };

static shopdata_client *client;
static shopdata_queue *queue;
static shopdata_statement *by_id;
static int deaf; /* a socket that takes connections, and says nothing */

static int deaf_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(deaf, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(deaf, 128), 0);
    ck_assert_int_eq(getsockname(deaf, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* Nobody answers before this deadline, unless he is told to stop. */
static void begin(const char *deadline, const char *threads)
{
    char conninfo[64];
    shopdata_config *config = NULL;
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d", deaf_port());
    ck_assert_int_eq(shopdata_config_new(&config, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_config_set(config, "node.deaf.conninfo", conninfo, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_config_set(config, "shopdata.deadline", deadline, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_config_set(config, "async.threads", threads, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_config_set(config, "pool.connect_timeout", "100ms", NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_open(config, &client, NULL), SHOPDATA_OK);
    shopdata_config_free(config);
    ck_assert_int_eq(shopdata_queue_new(client, &queue, NULL), SHOPDATA_OK);
    ck_assert_int_eq(
        shopdata_statement_new(client, NULL, "SELECT name FROM item WHERE id = $1 AND kind = $2", &by_id, NULL),
        SHOPDATA_OK);
}

static void finish(void)
{
    shopdata_queue_free(queue);
    shopdata_statement_free(by_id);
    shopdata_close(client);
    close(deaf);
}

static shopdata_session *session_of_client(void)
{
    shopdata_session *session = NULL;
    ck_assert_int_eq(shopdata_session_new(client, &session, NULL), SHOPDATA_OK);
    return session;
}

/* What is passed in is gone when the call has returned. */
static shopdata_op *start(shopdata_session *session, shopdata_queue *into, void *context)
{
    char kind[] = "a kind of text";
    shopdata_op *op = NULL;
    shopdata_param *params = calloc(2, sizeof *params);
    ck_assert_ptr_nonnull(params);
    params[0] = shopdata_int64(7);
    params[1] = shopdata_text(kind);
    shopdata_call call = {.statement = by_id, .params = params, .count = 2};
    ck_assert_int_eq(shopdata_start(session, into, &call, 1, context, &op, NULL), SHOPDATA_PENDING);
    memset(kind, 'x', sizeof kind);
    free(params);
    return op;
}

static bool is_readable(int timeout_ms)
{
    struct pollfd polled = {.fd = shopdata_queue_fd(queue), .events = POLLIN};
    return poll(&polled, 1, timeout_ms) == 1;
}

static shopdata_op *await_ready(void)
{
    ck_assert(is_readable(LONG_MS));
    shopdata_op *op = shopdata_queue_next(queue);
    ck_assert_ptr_nonnull(op);
    return op;
}

static void expect_taken(shopdata_op *op, int status)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    ck_assert_int_eq(shopdata_op_take(op, &result, &error), status);
    ck_assert_int_eq(shopdata_error_status(error), status < 0 ? status : SHOPDATA_OK);
    ck_assert_ptr_null(result);
    shopdata_error_free(error);
}

START_TEST(an_op_is_told_of_once_and_taken_once)
{
    begin("50ms", "2");
    int context;
    shopdata_session *session = session_of_client();
    shopdata_op *op = start(session, queue, &context);
    ck_assert_ptr_eq(await_ready(), op);
    ck_assert(!is_readable(0));
    ck_assert_ptr_null(shopdata_queue_next(queue));
    ck_assert_ptr_eq(shopdata_op_context(op), &context);
    expect_taken(op, SHOPDATA_ERR_UNAVAILABLE);
    expect_taken(op, SHOPDATA_ERR_ARGUMENT);
    shopdata_op_free(op);
    shopdata_session_free(session);
    finish();
}
END_TEST

START_TEST(who_takes_an_op_before_it_is_told_of_empties_the_queue)
{
    begin("50ms", "2");
    shopdata_session *session = session_of_client();
    shopdata_op *op = start(session, queue, NULL);
    ck_assert_int_eq(shopdata_op_wait(op, LONG_MS, NULL), SHOPDATA_OK);
    ck_assert(is_readable(0));
    expect_taken(op, SHOPDATA_ERR_UNAVAILABLE);
    ck_assert(!is_readable(0));
    ck_assert_ptr_null(shopdata_queue_next(queue));
    shopdata_op_free(op);
    shopdata_session_free(session);
    finish();
}
END_TEST

START_TEST(a_session_is_away_with_its_op)
{
    begin("60s", "2");
    shopdata_session *session = session_of_client();
    shopdata_op *op = start(session, NULL, NULL), *second = NULL;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    const char *token = NULL;
    shopdata_param params[] = {shopdata_int64(7), shopdata_text("x")};
    ck_assert_int_eq(shopdata_query(session, by_id, params, 2, &result, &error), SHOPDATA_ERR_ARGUMENT);
    ck_assert_str_eq(shopdata_error_message(error),
                     "an op of the session is not over yet; wait for it, or make another session");
    shopdata_error_free(error);
    ck_assert_int_eq(shopdata_start_execute(session, queue, by_id, params, 2, NULL, &second, NULL),
                     SHOPDATA_ERR_ARGUMENT);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(shopdata_session_set_deadline(session, 10, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_session_set_flags(session, 0, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_session_set(session, "a.b", "c", NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_session_token(session, &token, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_begin(session, 0, NULL), SHOPDATA_ERR_ARGUMENT);
    expect_taken(op, SHOPDATA_PENDING);
    ck_assert_int_eq(shopdata_op_cancel(op, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_op_wait(op, LONG_MS, NULL), SHOPDATA_OK);
    expect_taken(op, SHOPDATA_ERR_INTERRUPTED);
    ck_assert_int_eq(shopdata_session_set_deadline(session, 10, NULL), SHOPDATA_OK);
    shopdata_op_free(op);
    shopdata_session_free(session);
    finish();
}
END_TEST

/* The one worker is busy for long. */
START_TEST(one_that_waits_for_a_worker_is_cancelled_at_once)
{
    begin("60s", "1");
    shopdata_session *sessions[] = {session_of_client(), session_of_client()};
    shopdata_op *first = start(sessions[0], queue, NULL), *second = start(sessions[1], queue, NULL);
    ck_assert_int_eq(shopdata_op_wait(second, 0, NULL), SHOPDATA_PENDING);
    ck_assert_int_eq(shopdata_op_cancel(second, NULL), SHOPDATA_OK);
    ck_assert_ptr_eq(shopdata_queue_next(queue), second);
    shopdata_error *error = NULL;
    ck_assert_int_eq(shopdata_op_take(second, NULL, &error), SHOPDATA_ERR_INTERRUPTED);
    ck_assert_str_eq(shopdata_error_message(error), "the op was cancelled by shopdata_op_cancel");
    shopdata_error_free(error);
    ck_assert_int_eq(shopdata_op_cancel(first, NULL), SHOPDATA_OK);
    ck_assert_ptr_eq(await_ready(), first);
    expect_taken(first, SHOPDATA_ERR_INTERRUPTED);
    for (int i = 0; i < 2; i++) {
        shopdata_op_free(i ? second : first);
        shopdata_session_free(sessions[i]);
    }
    finish();
}
END_TEST

START_TEST(a_deadline_counts_from_the_start)
{
    begin("100ms", "1");
    shopdata_session *sessions[2] = {session_of_client(), session_of_client()};
    ck_assert_int_eq(shopdata_session_set_deadline(sessions[1], 1, NULL), SHOPDATA_OK);
    shopdata_op *first = start(sessions[0], queue, NULL), *second = start(sessions[1], queue, NULL);
    shopdata_error *error = NULL;
    ck_assert_int_eq(shopdata_op_wait(second, LONG_MS, NULL), SHOPDATA_OK);
    ck_assert_int_eq(shopdata_op_take(second, NULL, &error), SHOPDATA_ERR_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(shopdata_error_message(error), "raise async.threads"));
    ck_assert_int_eq(shopdata_error_is_retriable(error), 1);
    shopdata_error_free(error);
    for (int i = 0; i < 2; i++) {
        shopdata_op_free(i ? second : first);
        shopdata_session_free(sessions[i]);
    }
    finish();
}
END_TEST

/* What is freed, in each order of these four, by the bits of _i: the client first or last, the session before the op or
 * after it, the queue before or after both; and the op while it waits for a worker, or runs. */
START_TEST(frees_in_any_order)
{
    enum { CLIENT_FIRST = 1, SESSION_FIRST = 2, QUEUE_FIRST = 4, WAITS = 8 };
    begin("60s", "1");
    shopdata_session *other = _i & WAITS ? session_of_client() : NULL, *session = session_of_client();
    shopdata_op *before = other ? start(other, queue, NULL) : NULL, *op = start(session, queue, NULL);
    if (_i & CLIENT_FIRST)
        shopdata_close(client);
    if (_i & QUEUE_FIRST)
        shopdata_queue_free(queue);
    if (_i & SESSION_FIRST)
        shopdata_session_free(session);
    shopdata_op_free(op);
    if (!(_i & SESSION_FIRST))
        shopdata_session_free(session);
    shopdata_op_free(before);
    shopdata_session_free(other);
    if (!(_i & QUEUE_FIRST))
        shopdata_queue_free(queue);
    shopdata_statement_free(by_id);
    if (!(_i & CLIENT_FIRST))
        shopdata_close(client);
    close(deaf);
}
END_TEST

/* They run on without the handles that they were made of. */
START_TEST(an_op_outlives_all_that_it_was_made_of)
{
    begin("50ms", "2");
    shopdata_session *session = session_of_client();
    shopdata_op *op = start(session, queue, NULL);
    shopdata_session_free(session);
    finish();
    ck_assert_int_eq(shopdata_op_wait(op, LONG_MS, NULL), SHOPDATA_OK);
    expect_taken(op, SHOPDATA_ERR_UNAVAILABLE);
    shopdata_op_free(op);
}
END_TEST

/* The thread sanitizer cannot start threads in a child; the address sanitizer leaves it the locks of its allocator as
 * other threads held them, which here allocate all the time. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define FORKS 1
#else
#define FORKS 0
#endif

#if FORKS
static int in_child(shopdata_session *session, shopdata_op *op)
{
    shopdata_queue *own = NULL;
    int wrong = shopdata_op_wait(op, 0, NULL) != SHOPDATA_ERR_FORKED;
    wrong |= (shopdata_after_fork(client, NULL) != SHOPDATA_OK) << 1;
    wrong |= (shopdata_op_take(op, NULL, NULL) != SHOPDATA_ERR_FORKED) << 2;
    wrong |= (shopdata_session_set_flags(session, 0, NULL) != SHOPDATA_ERR_FORKED) << 3;
    wrong |= (shopdata_queue_next(queue) != NULL) << 4;
    wrong |= (shopdata_queue_new(client, &own, NULL) != SHOPDATA_OK) << 5;
    shopdata_session *other = session_of_client();
    shopdata_op *mine = start(other, own, NULL);
    wrong |= (shopdata_op_cancel(mine, NULL) != SHOPDATA_OK) << 6;
    wrong |= (shopdata_op_wait(mine, LONG_MS, NULL) != SHOPDATA_OK) << 7;
    shopdata_op_free(mine);
    shopdata_session_free(other);
    shopdata_queue_free(own);
    shopdata_op_free(op);
    shopdata_session_free(session);
    finish();
    return wrong;
}

START_TEST(a_child_has_workers_of_its_own_and_its_parents_ops_are_not_its)
{
    begin("60s", "2");
    shopdata_session *session = session_of_client();
    shopdata_op *op = start(session, queue, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(session, op));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
    ck_assert_int_eq(shopdata_op_cancel(op, NULL), SHOPDATA_OK);
    ck_assert_ptr_eq(await_ready(), op);
    expect_taken(op, SHOPDATA_ERR_INTERRUPTED);
    shopdata_op_free(op);
    shopdata_session_free(session);
    finish();
}
END_TEST
#endif

START_TEST(wrong_calls_are_told)
{
    begin("60s", "1");
    shopdata_session *session = session_of_client();
    shopdata_op *op = NULL;
    shopdata_error *error = NULL;
    shopdata_param params[] = {shopdata_int64(7), shopdata_text("\xff")};
    shopdata_call calls[] = {{.statement = by_id, .params = params, .count = 1},
                             {.statement = by_id, .params = params, .count = 2}};
    ck_assert_int_eq(shopdata_start(NULL, queue, calls, 1, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start(session, queue, NULL, 1, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start(session, queue, calls, 1, NULL, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start(session, queue, calls, 2, NULL, &op, &error), SHOPDATA_ERR_ARGUMENT);
    ck_assert_str_eq(shopdata_error_message(error), "call 0: 1 parameters given, but the statement takes 2: "
                                                    "SELECT name FROM item WHERE id = $1 AND kind = $2");
    shopdata_error_free(error);
    ck_assert_int_eq(shopdata_start(session, queue, &calls[1], 1, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_start_execute(session, queue, NULL, NULL, 0, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_ptr_null(op);
    ck_assert_int_eq(shopdata_op_wait(NULL, 0, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_op_cancel(NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_op_take(NULL, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_queue_new(NULL, &queue, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_queue_new(client, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_queue_fd(NULL), -1);
    ck_assert_ptr_null(shopdata_queue_next(NULL));
    ck_assert_ptr_null(shopdata_op_context(NULL));
    shopdata_op_free(NULL);
    shopdata_queue_free(NULL);
    ck_assert_int_eq(shopdata_session_set_flags(session, 0, NULL), SHOPDATA_OK);
    shopdata_session_free(session);
    finish();
}
END_TEST

START_TEST(a_queue_of_another_client_is_refused)
{
    begin("60s", "1");
    shopdata_client *first = client;
    shopdata_queue *foreign = queue;
    shopdata_statement *statement = by_id;
    int listener = deaf;
    begin("60s", "1");
    shopdata_session *session = session_of_client();
    shopdata_op *op = NULL;
    ck_assert_int_eq(shopdata_start(session, foreign, NULL, 0, NULL, &op, NULL), SHOPDATA_ERR_ARGUMENT);
    shopdata_session_free(session);
    finish();
    client = first, queue = foreign, by_id = statement, deaf = listener;
    finish();
}
END_TEST

/* A batch of no reads is over soon, and well. */
START_TEST(many_threads_share_one_queue)
{
    enum { OPS = 200 };
    begin("60s", "4");
    shopdata_session *sessions[OPS];
    shopdata_op *op = NULL;
    for (int i = 0; i < OPS; i++) {
        sessions[i] = session_of_client();
        ck_assert_int_eq(shopdata_start(sessions[i], queue, NULL, 0, &sessions[i], &op, NULL), SHOPDATA_PENDING);
    }
    for (int i = 0; i < OPS; i++) {
        while (!(op = shopdata_queue_next(queue)))
            ck_assert(is_readable(LONG_MS));
        shopdata_session **mine = shopdata_op_context(op);
        ck_assert_int_eq(shopdata_op_take(op, NULL, NULL), SHOPDATA_OK);
        ck_assert_int_eq(shopdata_session_set_flags(*mine, 0, NULL), SHOPDATA_OK);
        shopdata_session_free(*mine);
        shopdata_op_free(op);
    }
    ck_assert(!is_readable(0));
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, an_op_is_told_of_once_and_taken_once);
    tcase_add_test(cases, who_takes_an_op_before_it_is_told_of_empties_the_queue);
    tcase_add_test(cases, a_session_is_away_with_its_op);
    tcase_add_test(cases, one_that_waits_for_a_worker_is_cancelled_at_once);
    tcase_add_test(cases, a_deadline_counts_from_the_start);
    tcase_add_loop_test(cases, frees_in_any_order, 0, 16);
    tcase_add_test(cases, an_op_outlives_all_that_it_was_made_of);
#if FORKS
    tcase_add_test(cases, a_child_has_workers_of_its_own_and_its_parents_ops_are_not_its);
#endif
    tcase_add_test(cases, wrong_calls_are_told);
    tcase_add_test(cases, a_queue_of_another_client_is_refused);
    tcase_add_test(cases, many_threads_share_one_queue);
}

UNIT_MAIN("async", fill, 60)
