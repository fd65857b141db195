/* cart_page.c - the cart: what is in it, adding to it, changing it. */
#include <inttypes.h>
#include <stdio.h>

#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"
#include "visit.h"

/* Of what is in the cart, only what there is can be bought. */
static void shortage(struct shop_output *out, int64_t stock, int64_t wanted)
{
    if (stock == 0)
        shop_put(out, "<p class=\"short\">Sold out: please remove it.</p>");
    else if (stock < wanted)
        shop_html(out, "<p class=\"short\">Only %d left: please take fewer.</p>", (int)stock);
}

static void gone_line(struct shop_output *out, int64_t id)
{
    shop_html(out,
              "<li class=\"line\"><p class=\"what\">Article %d is no longer in the shop.</p>"
              "<button class=\"plain\" name=\"remove\" value=\"%d\">Remove</button></li>\n",
              (int)id, (int)id);
}

static void line(struct shop_output *out, const struct shop_line *line, const shopdata_result *product)
{
    int id = (int)line->product_id;
    const char *name = shop_cell(product, 0, SHOP_NAME);
    if (shopdata_result_rows(product) == 0) {
        gone_line(out, line->product_id);
        return;
    }
    shop_put(out, "<li class=\"line\">");
    shop_layout_picture(out, shop_cell(product, 0, SHOP_CATEGORY), line->product_id);
    shop_html(out, "<div class=\"what\"><a href=\"/product/%d\">%s</a><p>", id, name);
    shop_layout_price(out, product, 0);
    shop_put(out, " each</p>");
    shortage(out, shop_number(product, 0, SHOP_STOCK), line->quantity);
    shop_html(out,
              "</div><p class=\"many\"><label class=\"unseen\" for=\"q%d\">Quantity of %s</label><input id=\"q%d\" "
              "name=\"q%d\" type=\"number\" min=\"0\" max=\"%d\" value=\"%d\"></p><p class=\"sum\">",
              id, name, id, id, SHOP_QUANTITY_MAX, (int)line->quantity);
    shop_layout_cents(out, shop_line_cents(product, line->quantity));
    shop_html(
        out, "</p><button class=\"plain\" name=\"remove\" value=\"%d\" aria-label=\"Remove %s\">Remove</button></li>\n",
        id, name);
}

/* The first button is the one that Enter presses: it must not be one that removes something. */
static void lines(struct shop_request *request, const struct shop_basket *basket)
{
    struct shop_output *out = &request->out;
    shop_put(out, "<form class=\"cart\" method=\"post\" action=\"/cart\"><button class=\"unseen\" tabindex=\"-1\" "
                  "aria-hidden=\"true\">Update</button>");
    shop_visit_token(request, NULL);
    shop_put(out, "<ul class=\"lines\">\n");
    for (size_t i = 0; i < request->cart.count; i++)
        line(out, &request->cart.lines[i], basket->products[i]);
    shop_put(out, "</ul>\n<p class=\"total\"><span>Total</span> <strong id=\"total\">");
    shop_layout_cents(out, basket->cents);
    shop_put(out,
             "</strong></p>\n<p class=\"next\"><button id=\"update\" class=\"second\">Update quantities</button> ");
    shop_put(out, basket->is_short
                      ? "<span class=\"button off\">Check out</span></p></form>\n"
                      : "<a class=\"button\" id=\"checkout\" href=\"/checkout\">Check out</a></p></form>\n");
}

static void contents(struct shop_request *request, const char *complaint)
{
    struct shop_basket basket;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_cart(request, &basket) || !shop_visit_keep(request))
        return;
    shop_layout_begin(request, "Your cart", menu, NULL);
    shop_put(&request->out, "<h1>Your cart</h1>\n");
    if (complaint)
        shop_layout_notice(&request->out, "bad", complaint);
    if (request->cart.was_refused)
        shop_layout_notice(&request->out, "late",
                           "The cart that your browser kept had expired or was damaged, so it is empty now.");
    if (request->cart.count > 0)
        lines(request, &basket);
    else
        shop_put(&request->out, "<p class=\"found\">There is nothing in it yet. <a href=\"/\">Look around</a></p>\n");
    shop_layout_end(request, complaint ? HTTP_BADREQUEST : HTTP_OK);
}

static void keep_and_show(struct shop_request *request)
{
    if (shop_visit_keep(request))
        shop_redirect(request, "/cart");
}

/* What the form says of one line: a new quantity, or that its button "Remove" was pressed. */
static bool wanted_quantity(const struct shop_request *request, const struct shop_line *line, int64_t *quantity)
{
    char name[24];
    int64_t removed;
    *quantity = 0;
    if (shop_parse_id(shop_field(request, "remove"), &removed) && removed == line->product_id)
        return true;
    snprintf(name, sizeof name, "q%" PRId64, line->product_id);
    *quantity = line->quantity;
    const char *text = shop_field(request, name);
    return !*text || shop_parse_number(text, 0, SHOP_QUANTITY_MAX, quantity);
}

static void change(struct shop_request *request)
{
    char nonce[SHOP_NONCE_SIZE];
    int64_t quantity;
    if (!shop_read_form(request) || !shop_visit_is_ours(request, nonce))
        return;
    struct shop_cart cart = request->cart;
    for (size_t i = 0; i < request->cart.count; i++) {
        const struct shop_line *line = &request->cart.lines[i];
        if (!wanted_quantity(request, line, &quantity)) {
            contents(request, "A quantity must be a whole number from 0 to 99. Nothing was changed.");
            return;
        }
        shop_cart_set(&cart, line->product_id, quantity);
    }
    request->cart = cart;
    keep_and_show(request);
}

void shop_page_cart(struct shop_request *request)
{
    if (evhttp_request_get_command(request->http) == EVHTTP_REQ_POST)
        change(request);
    else
        contents(request, NULL);
}

static const char *add(struct shop_request *request)
{
    int64_t id, quantity;
    if (!shop_parse_id(shop_field(request, "product"), &id))
        return "There is no such product.";
    if (!shop_parse_number(shop_field(request, "quantity"), 1, SHOP_QUANTITY_MAX, &quantity))
        return "A quantity must be a whole number from 1 to 99. Nothing was added.";
    if (!shop_cart_set(&request->cart, id, quantity + shop_cart_quantity(&request->cart, id)))
        return "A cart holds at most 20 products, and 99 of each. Nothing was added.";
    return NULL;
}

void shop_page_cart_add(struct shop_request *request)
{
    if (!shop_read_form(request))
        return;
    const char *complaint = add(request);
    if (complaint)
        contents(request, complaint);
    else
        keep_and_show(request);
}
