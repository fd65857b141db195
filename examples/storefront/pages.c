#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "layout.h"
#include "lookup.h"

static void department_tile(struct shop_output *out, const char *name, int64_t id)
{
    shop_put(out, "<li><a href=\"/category/");
    shop_address(out, name);
    shop_put(out, "\">");
    shop_layout_picture(out, name, id);
    shop_html(out, "<span class=\"name\">%s</span></a></li>\n", name);
}

static void department_tiles(struct shop_output *out, const shopdata_result *menu)
{
    shop_put(out, "<section><h2>Departments</h2>\n<ul class=\"tiles\">\n");
    for (size_t row = 0; row < shopdata_result_rows(menu); row++)
        department_tile(out, shop_cell(menu, row, 1), shop_number(menu, row, 0));
    shop_put(out, "</ul></section>\n");
}

void shop_page_home(struct shop_request *request)
{
    struct shop_batch *batch = &request->batch;
    size_t menu, featured;
    if (!shop_look_up_home(request, &menu, &featured))
        return;
    shop_layout_begin(request, "Good things for every day", menu, NULL);
    shop_put(&request->out, "<section class=\"hero\"><h1>Good things for every day</h1><p>Picked by people who use "
                            "them. The price you read is the price it is.</p></section>\n"
                            "<section><h2>In the window</h2>\n");
    shop_layout_cards(&request->out, batch->results[featured]);
    shop_put(&request->out, "</section>\n");
    department_tiles(&request->out, batch->results[menu]);
    shop_layout_end(request, HTTP_OK);
}

static void category_head(struct shop_output *out, const char *name, int64_t count)
{
    shop_html(out, "<header class=\"shelf\">");
    shop_layout_picture(out, name, (int64_t)strlen(name));
    shop_html(out, "<div><h1>%s</h1><p>%d %s</p></div></header>\n", name, (int)count,
              count == 1 ? "product" : "products");
}

void shop_page_category(struct shop_request *request)
{
    struct shop_list list;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_category(request, &list))
        return;
    char address[1024], *encoded = evhttp_uriencode(request->rest, -1, 0);
    snprintf(address, sizeof address, "/category/%s?page=", encoded);
    free(encoded);
    shop_layout_begin(request, request->rest, menu, request->rest);
    category_head(&request->out, request->rest, list.count);
    shop_layout_cards(&request->out, list.products);
    shop_layout_paging(&request->out, &(struct shop_paging){list.page, list.last, address});
    shop_layout_end(request, HTTP_OK);
}

/* The page is the same for everybody, so this form has no token: that another site cannot post it is enough here. */
static void buy_form(struct shop_output *out, const shopdata_result *product)
{
    if (shop_number(product, 0, SHOP_STOCK) == 0) {
        shop_put(out, "<p class=\"buy\"><span class=\"button off\">Sold out</span></p>\n");
        return;
    }
    shop_html(out,
              "<form class=\"buy\" method=\"post\" action=\"/cart/add\"><input type=\"hidden\" name=\"product\" "
              "value=\"%s\"><label for=\"quantity\">Quantity</label><input id=\"quantity\" name=\"quantity\" "
              "type=\"number\" min=\"1\" max=\"%d\" value=\"1\" required><button>Add to cart</button></form>\n",
              shop_cell(product, 0, SHOP_ID), SHOP_QUANTITY_MAX);
}

static void product_sheet(struct shop_output *out, const shopdata_result *product)
{
    const char *category = shop_cell(product, 0, SHOP_CATEGORY);
    shop_put(out, "<article class=\"product\">\n");
    shop_layout_picture(out, category, shop_number(product, 0, SHOP_ID));
    shop_put(out, "<div class=\"sheet\"><p class=\"crumbs\"><a href=\"/\">Shop</a> / ");
    shop_layout_category_link(out, category, "");
    shop_html(out, " / %s</p>\n<h1>%s</h1>\n<p class=\"deal\">", shop_cell(product, 0, SHOP_STYLE),
              shop_cell(product, 0, SHOP_NAME));
    shop_layout_price(out, product, 0);
    shop_layout_stock(out, product, 0);
    shop_html(out, "</p>\n<p class=\"description\">%s</p>\n", shop_cell(product, 0, SHOP_DESCRIPTION));
    buy_form(out, product);
    shop_html(out,
              "<dl class=\"facts\"><dt>Article</dt><dd>No. %s</dd><dt>Department</dt><dd>%s</dd><dt>Kind</dt>"
              "<dd>%s</dd></dl>\n<p class=\"editing\"><a href=\"/admin/product/%s\">Edit price and stock</a></p>"
              "</div></article>\n",
              shop_cell(product, 0, SHOP_ID), category, shop_cell(product, 0, SHOP_STYLE),
              shop_cell(product, 0, SHOP_ID));
}

void shop_page_product(struct shop_request *request)
{
    struct shop_item item;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_product(request, true, &item))
        return;
    shop_layout_begin(request, shop_cell(item.product, 0, SHOP_NAME), menu, shop_cell(item.product, 0, SHOP_CATEGORY));
    product_sheet(&request->out, item.product);
    if (shopdata_result_rows(item.related) > 0) {
        shop_put(&request->out, "<section class=\"related\"><h2>More like this</h2>\n");
        shop_layout_cards(&request->out, item.related);
        shop_put(&request->out, "</section>\n");
    }
    shop_layout_end(request, HTTP_OK);
}
