#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "task.h"

/* What holds where the configuration does not say otherwise. The deadline is shorter than the library's own: with no
 * database in reach every worker waits so long for one, and visitors would rather be told. */
static const char *const defaults[][2] = {
    {"shopdata.deadline", "3s"},
    {"policy.product.ttl", "300s"},
    {"policy.product.negative_ttl", "5s"},
    {"policy.list.ttl", "60s"},
    {"policy.list.negative_ttl", "5s"},
    {"policy.search.ttl", "60s"}, /* what visitors type is a long tail: keep it short, nothing found shorter */
    {"policy.search.negative_ttl", "2s"},
    {"policy.order.cache", "off"}, /* names and addresses stay out of a cache that others read */
};

struct shop {
    shopdata_client *client;
    struct shop_keys keys;
    const char *control;
    struct shop_pulse *pulse;
    shopdata_statement *statements[SHOP_STATEMENTS];
};

/* What happens to nodes and cache goes where errors go; a line each, in one piece. */
static void log_line(void *context, int level, const char *line)
{
    (void)context;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

static shopdata_client *open_client(const char *config_path, shopdata_error **error_out)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    int status = shopdata_config_new(&config, error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set_log(config, log_line, NULL, error_out);
    for (size_t i = 0; status == SHOPDATA_OK && i < sizeof defaults / sizeof *defaults; i++)
        status = shopdata_config_set(config, defaults[i][0], defaults[i][1], error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_config_read_file(config, config_path, error_out);
    if (status == SHOPDATA_OK)
        shopdata_open(config, &client, error_out);
    shopdata_config_free(config);
    return client;
}

static int prepare(struct shop *shop, shopdata_error **error_out)
{
    int status = SHOPDATA_OK;
    for (size_t i = 0; status == SHOPDATA_OK && i < SHOP_STATEMENTS; i++)
        status =
            shopdata_statement_new(shop->client, shop_sql[i].policy, shop_sql[i].text, &shop->statements[i], error_out);
    return status;
}

struct shop *shop_open(const struct shop_setup *setup, shopdata_error **error_out)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (!shop)
        return NULL;
    shop->keys = setup->keys;
    shop->control = setup->control;
    shop->pulse = shop_pulse_new();
    shop->client = shop->pulse ? open_client(setup->config, error_out) : NULL;
    if (shop->client && prepare(shop, error_out) == SHOPDATA_OK)
        return shop;
    shop_close(shop);
    return NULL;
}

void shop_close(struct shop *shop)
{
    if (!shop)
        return;
    for (size_t i = 0; i < SHOP_STATEMENTS; i++)
        shopdata_statement_free(shop->statements[i]);
    shopdata_close(shop->client);
    shop_pulse_free(shop->pulse);
    free(shop);
}

shopdata_client *shop_client(const struct shop *shop)
{
    return shop->client;
}

const struct shop_keys *shop_keys(const struct shop *shop)
{
    return &shop->keys;
}

const char *shop_launcher(const struct shop *shop)
{
    return shop->control;
}

struct shop_pulse *shop_pulse(const struct shop *shop)
{
    return shop->pulse;
}

shopdata_statement *shop_statement(const struct shop *shop, enum shop_statement which)
{
    return shop->statements[which];
}

/* Adds a read; its parameters are filled in by the caller. SHOP_BATCH_MAX is the most that a page asks. */
static shopdata_param *add(struct shop *shop, struct shop_batch *batch, enum shop_statement which, const char *name,
                           size_t params)
{
    size_t read = batch->count++;
    batch->names[read] = name;
    batch->calls[read].statement = shop->statements[which];
    batch->calls[read].params = batch->params[read];
    batch->calls[read].count = params;
    return batch->params[read];
}

static size_t add_page(struct shop *shop, struct shop_batch *batch, enum shop_statement which, const char *text,
                       int64_t page)
{
    shopdata_param *params = add(shop, batch, which, "products", 3);
    params[0] = shopdata_text(text);
    params[1] = shopdata_int64(SHOP_PAGE_SIZE);
    params[2] = shopdata_int64((page - 1) * SHOP_PAGE_SIZE);
    return batch->count - 1;
}

size_t shop_add_menu(struct shop *shop, struct shop_batch *batch)
{
    add(shop, batch, SHOP_SQL_MENU, "departments", 0);
    return batch->count - 1;
}

size_t shop_add_featured(struct shop *shop, struct shop_batch *batch)
{
    add(shop, batch, SHOP_SQL_FEATURED, "featured", 0);
    return batch->count - 1;
}

size_t shop_add_product(struct shop *shop, struct shop_batch *batch, int64_t product_id)
{
    add(shop, batch, SHOP_SQL_PRODUCT, "product", 1)[0] = shopdata_int64(product_id);
    return batch->count - 1;
}

size_t shop_add_related(struct shop *shop, struct shop_batch *batch, int64_t product_id)
{
    shopdata_param *params = add(shop, batch, SHOP_SQL_RELATED, "related", 2);
    params[0] = shopdata_int64(product_id);
    params[1] = shopdata_int64(SHOP_RELATED_COUNT);
    return batch->count - 1;
}

size_t shop_add_category(struct shop *shop, struct shop_batch *batch, const char *name)
{
    add(shop, batch, SHOP_SQL_CATEGORY, "count", 1)[0] = shopdata_text(name);
    return batch->count - 1;
}

size_t shop_add_category_products(struct shop *shop, struct shop_batch *batch, const char *name, int64_t page)
{
    return add_page(shop, batch, SHOP_SQL_CATEGORY_PRODUCTS, name, page);
}

size_t shop_add_found_count(struct shop *shop, struct shop_batch *batch, const char *search)
{
    add(shop, batch, SHOP_SQL_FOUND_COUNT, "count", 1)[0] = shopdata_text(search);
    return batch->count - 1;
}

size_t shop_add_found_products(struct shop *shop, struct shop_batch *batch, const char *search, int64_t page)
{
    return add_page(shop, batch, SHOP_SQL_FOUND_PRODUCTS, search, page);
}

size_t shop_add_search_shelves(struct shop *shop, struct shop_batch *batch, const char *words)
{
    add(shop, batch, SHOP_SQL_SEARCH_SHELVES, "shelves", 1)[0] = shopdata_text(words);
    return batch->count - 1;
}

size_t shop_add_search(struct shop *shop, struct shop_batch *batch, const struct shop_search *search)
{
    size_t read = add_page(shop, batch, SHOP_SQL_SEARCH_BY_RANK + search->sort, search->words, search->page);
    batch->params[read][batch->calls[read].count++] = shopdata_text(search->category);
    return read;
}

static shopdata_param *add_order(struct shop *shop, struct shop_batch *batch, enum shop_statement which,
                                 const char *name, size_t params)
{
    shopdata_param *param = add(shop, batch, which, name, params);
    batch->calls[batch->count - 1].flags = SHOPDATA_PRIMARY;
    return param;
}

size_t shop_add_order(struct shop *shop, struct shop_batch *batch, const char *number)
{
    add_order(shop, batch, SHOP_SQL_ORDER, "order", 1)[0] = shopdata_text(number);
    return batch->count - 1;
}

size_t shop_add_order_lines(struct shop *shop, struct shop_batch *batch, const char *number)
{
    add_order(shop, batch, SHOP_SQL_ORDER_LINES, "order lines", 1)[0] = shopdata_text(number);
    return batch->count - 1;
}

size_t shop_add_orders(struct shop *shop, struct shop_batch *batch, const char *visitor, const char *email)
{
    shopdata_param *params = add_order(shop, batch, SHOP_SQL_ORDERS, "orders", 2);
    params[0] = shopdata_text(visitor);
    params[1] = shopdata_text(email);
    return batch->count - 1;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A session for each request: two visitors then have nothing to do with each other. */
int shop_ask(struct shop *shop, struct shop_batch *batch)
{
    shopdata_op *op = NULL;
    shopdata_session *session = NULL;
    double begin = now_ms();
    int status = shopdata_session_new(shop->client, &session, &batch->error);
    if (status == SHOPDATA_OK)
        status = shopdata_start(session, shop_task_queue(), batch->calls, batch->count, shop_task_self(), &op,
                                &batch->error);
    status = shop_task_await(status, op, batch->results, &batch->error);
    batch->ms = now_ms() - begin;
    shopdata_session_free(session);
    return status;
}

int shop_save(struct shop *shop, struct shop_batch *batch, const struct shop_edit *edit)
{
    shopdata_op *op = NULL;
    shopdata_session *session = NULL;
    shopdata_param *params = add(shop, batch, SHOP_SQL_SAVE, "edit", 3);
    params[0] = shopdata_int64(edit->product_id);
    params[1] = shopdata_text(edit->price);
    params[2] = shopdata_int64(edit->stock);
    double begin = now_ms();
    int status = shopdata_session_new(shop->client, &session, &batch->error);
    if (status == SHOPDATA_OK)
        status = shopdata_start_execute(session, shop_task_queue(), batch->calls[0].statement, params, 3,
                                        shop_task_self(), &op, &batch->error);
    status = shop_task_await(status, op, batch->results, &batch->error);
    batch->ms = now_ms() - begin;
    shopdata_session_free(session);
    return status;
}

void shop_batch_free(struct shop_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        shopdata_result_free(batch->results[i]);
    shopdata_error_free(batch->error);
    *batch = (struct shop_batch){0};
}

const char *shop_cell(const shopdata_result *result, size_t row, size_t column)
{
    const char *text = NULL;
    shopdata_result_text(result, row, column, &text, NULL, NULL);
    return text ? text : "";
}

int64_t shop_number(const shopdata_result *result, size_t row, size_t column)
{
    int64_t number = 0;
    shopdata_result_int64(result, row, column, &number, NULL);
    return number;
}
