#include "lookup.h"

#include "layout.h"

static const char no_such_product[] = "There is no such product.";

/* Asks the batch; answers the request itself if the database does not. */
static bool ask(struct shop_request *request)
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
    return ask(request);
}

static bool page_of(struct shop_request *request, int64_t *page_out)
{
    if (shop_parse_page(shop_argument(request, "page"), page_out))
        return true;
    shop_fail(request, HTTP_BADREQUEST, "The page must be a whole number from 1.");
    return false;
}

/* Asks, and fills in the list. `count` and `products` are the batch's reads. */
static bool ask_list(struct shop_request *request, size_t count, size_t products, struct shop_list *list)
{
    struct shop_batch *batch = &request->batch;
    if (!ask(request))
        return false;
    list->products = batch->results[products];
    list->count = shop_number(batch->results[count], 0, 0);
    list->last = shop_last_page(list->count);
    if (list->page <= list->last)
        return true;
    shop_fail(request, HTTP_NOTFOUND, "The list does not have so many pages.");
    return false;
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
    if (!ask(request))
        return false;
    item->product = batch->results[product];
    item->related = with_related ? batch->results[related] : NULL;
    if (shopdata_result_rows(item->product) > 0)
        return true;
    shop_fail(request, HTTP_NOTFOUND, no_such_product);
    return false;
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
