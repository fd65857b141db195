#include "lookup.h"

#include <string.h>

#include "layout.h"

static const char no_such_product[] = "There is no such product.";

bool shop_look_up(struct shop_request *request)
{
    if (shop_ask(request->shop, &request->batch) >= 0)
        return true;
    shop_fail_database(request);
    return false;
}

bool shop_look_up_home(struct shop_request *request, size_t *menu, size_t *featured)
{
    *menu = shop_add_menu(request->shop, &request->batch);
    *featured = shop_add_featured(request->shop, &request->batch);
    return shop_look_up(request);
}

static bool page_of(struct shop_request *request, int64_t *page_out)
{
    if (shop_parse_page(shop_argument(request, "page"), page_out))
        return true;
    shop_fail(request, HTTP_BADREQUEST, "The page must be a whole number from 1.");
    return false;
}

/* Fills in the list of `count` products once it is asked. */
static bool fill_list(struct shop_request *request, size_t products, int64_t count, struct shop_list *list)
{
    list->products = request->batch.results[products];
    list->count = count;
    list->last = shop_last_page(count);
    if (list->page <= list->last)
        return true;
    shop_fail(request, HTTP_NOTFOUND, "The list does not have so many pages.");
    return false;
}

/* Asks, and fills in the list. `count` and `products` are the batch's reads. */
static bool ask_list(struct shop_request *request, size_t count, size_t products, struct shop_list *list)
{
    return shop_look_up(request) &&
           fill_list(request, products, shop_number(request->batch.results[count], 0, 0), list);
}

bool shop_look_up_category(struct shop_request *request, struct shop_list *list)
{
    if (!page_of(request, &list->page))
        return false;
    size_t count = shop_add_category(request->shop, &request->batch, request->rest);
    size_t products = shop_add_category_products(request->shop, &request->batch, request->rest, list->page);
    if (!ask_list(request, count, products, list))
        return false;
    if (shopdata_result_rows(request->batch.results[count]) > 0)
        return true;
    shop_fail(request, HTTP_NOTFOUND, "There is no such department.");
    return false;
}

bool shop_look_up_found(struct shop_request *request, const char *search, struct shop_list *list)
{
    if (!page_of(request, &list->page))
        return false;
    if (!shop_is_text(search)) {
        shop_fail(request, HTTP_BADREQUEST, "The search must be UTF-8 text.");
        return false;
    }
    size_t count = shop_add_found_count(request->shop, &request->batch, search);
    size_t products = shop_add_found_products(request->shop, &request->batch, search, list->page);
    return ask_list(request, count, products, list);
}

/* An argument as it was typed, "" if missing. */
static const char *typed(const struct shop_request *request, const char *name)
{
    const char *text = shop_argument(request, name);
    return text ? text : "";
}

static const char *read_search(const struct shop_request *request, struct shop_search *search)
{
    *search = (struct shop_search){.words = typed(request, "q"), .category = typed(request, "in")};
    if (!request->is_text)
        return "The search must be UTF-8 text without zero bytes.";
    if (shop_characters(search->words) > SHOP_WORDS_MAX)
        return "The search must have at most 100 characters.";
    if (!shop_parse_sort(shop_argument(request, "sort"), &search->sort))
        return "The order must be best, price, price-down or name.";
    return NULL;
}

/* How many were found in the department, or in all. */
static int64_t count_on(const shopdata_result *shelves, const char *category)
{
    int64_t count = 0;
    for (size_t row = 0; row < shopdata_result_rows(shelves); row++) {
        if (!*category || !strcmp(category, shop_cell(shelves, row, 0)))
            count += shop_number(shelves, row, 1);
    }
    return count;
}

bool shop_look_up_search(struct shop_request *request, struct shop_found *found)
{
    struct shop_batch *batch = &request->batch;
    const char *complaint = read_search(request, &found->search);
    if (complaint) {
        shop_fail(request, HTTP_BADREQUEST, complaint);
        return false;
    }
    if (!page_of(request, &found->search.page))
        return false;
    found->list.page = found->search.page;
    size_t shelves = shop_add_search_shelves(request->shop, batch, found->search.words);
    size_t products = shop_add_search(request->shop, batch, &found->search);
    if (!shop_look_up(request))
        return false;
    found->shelves = batch->results[shelves];
    return fill_list(request, products, count_on(found->shelves, found->search.category), &found->list);
}

bool shop_look_up_product(struct shop_request *request, bool with_related, struct shop_item *item)
{
    struct shop_batch *batch = &request->batch;
    int64_t id;
    if (!shop_parse_id(request->rest, &id)) {
        shop_fail(request, HTTP_NOTFOUND, no_such_product);
        return false;
    }
    size_t product = shop_add_product(request->shop, batch, id);
    size_t related = with_related ? shop_add_related(request->shop, batch, id) : product;
    if (!shop_look_up(request))
        return false;
    item->product = batch->results[product];
    item->related = with_related ? batch->results[related] : NULL;
    if (shopdata_result_rows(item->product) > 0)
        return true;
    shop_fail(request, HTTP_NOTFOUND, no_such_product);
    return false;
}

int64_t shop_line_cents(const shopdata_result *product, int64_t quantity)
{
    int64_t cents = 0;
    shop_parse_cents(shop_cell(product, 0, SHOP_PRICE), &cents);
    return cents * quantity;
}

bool shop_look_up_cart(struct shop_request *request, struct shop_basket *basket)
{
    const struct shop_cart *cart = &request->cart;
    size_t first = request->batch.count;
    *basket = (struct shop_basket){0};
    for (size_t i = 0; i < cart->count; i++)
        shop_add_product(request->shop, &request->batch, cart->lines[i].product_id);
    if (!shop_look_up(request))
        return false;
    for (size_t i = 0; i < cart->count; i++) {
        basket->products[i] = request->batch.results[first + i];
        basket->cents += shop_line_cents(basket->products[i], cart->lines[i].quantity);
        basket->is_short |= shop_number(basket->products[i], 0, SHOP_STOCK) < cart->lines[i].quantity;
    }
    return true;
}

bool shop_save_edit(struct shop_request *request, const struct shop_edit *edit, bool *late_out)
{
    int status = shop_save(request->shop, &request->batch, edit);
    if (status < 0) {
        shop_fail_database(request);
        return false;
    }
    *late_out = status == SHOPDATA_UNFENCED;
    if (shopdata_result_rows(request->batch.results[0]) > 0)
        return true;
    shop_fail(request, HTTP_NOTFOUND, no_such_product);
    return false;
}
