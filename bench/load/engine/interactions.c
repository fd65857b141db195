#include "interactions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "visit.h"

enum { PROMOTED = 5, CART_ROOM = 5, ORDERED_MOST = 3, QUANTITY_MOST = 3, PRICE_TEXT = 32 };

/* ---- pages that only read */

/* So many products by their keys, and one question more that stands first. */
static bool ask_with_products(load_visit *visit, load_question first)
{
    load_question questions[1 + PROMOTED] = {first};
    for (size_t i = 1; i <= PROMOTED; i++)
        questions[i] = (load_question){LOAD_PRODUCT, load_visit_product(visit)};
    return load_visit_ask_many(visit, questions, 1 + PROMOTED, NULL);
}

static bool home(load_visit *visit)
{
    return ask_with_products(visit, (load_question){LOAD_CUSTOMER, load_visit_customer(visit)});
}

static bool new_products(load_visit *visit)
{
    return load_visit_ask(visit, (load_question){LOAD_NEW_PRODUCTS, load_visit_category(visit)}, NULL);
}

static bool best_sellers(load_visit *visit)
{
    return load_visit_ask(visit, (load_question){LOAD_BEST_SELLERS, load_visit_category(visit)}, NULL);
}

static bool product_detail(load_visit *visit)
{
    load_question questions[] = {{LOAD_PRODUCT, load_visit_product(visit)}, {LOAD_CATEGORIES, 1}};
    return load_visit_ask_many(visit, questions, 2, NULL);
}

static bool search_request(load_visit *visit)
{
    return ask_with_products(visit, (load_question){LOAD_CATEGORIES, 1});
}

static bool search_results(load_visit *visit)
{
    return load_visit_search(visit, load_random_below(&visit->random, visit->shop->word_count));
}

static bool ask_customer(load_visit *visit)
{
    return load_visit_ask(visit, (load_question){LOAD_CUSTOMER, load_visit_customer(visit)}, NULL);
}

static bool point(load_visit *visit)
{
    return load_visit_ask(visit, (load_question){LOAD_PRODUCT, load_visit_product(visit)}, NULL);
}

/* A customer who has not ordered yet sees an empty page. */
static bool order_display(load_visit *visit)
{
    shopdata_result *newest = NULL;
    int64_t order = 0;
    if (!load_visit_ask(visit, (load_question){LOAD_NEWEST_ORDER, load_visit_customer(visit)}, &newest))
        return false;
    bool has_ordered = shopdata_result_int64(newest, 0, 0, &order, NULL) == SHOPDATA_OK;
    shopdata_result_free(newest);
    return !has_ordered || load_visit_ask(visit, (load_question){LOAD_ORDER_LINES, order}, NULL);
}

/* ---- carts */

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Reads "{3,1,3}" into {1, 3}: the products of a cart, in the order in which they are locked. */
static size_t read_products(const char *text, int64_t products[CART_ROOM])
{
    size_t count = 0, distinct = 0;
    char *end;
    for (text += *text == '{'; count < CART_ROOM; text = end + (*end == ',')) {
        products[count] = strtoll(text, &end, 10);
        if (end == text)
            break;
        count++;
    }
    qsort(products, count, sizeof *products, ascending);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || products[i] != products[i - 1])
            products[distinct++] = products[i];
    return distinct;
}

/* Takes the row of a cart, whose third column are its products. */
static size_t take_cart(shopdata_result *cart, int64_t products[CART_ROOM])
{
    const char *text = NULL;
    size_t count = 0;
    if (shopdata_result_text(cart, 0, 2, &text, NULL, NULL) == SHOPDATA_OK && text)
        count = read_products(text, products);
    shopdata_result_free(cart);
    return count;
}

static bool ask_products(load_visit *visit, const int64_t *products, size_t count, shopdata_result **results_out)
{
    load_question questions[CART_ROOM];
    for (size_t i = 0; i < count; i++)
        questions[i] = (load_question){LOAD_PRODUCT, products[i]};
    return count == 0 || load_visit_ask_many(visit, questions, count, results_out);
}

static bool shopping_cart(load_visit *visit)
{
    shopdata_param params[] = {shopdata_int64(load_visit_customer(visit)), shopdata_int64(load_visit_product(visit))};
    shopdata_result *cart = NULL;
    int64_t products[CART_ROOM];
    if (!load_visit_write(visit, LOAD_CART_ADD, params, 2, &cart))
        return false;
    return ask_products(visit, products, take_cart(cart, products), NULL);
}

static bool buy_request(load_visit *visit)
{
    int64_t customer = load_visit_customer(visit);
    shopdata_param param = shopdata_int64(customer);
    load_question questions[] = {{LOAD_CUSTOMER, customer}, {LOAD_CART, customer}};
    return load_visit_write(visit, LOAD_LOGIN, &param, 1, NULL) && load_visit_ask_many(visit, questions, 2, NULL);
}

/* ---- orders */

struct order {
    int64_t customer, number;
    int64_t products[CART_ROOM], quantities[CART_ROOM];
    char prices[CART_ROOM][PRICE_TEXT];
    size_t count;
    double total;
};

