#include <stdlib.h>

#include "fields.h"
#include "format.h"
#include "lookup.h"
#include "pages.h"
#include "served.h"

/* Prices go out as strings: a JSON number becomes a float in most languages, and 19.99 is none. */
static void put_product(struct shop_output *out, const shopdata_result *products, size_t row)
{
    shop_put(out, "{\"product_id\":");
    shop_put(out, shop_cell(products, row, SHOP_ID));
    shop_json(out, ",\"name\":%s,\"price\":%s,\"stock\":", shop_cell(products, row, SHOP_NAME),
              shop_cell(products, row, SHOP_PRICE));
    shop_put(out, shop_cell(products, row, SHOP_STOCK));
    shop_json(out, ",\"style\":%s,\"category\":%s", shop_cell(products, row, SHOP_STYLE),
              shop_cell(products, row, SHOP_CATEGORY));
    if (shopdata_result_columns(products) > SHOP_DESCRIPTION)
        shop_json(out, ",\"description\":%s", shop_cell(products, row, SHOP_DESCRIPTION));
    shop_put(out, "}");
}

static void put_products(struct shop_output *out, const shopdata_result *products)
{
    shop_put(out, "[");
    for (size_t row = 0; row < shopdata_result_rows(products); row++) {
        shop_put(out, row ? ",\n" : "");
        put_product(out, products, row);
    }
    shop_put(out, "]");
}

static void finish(struct shop_request *request)
{
    shop_put(&request->out, ",\n");
    shop_served_json(&request->out, &request->batch);
    shop_put(&request->out, "}\n");
    shop_reply(request, HTTP_OK, SHOP_JSON);
}

void shop_api_home(struct shop_request *request)
{
    struct shop_batch *batch = &request->batch;
    size_t menu, featured;
    if (!shop_look_up_home(request, &menu, &featured))
        return;
    shop_put(&request->out, "{\"categories\":[");
    for (size_t row = 0; row < shopdata_result_rows(batch->results[menu]); row++)
        shop_json(&request->out, row ? ",%s" : "%s", shop_cell(batch->results[menu], row, 1));
    shop_put(&request->out, "],\n\"featured\":");
    put_products(&request->out, batch->results[featured]);
    finish(request);
}

static void put_list(struct shop_request *request, const struct shop_list *list)
{
    shop_json(&request->out, "\"count\":%d,\"page\":%d,\"pages\":%d,\n\"products\":", (int)list->count, (int)list->page,
              (int)list->last);
    put_products(&request->out, list->products);
    finish(request);
}

void shop_api_category(struct shop_request *request)
{
    struct shop_list list;
    if (!shop_look_up_category(request, &list))
        return;
    shop_json(&request->out, "{\"category\":%s,", request->rest);
    put_list(request, &list);
}

void shop_api_admin(struct shop_request *request)
{
    struct shop_list list;
    const char *search = shop_argument(request, "q");
    if (!shop_look_up_found(request, search ? search : "", &list))
        return;
    shop_json(&request->out, "{\"search\":%s,", search ? search : "");
    put_list(request, &list);
}

void shop_api_search(struct shop_request *request)
{
    struct shop_found found;
    if (!shop_look_up_search(request, &found))
        return;
    shop_json(&request->out, "{\"search\":%s,\"in\":%s,\"sort\":%s,", found.search.words, found.search.category,
              shop_sort_name(found.search.sort));
    put_list(request, &found.list);
}

static void get_product(struct shop_request *request)
{
    struct shop_item item;
    if (!shop_look_up_product(request, true, &item))
        return;
    shop_put(&request->out, "{\"product\":");
    put_product(&request->out, item.product, 0);
    shop_put(&request->out, ",\n\"related\":");
    put_products(&request->out, item.related);
    finish(request);
}

static void save(struct shop_request *request, const struct shop_edit *edit)
{
    bool late = false;
    if (!shop_save_edit(request, edit, &late))
        return;
    const shopdata_result *saved = request->batch.results[0];
    shop_put(&request->out, "{\"product_id\":");
    shop_put(&request->out, shop_cell(saved, 0, 0));
    shop_json(&request->out, ",\"price\":%s,\"stock\":", shop_cell(saved, 0, 1));
    shop_put(&request->out, shop_cell(saved, 0, 2));
    shop_put(&request->out, late ? ",\"cache_told\":false" : ",\"cache_told\":true");
    finish(request);
}

static void put_edit(struct shop_request *request, const char *body)
{
    struct shop_fields fields;
    struct shop_edit edit;
    if (!shop_parse_id(request->rest, &edit.product_id)) {
        shop_fail(request, HTTP_NOTFOUND, "There is no such product.");
        return;
    }
    if (!shop_read_fields(body, &fields)) {
        shop_fail(request, HTTP_BADREQUEST, "Send {\"price\": \"19.99\", \"stock\": 3} and nothing else.");
        return;
    }
    const char *complaint = shop_check_edit(fields.price, fields.stock, &edit);
    if (complaint)
        shop_fail(request, HTTP_BADREQUEST, complaint);
    else
        save(request, &edit);
}

static void take_edit(struct shop_request *request)
{
    if (!shop_is_from_here(request)) {
        shop_fail(request, 403, "This request was sent by a page of another site.");
        return;
    }
    char *body = shop_body(request);
    if (body)
        put_edit(request, body);
    else
        shop_fail(request, HTTP_BADREQUEST, "The body must be UTF-8 text.");
    free(body);
}

void shop_api_product(struct shop_request *request)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(request->http);
    if (method == EVHTTP_REQ_PUT || method == EVHTTP_REQ_POST)
        take_edit(request);
    else
        get_product(request);
}
