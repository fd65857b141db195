#include <stdio.h>
#include <stdlib.h>

#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"

static void search_form(struct shop_output *out, const char *search)
{
    shop_html(
        out,
        "<h1>Back office</h1>\n<form class=\"search\" method=\"get\" action=\"/admin\">"
        "<label for=\"q\">Find a product by its name</label>"
        "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"100\" value=\"%s\"><button>Search</button></form>\n",
        search);
}

static void product_row(struct shop_output *out, const shopdata_result *products, size_t row)
{
    shop_html(out, "<tr><td>%s</td><td><a href=\"/product/%s\">%s</a></td><td>%s</td><td>",
              shop_cell(products, row, SHOP_ID), shop_cell(products, row, SHOP_ID), shop_cell(products, row, SHOP_NAME),
              shop_cell(products, row, SHOP_CATEGORY));
    shop_layout_price(out, products, row);
    shop_put(out, "</td><td>");
    shop_layout_stock(out, products, row);
    shop_html(
        out,
        "</td><td><a class=\"button small\" href=\"/admin/product/%s\" aria-label=\"Edit %s\">Edit</a></td></tr>\n",
        shop_cell(products, row, SHOP_ID), shop_cell(products, row, SHOP_NAME));
}

static void product_table(struct shop_output *out, const shopdata_result *products)
{
    shop_put(out, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">No.</th><th scope=\"col\">Product</th>"
                  "<th scope=\"col\">Department</th><th scope=\"col\">Price</th><th scope=\"col\">Stock</th>"
                  "<th scope=\"col\"><span class=\"unseen\">Edit</span></th></tr></thead>\n<tbody>\n");
    for (size_t row = 0; row < shopdata_result_rows(products); row++)
        product_row(out, products, row);
    shop_put(out, "</tbody></table></div>\n");
}

void shop_page_admin(struct shop_request *request)
{
    struct shop_list list;
    const char *given = shop_argument(request, "q");
    const char *search = given ? given : "";
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_found(request, search, &list))
        return;
    char address[1024], *encoded = evhttp_uriencode(search, -1, 1);
    snprintf(address, sizeof address, "/admin?q=%s&page=", encoded);
    free(encoded);
    shop_layout_begin(request, "Back office", menu, NULL);
    search_form(&request->out, search);
    shop_html(&request->out, "<p class=\"found\">%d %s</p>\n", (int)list.count,
              list.count == 1 ? "product" : "products");
    product_table(&request->out, list.products);
    shop_layout_paging(&request->out, &(struct shop_paging){list.page, list.last, address});
    shop_layout_end(request, HTTP_OK);
}

/* What stands above the form: nothing, that the last edit stands, or why it does not. */
static void notice(struct shop_request *request, const char *complaint)
{
    if (complaint)
        shop_html(&request->out, "<p class=\"notice bad\" role=\"alert\">%s Nothing was saved.</p>\n", complaint);
    else if (shop_argument(request, "late"))
        shop_layout_notice(&request->out, "late",
                           "Saved. The shared cache could not be told yet: other servers may show the old price for a "
                           "moment.");
    else if (shop_argument(request, "saved"))
        shop_layout_notice(&request->out, "good", "Saved. Every page shows it from now on.");
}

static void edit_form(struct shop_output *out, const shopdata_result *product, const char *price, const char *stock)
{
    const char *id = shop_cell(product, 0, SHOP_ID);
    shop_html(out,
              "<form class=\"edit\" method=\"post\" action=\"/admin/product/%s\">"
              "<label for=\"price\">Price in dollars</label>"
              "<input id=\"price\" name=\"price\" inputmode=\"decimal\" required maxlength=\"12\" value=\"%s\">"
              "<label for=\"stock\">Pieces in stock</label>"
              "<input id=\"stock\" name=\"stock\" inputmode=\"numeric\" required maxlength=\"8\" value=\"%s\">"
              "<p><button>Save</button> <a href=\"/product/%s\">See it in the shop</a></p></form>\n",
              id, price, stock, id);
}

/* The form, with what the visitor typed if that was not right. */
static void show_form(struct shop_request *request, const char *complaint, const char *price, const char *stock)
{
    struct shop_item item;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_product(request, false, &item))
        return;
    shop_layout_begin(request, "Edit a product", menu, NULL);
    shop_html(&request->out, "<p class=\"crumbs\"><a href=\"/admin\">Back office</a> / No. %s</p>\n<h1>%s</h1>\n",
              shop_cell(item.product, 0, SHOP_ID), shop_cell(item.product, 0, SHOP_NAME));
    notice(request, complaint);
    edit_form(&request->out, item.product, price ? price : shop_cell(item.product, 0, SHOP_PRICE),
              stock ? stock : shop_cell(item.product, 0, SHOP_STOCK));
    shop_layout_end(request, complaint ? HTTP_BADREQUEST : HTTP_OK);
}

static void save(struct shop_request *request, const struct shop_edit *edit)
{
    bool late = false;
    char address[80];
    if (!shop_save_edit(request, edit, &late))
        return;
    snprintf(address, sizeof address, "/admin/product/%lld?%s=1", (long long)edit->product_id, late ? "late" : "saved");
    shop_redirect(request, address);
}

static void take_form(struct shop_request *request)
{
    struct shop_edit edit;
    if (!shop_read_form(request))
        return;
    if (!shop_parse_id(request->rest, &edit.product_id)) {
        shop_fail(request, HTTP_NOTFOUND, "There is no such product.");
        return;
    }
    const char *price = shop_field(request, "price"), *stock = shop_field(request, "stock");
    const char *complaint = shop_check_edit(price, stock, &edit);
    if (complaint)
        show_form(request, complaint, price, stock);
    else
        save(request, &edit);
}

void shop_page_admin_product(struct shop_request *request)
{
    if (evhttp_request_get_command(request->http) == EVHTTP_REQ_POST)
        take_form(request);
    else
        show_form(request, NULL, NULL, NULL);
}