static bool insert_order(load_visit *visit, struct order *order)
{
    char total[PRICE_TEXT];
    shopdata_result *result = NULL;
    snprintf(total, sizeof total, "%.2f", order->total);
    shopdata_param params[] = {shopdata_int64(order->customer), shopdata_text(total)};
    if (!load_visit_write(visit, LOAD_NEW_ORDER, params, 2, &result))
        return false;
    bool good = shopdata_result_int64(result, 0, 0, &order->number, NULL) == SHOPDATA_OK;
    shopdata_result_free(result);
    return good || load_visit_fail(visit, "wrong_answer", "a new order has no number");
}

static bool insert_line(load_visit *visit, const struct order *order, size_t line)
{
    shopdata_param product = shopdata_int64(order->products[line]), quantity = shopdata_int64(order->quantities[line]);
    shopdata_param new_line[] = {shopdata_int64(order->number), shopdata_int64((int64_t)line + 1), product, quantity,
                                 shopdata_text(order->prices[line])};
    shopdata_param taken[] = {product, quantity};
    return load_visit_write(visit, LOAD_NEW_LINE, new_line, 5, NULL) &&
           load_visit_write(visit, LOAD_TAKE_STOCK, taken, 2, NULL);
}

static bool place(load_visit *visit, void *context)
{
    struct order *order = context;
    shopdata_param customer = shopdata_int64(order->customer);
    if (!insert_order(visit, order))
        return false;
    for (size_t line = 0; line < order->count; line++)
        if (!insert_line(visit, order, line))
            return false;
    return load_visit_write(visit, LOAD_CART_EMPTY, &customer, 1, NULL);
}

/* Of an empty cart a few products are ordered all the same: half of the customers would have nothing to buy. */
static void fill_order(load_visit *visit, struct order *order)
{
    char text[CART_ROOM * 24] = "";
    size_t wanted = 1 + load_random_below(&visit->random, ORDERED_MOST), length = 0;
    for (size_t i = 0; i < wanted; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%" PRId64 ",", load_visit_product(visit));
    order->count = read_products(text, order->products);
}

/* The sixth column of a product is its price. */
static bool price_order(load_visit *visit, struct order *order)
{
    shopdata_result *results[CART_ROOM];
    if (!ask_products(visit, order->products, order->count, results))
        return false;
    for (size_t i = 0; i < order->count; i++) {
        const char *price = NULL;
        shopdata_result_text(results[i], 0, 5, &price, NULL, NULL);
        snprintf(order->prices[i], PRICE_TEXT, "%s", price ? price : "0");
        shopdata_result_free(results[i]);
        order->quantities[i] = 1 + (int64_t)load_random_below(&visit->random, QUANTITY_MOST);
        order->total += strtod(order->prices[i], NULL) * (double)order->quantities[i];
    }
    return true;
}

static bool buy_confirm(load_visit *visit)
{
    struct order order = {.customer = load_visit_customer(visit)};
    shopdata_result *cart = NULL;
    if (!load_visit_ask(visit, (load_question){LOAD_CART, order.customer}, &cart))
        return false;
    order.count = take_cart(cart, order.products);
    if (order.count == 0)
        fill_order(visit, &order);
    return price_order(visit, &order) && load_visit_transact(visit, place, &order);
}

/* ---- products changed */

static bool admin_confirm(load_visit *visit)
{
    char price[PRICE_TEXT];
    snprintf(price, sizeof price, "%" PRIu64 ".99", 1 + load_random_below(&visit->random, 500));
    shopdata_param params[] = {shopdata_int64(load_visit_product(visit)), shopdata_text(price)};
    return load_visit_write(visit, LOAD_REPRICE, params, 2, NULL);
}

static bool write_stock(load_visit *visit)
{
    shopdata_param params[] = {shopdata_int64(load_visit_product(visit)), shopdata_int64(1)};
    return load_visit_write(visit, LOAD_TAKE_STOCK, params, 2, NULL);
}

const load_interaction_kind load_interaction_table[LOAD_INTERACTIONS] = {
    [LOAD_HOME] = {"home", home, false},
    [LOAD_NEW_PRODUCTS_PAGE] = {"new_products", new_products, false},
    [LOAD_BEST_SELLERS_PAGE] = {"best_sellers", best_sellers, false},
    [LOAD_PRODUCT_DETAIL] = {"product_detail", product_detail, false},
    [LOAD_SEARCH_REQUEST] = {"search_request", search_request, false},
    [LOAD_SEARCH_RESULTS] = {"search_results", search_results, false},
    [LOAD_SHOPPING_CART] = {"shopping_cart", shopping_cart, true},
    [LOAD_CUSTOMER_REGISTRATION] = {"customer_registration", ask_customer, false},
    [LOAD_BUY_REQUEST] = {"buy_request", buy_request, true},
    [LOAD_BUY_CONFIRM] = {"buy_confirm", buy_confirm, true},
    [LOAD_ORDER_INQUIRY] = {"order_inquiry", ask_customer, false},
    [LOAD_ORDER_DISPLAY] = {"order_display", order_display, false},
    [LOAD_ADMIN_REQUEST] = {"admin_request", point, false},
    [LOAD_ADMIN_CONFIRM] = {"admin_confirm", admin_confirm, true},
    [LOAD_POINT] = {"point", point, false},
    [LOAD_WRITE] = {"write", write_stock, true},
};
