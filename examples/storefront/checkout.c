#include "checkout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "task.h"

enum { ATTEMPTS = 6, FIRST_PAUSE_MS = 5, PATIENCE_SECONDS = 5 };

/* What one attempt works with. A step returns a status of the library; it is negative if the step failed, with the
 * receipt's error. */
struct attempt {
    struct shop *shop;
    shopdata_session *session;
    const struct shop_purchase *purchase;
    struct shop_receipt *receipt;
};

static int execute(const struct attempt *attempt, enum shop_statement which, const shopdata_param *params, size_t count,
                   shopdata_result **result_out)
{
    shopdata_op *op = NULL;
    int status = shopdata_start_execute(attempt->session, shop_task_queue(), shop_statement(attempt->shop, which),
                                        params, count, shop_task_self(), &op, &attempt->receipt->error);
    return shop_task_await(status, op, result_out, &attempt->receipt->error);
}

static int query(const struct attempt *attempt, enum shop_statement which, const shopdata_param *params, size_t count,
                 shopdata_result **result_out)
{
    shopdata_op *op = NULL;
    shopdata_call call = {.statement = shop_statement(attempt->shop, which), .params = params, .count = count};
    int status =
        shopdata_start(attempt->session, shop_task_queue(), &call, 1, shop_task_self(), &op, &attempt->receipt->error);
    return shop_task_await(status, op, result_out, &attempt->receipt->error);
}

static int step(const struct attempt *attempt, enum shopdata_step step, shopdata_error **error_out)
{
    shopdata_op *op = NULL;
    int status =
        shopdata_start_step(attempt->session, shop_task_queue(), step, 0, NULL, shop_task_self(), &op, error_out);
    return shop_task_await(status, op, NULL, error_out);
}

/* Whoever orders with a token that is being ordered with waits here until that is committed or rolled back. */
static int claim_token(const struct attempt *attempt, bool *claimed)
{
    const struct shop_purchase *purchase = attempt->purchase;
    const shopdata_param params[] = {
        shopdata_text(attempt->receipt->number), shopdata_text(purchase->token),
        shopdata_text(purchase->cart->visitor),  shopdata_text(purchase->buyer->name),
        shopdata_text(purchase->buyer->email),   shopdata_text(purchase->buyer->address),
    };
    shopdata_result *result = NULL;
    int status = execute(attempt, SHOP_SQL_NEW_ORDER, params, 6, &result);
    *claimed = shopdata_result_changed(result) > 0;
    shopdata_result_free(result);
    return status;
}

/* Takes one line from the stock, if there is enough of it, and writes down the price that is paid. */
static int take_line(const struct attempt *attempt, const struct shop_line *line, int64_t *cents, bool *is_short)
{
    const shopdata_param taking[] = {shopdata_int64(line->product_id), shopdata_int64(line->quantity)};
    shopdata_result *taken = NULL;
    int64_t price = 0;
    int status = execute(attempt, SHOP_SQL_TAKE, taking, 2, &taken);
    *is_short = shopdata_result_rows(taken) == 0;
    if (status == SHOPDATA_OK && !*is_short) {
        const char *text = shop_cell(taken, 0, 0);
        const shopdata_param params[] = {shopdata_text(attempt->receipt->number), taking[0], taking[1],
                                         shopdata_text(text)};
        shop_parse_cents(text, &price);
        *cents += price * line->quantity;
        status = execute(attempt, SHOP_SQL_NEW_LINE, params, 4, NULL);
    }
    shopdata_result_free(taken);
    return status;
}

/* A line that is short does not end it: the buyer is told of all. */
static int take_all(const struct attempt *attempt, int64_t *cents)
{
    const struct shop_cart *cart = attempt->purchase->cart;
    struct shop_receipt *receipt = attempt->receipt;
    int status = SHOPDATA_OK;
    for (size_t i = 0; status == SHOPDATA_OK && i < cart->count; i++) {
        status = take_line(attempt, &cart->lines[i], cents, &receipt->is_short[i]);
        if (receipt->is_short[i])
            receipt->outcome = SHOP_SOLD_OUT;
    }
    if (receipt->outcome == SHOP_ORDERED && *cents != attempt->purchase->cents)
        receipt->outcome = SHOP_PRICES_CHANGED;
    return status;
}

/* Fills in the number of the order that was made with our token, if there is one. */
static int find_order(const struct attempt *attempt, bool *found)
{
    const shopdata_param token = shopdata_text(attempt->purchase->token);
    shopdata_result *result = NULL;
    int status = shopdata_session_set_flags(attempt->session, SHOPDATA_PRIMARY, &attempt->receipt->error);
    if (status == SHOPDATA_OK)
        status = query(attempt, SHOP_SQL_ORDERED_BEFORE, &token, 1, &result);
    *found = shopdata_result_rows(result) > 0;
    if (*found)
        snprintf(attempt->receipt->number, SHOP_ORDER_NUMBER_SIZE, "%s", shop_cell(result, 0, 0));
    shopdata_result_free(result);
    return status;
}

