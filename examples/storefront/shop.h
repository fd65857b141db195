/* shop.h - all that the shop asks the database, and the only part that calls libshopdata for it. */
#ifndef SHOP_SHOP_H
#define SHOP_SHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

#include "input.h"
#include "sign.h"
#include "statements.h"
#include "topology.h"

enum { SHOP_PAGE_SIZE = 24, SHOP_RELATED_COUNT = 6, SHOP_BATCH_MAX = 24, SHOP_PARAMS_MAX = 4 };

/* Every list of products has these columns, in this order; SHOP_PRODUCT has the rest as well. */
enum shop_column {
    SHOP_ID,
    SHOP_NAME,
    SHOP_PRICE,
    SHOP_STOCK,
    SHOP_STYLE,
    SHOP_CATEGORY,
    SHOP_DESCRIPTION,
};

/* The columns of an order, of its lines, and of a list of orders. */
enum shop_order_column { SHOP_O_NUMBER, SHOP_O_VISITOR, SHOP_O_NAME, SHOP_O_EMAIL, SHOP_O_ADDRESS, SHOP_O_DAY };
enum shop_line_column { SHOP_L_PRODUCT, SHOP_L_NAME, SHOP_L_CATEGORY, SHOP_L_QUANTITY, SHOP_L_PRICE };
enum shop_orders_column { SHOP_OS_NUMBER, SHOP_OS_DAY, SHOP_OS_PIECES, SHOP_OS_TOTAL };

struct shop;

/* What a shop is opened with. */
struct shop_setup {
    const char *config;  /* the library's configuration */
    const char *control; /* the socket of the demo's launcher, NULL in earnest */
    struct shop_keys keys;
};

/* shop_open reads the configuration and prepares the statements. NULL with *error_out if it is not right. */
struct shop *shop_open(const struct shop_setup *setup, shopdata_error **error_out);
void shop_close(struct shop *shop);
shopdata_client *shop_client(const struct shop *shop);
const struct shop_keys *shop_keys(const struct shop *shop);
const char *shop_launcher(const struct shop *shop);
struct shop_pulse *shop_pulse(const struct shop *shop);
shopdata_statement *shop_statement(const struct shop *shop, enum shop_statement which);

/* What one page wants to know: added read by read, asked in one call, so a page costs one round trip to the cache and
 * at most one to the database. Begin with `struct shop_batch batch = {0}`, end with shop_batch_free. */
struct shop_batch {
    size_t count;
    const char *names[SHOP_BATCH_MAX]; /* what a read is called in the page's foot */
    shopdata_call calls[SHOP_BATCH_MAX];
    shopdata_param params[SHOP_BATCH_MAX][SHOP_PARAMS_MAX];
    shopdata_result *results[SHOP_BATCH_MAX];
    double ms; /* how long it took, by our own clock */
    shopdata_error *error;
};

/* The reads. Each returns its number in the batch. Texts must live until shop_ask has returned. */
size_t shop_add_menu(struct shop *shop, struct shop_batch *batch);
size_t shop_add_featured(struct shop *shop, struct shop_batch *batch);
size_t shop_add_product(struct shop *shop, struct shop_batch *batch, int64_t product_id);
size_t shop_add_related(struct shop *shop, struct shop_batch *batch, int64_t product_id);
size_t shop_add_category(struct shop *shop, struct shop_batch *batch, const char *name);
size_t shop_add_category_products(struct shop *shop, struct shop_batch *batch, const char *name, int64_t page);
size_t shop_add_found_count(struct shop *shop, struct shop_batch *batch, const char *search);
size_t shop_add_found_products(struct shop *shop, struct shop_batch *batch, const char *search, int64_t page);

struct shop_search {
    const char *words;
    const char *category; /* "": all of them */
    enum shop_sort sort;
    int64_t page;
};

/* shop_add_search_shelves tells in which departments the words are found, and how often: (name, count). */
size_t shop_add_search_shelves(struct shop *shop, struct shop_batch *batch, const char *words);
size_t shop_add_search(struct shop *shop, struct shop_batch *batch, const struct shop_search *search);

/* shop_add_order, _order_lines read an order; shop_add_orders all that a visitor ordered under one e-mail address
 * (NULL: any). They ask the primary: what a buyer has just ordered must be there, whichever server he asks. */
size_t shop_add_order(struct shop *shop, struct shop_batch *batch, const char *number);
size_t shop_add_order_lines(struct shop *shop, struct shop_batch *batch, const char *number);
size_t shop_add_orders(struct shop *shop, struct shop_batch *batch, const char *visitor, const char *email);

/* shop_ask runs the batch: SHOPDATA_OK, or the status of batch->error. */
int shop_ask(struct shop *shop, struct shop_batch *batch);
/* shop_save writes an edit; batch->results[0] has the row as it is now, or no row if there is no such product. */
int shop_save(struct shop *shop, struct shop_batch *batch, const struct shop_edit *edit);
void shop_batch_free(struct shop_batch *batch);

/* shop_cell gives a cell as text; "" for NULL, and out of range. */
const char *shop_cell(const shopdata_result *result, size_t row, size_t column);
/* shop_number gives a cell that is a whole number; 0 if it is none. */
int64_t shop_number(const shopdata_result *result, size_t row, size_t column);

#endif
