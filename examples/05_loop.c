/* 05_loop.c - a program that must not wait: an event loop around poll(), in which many reads and writes are on their
 * way at once, and each visitor's next step follows when his last answer has come. */
#include "common.h"

#include <poll.h>

enum { VISITORS = 3, DEADLINE_MS = 10000 };

/* What one visitor is at: he buys a piece, and then looks what is left. */
struct visitor {
    shopdata_session *session; /* his own: one op at a time */
    int64_t product;
    int steps;
    const char *name, *left;
    shopdata_result *result; /* what the two texts belong to */
};

struct shop {
    shopdata_client *client;
    shopdata_queue *queue;
    shopdata_statement *buy, *look;
    int busy; /* visitors who wait for an answer */
};

static void start_to_buy(struct shop *shop, struct visitor *visitor)
{
    shopdata_op *op;
    shopdata_error *error = NULL;
    shopdata_param product = shopdata_int64(visitor->product);
    check(shopdata_start_execute(visitor->session, shop->queue, shop->buy, &product, 1, visitor, &op, &error), error);
    shop->busy++;
}

static void go_on(struct shop *shop, shopdata_op *op);

/* What this process keeps is there at once (SHOPDATA_OK), and the queue never tells of it. */
static void start_to_look(struct shop *shop, struct visitor *visitor)
{
    shopdata_op *op;
    shopdata_error *error = NULL;
    shopdata_param product = shopdata_int64(visitor->product);
    shopdata_call call = {.statement = shop->look, .params = &product, .count = 1};
    int status = shopdata_start(visitor->session, shop->queue, &call, 1, visitor, &op, &error);
    check(status, error);
    shop->busy++;
    if (status == SHOPDATA_OK)
        go_on(shop, op);
}

/* The context that an op was started with tells whose it is. */
static void go_on(struct shop *shop, shopdata_op *op)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    struct visitor *visitor = shopdata_op_context(op);
    check(shopdata_op_take(op, &result, &error), error);
    shopdata_op_free(op);
    shop->busy--;
    if (visitor->steps++ == 0) {
        shopdata_result_free(result);
        start_to_look(shop, visitor);
        return;
    }
    visitor->result = result;
    visitor->name = cell(result, 0, 0);
    visitor->left = cell(result, 0, 1);
}

/* A server would have its listening socket and its connections in here, too. */
static void run_loop(struct shop *shop)
{
    struct pollfd polled = {.fd = shopdata_queue_fd(shop->queue), .events = POLLIN};
    while (shop->busy) {
        shopdata_op *op;
        if (poll(&polled, 1, DEADLINE_MS) <= 0) {
            fprintf(stderr, "nothing happened for %d ms\n", DEADLINE_MS);
            exit(EXIT_FAILURE);
        }
        while ((op = shopdata_queue_next(shop->queue)))
            go_on(shop, op);
    }
}

static void serve(struct shop *shop)
{
    struct visitor visitors[VISITORS];
    for (int i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.session = begin_session(shop->client), .product = i + 1};
        start_to_buy(shop, &visitors[i]);
    }
    printf("%d visitors buy at once\n", shop->busy);
    run_loop(shop);
    for (int i = 0; i < VISITORS; i++) {
        printf("%s: %s left\n", visitors[i].name, visitors[i].left);
        shopdata_result_free(visitors[i].result);
        shopdata_session_free(visitors[i].session);
    }
}

int main(void)
{
    shopdata_error *error = NULL;
    struct shop shop = {.client = open_client()};
    shopdata_session *session = begin_session(shop.client);
    execute(session, "DROP TABLE IF EXISTS toys", shop.client);
    execute(session, "CREATE TABLE toys (id int PRIMARY KEY, name text NOT NULL, stock int NOT NULL)", shop.client);
    execute(session, "INSERT INTO toys VALUES (1, 'kite', 5), (2, 'top', 7), (3, 'drum', 2)", shop.client);
    check(shopdata_queue_new(shop.client, &shop.queue, &error), error);
    shop.buy = prepare(shop.client, "UPDATE toys SET stock = stock - 1 WHERE id = $1");
    shop.look = prepare(shop.client, "SELECT name, stock FROM toys WHERE id = $1");
    serve(&shop);
    execute(session, "DROP TABLE toys", shop.client);
    shopdata_statement_free(shop.buy);
    shopdata_statement_free(shop.look);
    shopdata_queue_free(shop.queue);
    shopdata_session_free(session);
    shopdata_close(shop.client);
    return EXIT_SUCCESS;
}