/* In the transaction. What it returns is the last step's status: only if that is good, and the outcome is SHOP_ORDERED,
 * the transaction is to be committed. */
static int fill_order(const struct attempt *attempt)
{
    bool claimed = false;
    int64_t cents = 0;
    int status = claim_token(attempt, &claimed);
    if (status == SHOPDATA_OK && !claimed)
        attempt->receipt->outcome = SHOP_ORDERED_BEFORE;
    else if (status == SHOPDATA_OK && attempt->purchase->cart->count == 0)
        attempt->receipt->outcome = SHOP_NOTHING_WANTED;
    else if (status == SHOPDATA_OK)
        status = take_all(attempt, &cents);
    return status;
}

static int try_once(const struct attempt *attempt)
{
    struct shop_receipt *receipt = attempt->receipt;
    bool found = true;
    int status = step(attempt, SHOPDATA_STEP_BEGIN, &receipt->error);
    if (status < 0)
        return status;
    status = fill_order(attempt);
    if (status == SHOPDATA_OK && receipt->outcome == SHOP_ORDERED) {
        status = step(attempt, SHOPDATA_STEP_COMMIT, &receipt->error);
        receipt->is_late = status == SHOPDATA_UNFENCED;
        return status;
    }
    step(attempt, SHOPDATA_STEP_ROLLBACK, NULL);
    if (status == SHOPDATA_OK && receipt->outcome == SHOP_ORDERED_BEFORE)
        status = find_order(attempt, &found);
    return found ? status : SHOPDATA_ERR_UNAVAILABLE;
}

/* May the attempt be made again? Serialization failures and deadlocks ask for it, an order number that is taken draws
 * another. And a commit of which we do not know whether it stands: with the same token it finds what it has done. */
static bool is_worth_another(const shopdata_error *error)
{
    static const char *const states[] = {"40001", "40P01", "23505"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!strcmp(shopdata_error_sqlstate(error), states[i]))
            return true;
    }
    return shopdata_error_is_retriable(error) || shopdata_error_status(error) == SHOPDATA_ERR_AMBIGUOUS;
}

/* Twice as long each time, and hardly ever the same for two who met. */
static void pause_before(int attempt)
{
    struct timespec now;
    long ms = FIRST_PAUSE_MS << attempt;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ms += now.tv_nsec / 1000 % ms;
    shop_task_pause(ms);
}

static int begin_again(struct attempt *attempt)
{
    struct shop_receipt *receipt = attempt->receipt;
    shopdata_session_free(attempt->session);
    shopdata_error_free(receipt->error);
    attempt->session = NULL;
    *receipt = (struct shop_receipt){.was_in_doubt = receipt->was_in_doubt};
    if (!shop_order_number(receipt->number))
        return SHOPDATA_ERR_UNAVAILABLE;
    return shopdata_session_new(shop_client(attempt->shop), &attempt->session, &receipt->error);
}

static int by_product(const void *left, const void *right)
{
    const struct shop_line *a = left, *b = right;
    return (a->product_id > b->product_id) - (a->product_id < b->product_id);
}

/* In the order of the products' numbers: two buyers who want the same two products then wait for each other at the
 * first, and cannot each hold what the other needs. */
static void sort_lines(struct shop_cart *cart)
{
    qsort(cart->lines, cart->count, sizeof *cart->lines, by_product);
}

void shop_check_out(struct shop *shop, const struct shop_purchase *purchase, struct shop_receipt *receipt)
{
    struct attempt attempt = {.shop = shop, .purchase = purchase, .receipt = receipt};
    time_t end = time(NULL) + PATIENCE_SECONDS;
    int status;
    *receipt = (struct shop_receipt){0};
    sort_lines(purchase->cart);
    for (int i = 0;; i++) {
        status = begin_again(&attempt);
        if (status == SHOPDATA_OK)
            status = try_once(&attempt);
        if (status >= 0 || i == ATTEMPTS || time(NULL) >= end || !is_worth_another(receipt->error))
            break;
        receipt->was_in_doubt |= status == SHOPDATA_ERR_AMBIGUOUS;
        pause_before(i);
    }
    receipt->was_in_doubt |= status == SHOPDATA_ERR_AMBIGUOUS;
    if (status < 0)
        receipt->outcome = receipt->was_in_doubt ? SHOP_IN_DOUBT : SHOP_NOT_ORDERED;
    shopdata_session_free(attempt.session);
}
