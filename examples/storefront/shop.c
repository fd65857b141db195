#include "shop.h"

#include <stdlib.h>
#include <time.h>

enum shop_statement {
    MENU,
    FEATURED,
    PRODUCT,
    RELATED,
    CATEGORY,
    CATEGORY_PRODUCTS,
    FOUND_COUNT,
    FOUND_PRODUCTS,
    SAVE,
    STATEMENT_COUNT,
};

#define CARD_COLUMNS "p.product_id, p.name, p.price, p.stock, p.style, c.name AS category"
#define CARD_TABLES " FROM products p JOIN categories c ON c.category_id = p.category_id"
#define FOUND " WHERE strpos(lower(p.name), lower($1)) > 0"

/* Nothing here says what may be cached or what a write makes stale: the library sees it in the SQL. PRODUCT fixes its
 * row by the primary key, so an edit of another product leaves it in the cache; the lists hang on the whole table.
 * FEATURED takes every 211th product: a choice that is the same for everybody and needs no column of its own. */
static const struct {
    const char *policy;
    const char *sql;
} statements[STATEMENT_COUNT] = {
    [MENU] = {"list", "SELECT category_id, name FROM categories ORDER BY name"},
    [FEATURED] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES " WHERE p.product_id % 211 = 7"
                          " ORDER BY p.product_id LIMIT 12"},
    [PRODUCT] = {"product", "SELECT " CARD_COLUMNS ", p.description" CARD_TABLES " WHERE p.product_id = $1"},
    [RELATED] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES
                         " JOIN products self ON self.category_id = p.category_id AND self.style = p.style"
                         " WHERE self.product_id = $1 AND p.product_id <> $1"
                         " ORDER BY p.product_id < $1, p.product_id LIMIT $2"},
    [CATEGORY] = {"list", "SELECT count(p.product_id), c.category_id FROM categories c"
                          " LEFT JOIN products p ON p.category_id = c.category_id"
                          " WHERE c.name = $1 GROUP BY c.category_id"},
    [CATEGORY_PRODUCTS] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES " WHERE c.name = $1"
                                   " ORDER BY p.product_id LIMIT $2 OFFSET $3"},
    [FOUND_COUNT] = {"list", "SELECT count(*) FROM products p" FOUND},
    [FOUND_PRODUCTS] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES FOUND " ORDER BY p.product_id LIMIT $2 OFFSET $3"},
    [SAVE] = {"product", "UPDATE products SET price = $2, stock = $3 WHERE product_id = $1"
                         " RETURNING product_id, price, stock"},
};

/* What holds where the configuration does not say otherwise. The deadline is shorter than the library's own: with no
 * database in reach every worker waits so long for one, and visitors would rather be told. */
static const char *const defaults[][2] = {
    {"shopdata.deadline", "3s"}, {"policy.product.ttl", "300s"},     {"policy.product.negative_ttl", "5s"},
    {"policy.list.ttl", "60s"},  {"policy.list.negative_ttl", "5s"},
};

struct shop {
    shopdata_client *client;
    shopdata_statement *statements[STATEMENT_COUNT];
};

static shopdata_client *open_client(const char *config_path, shopdata_error **error_out)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    int status = shopdata_config_new(&config, error_out);
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
    for (size_t i = 0; status == SHOPDATA_OK && i < STATEMENT_COUNT; i++)
        status = shopdata_statement_new(shop->client, statements[i].policy, statements[i].sql, &shop->statements[i],
                                        error_out);
    return status;
}

struct shop *shop_open(const char *config_path, shopdata_error **error_out)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (!shop)
        return NULL;
    shop->client = open_client(config_path, error_out);
    if (shop->client && prepare(shop, error_out) == SHOPDATA_OK)
        return shop;
    shop_close(shop);
    return NULL;
}

void shop_close(struct shop *shop)
{
    if (!shop)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        shopdata_statement_free(shop->statements[i]);
    shopdata_close(shop->client);
    free(shop);
}

shopdata_client *shop_client(const struct shop *shop)
{
    return shop->client;
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
    add(shop, batch, MENU, "departments", 0);
    return batch->count - 1;
}

size_t shop_add_featured(struct shop *shop, struct shop_batch *batch)
{
    add(shop, batch, FEATURED, "featured", 0);
    return batch->count - 1;
}

size_t shop_add_product(struct shop *shop, struct shop_batch *batch, int64_t product_id)
{
    add(shop, batch, PRODUCT, "product", 1)[0] = shopdata_int64(product_id);
    return batch->count - 1;
}

size_t shop_add_related(struct shop *shop, struct shop_batch *batch, int64_t product_id)
{
    shopdata_param *params = add(shop, batch, RELATED, "related", 2);
    params[0] = shopdata_int64(product_id);
    params[1] = shopdata_int64(SHOP_RELATED_COUNT);
    return batch->count - 1;
}

size_t shop_add_category(struct shop *shop, struct shop_batch *batch, const char *name)
{
    add(shop, batch, CATEGORY, "count", 1)[0] = shopdata_text(name);
    return batch->count - 1;
}

size_t shop_add_category_products(struct shop *shop, struct shop_batch *batch, const char *name, int64_t page)
{
    return add_page(shop, batch, CATEGORY_PRODUCTS, name, page);
}

size_t shop_add_found_count(struct shop *shop, struct shop_batch *batch, const char *search)
{
    add(shop, batch, FOUND_COUNT, "count", 1)[0] = shopdata_text(search);
    return batch->count - 1;
}

size_t shop_add_found_products(struct shop *shop, struct shop_batch *batch, const char *search, int64_t page)
{
    return add_page(shop, batch, FOUND_PRODUCTS, search, page);
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
    shopdata_session *session = NULL;
    double begin = now_ms();
    int status = shopdata_session_new(shop->client, &session, &batch->error);
    if (status == SHOPDATA_OK)
        status = shopdata_query_many(session, batch->calls, batch->count, batch->results, &batch->error);
    batch->ms = now_ms() - begin;
    shopdata_session_free(session);
    return status;
}

int shop_save(struct shop *shop, struct shop_batch *batch, const struct shop_edit *edit)
{
    shopdata_session *session = NULL;
    shopdata_param *params = add(shop, batch, SAVE, "edit", 3);
    params[0] = shopdata_int64(edit->product_id);
    params[1] = shopdata_text(edit->price);
    params[2] = shopdata_int64(edit->stock);
    double begin = now_ms();
    int status = shopdata_session_new(shop->client, &session, &batch->error);
    if (status == SHOPDATA_OK)
        status = shopdata_execute(session, batch->calls[0].statement, params, 3, &batch->results[0], &batch->error);
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
