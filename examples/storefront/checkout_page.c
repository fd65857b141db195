/* checkout_page.c - the last page before an order, and what became of it. */
#include <inttypes.h>
#include <stdio.h>

#include "checkout.h"
#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"
#include "visit.h"

static void summary_line(struct shop_output *out, const shopdata_result *product, int64_t quantity)
{
    shop_html(out, "<li><span>%d × %s</span> <span>", (int)quantity, shop_cell(product, 0, SHOP_NAME));
    shop_layout_cents(out, shop_line_cents(product, quantity));
    shop_put(out, "</span></li>\n");
}

static void summary(struct shop_output *out, const struct shop_cart *cart, const struct shop_basket *basket)
{
    shop_put(out, "<section class=\"summary\"><h2>Your order</h2><ul>\n");
    for (size_t i = 0; i < cart->count; i++)
        summary_line(out, basket->products[i], cart->lines[i].quantity);
    shop_put(out, "</ul><p class=\"total\"><span>Total</span> <strong id=\"total\">");
    shop_layout_cents(out, basket->cents);
    shop_put(out, "</strong></p><p><a href=\"/cart\">Change the cart</a></p></section>\n");
}

/* With what was typed so far. The total goes along, so that nobody pays another one than he saw. */
static void buyer_form(struct shop_request *request, const struct shop_basket *basket, const char *nonce)
{
    char cents[24];
    struct shop_output *out = &request->out;
    shop_put(out, "<form class=\"order\" method=\"post\" action=\"/checkout\">");
    shop_visit_token(request, nonce);
    snprintf(cents, sizeof cents, "%" PRId64, basket->cents);
    shop_html(out, "<input type=\"hidden\" name=\"cents\" value=\"%s\">", cents);
    shop_html(
        out,
        "<label for=\"name\">Your name</label><input id=\"name\" name=\"name\" required maxlength=\"100\" "
        "autocomplete=\"name\" value=\"%s\"><label for=\"email\">E-mail</label><input id=\"email\" name=\"email\" "
        "type=\"email\" required maxlength=\"254\" autocomplete=\"email\" aria-describedby=\"why\" value=\"%s\">"
        "<p id=\"why\" class=\"hint\">With it and the order's number you find your order again.</p>"
        "<label for=\"address\">Address</label><textarea id=\"address\" name=\"address\" rows=\"4\" required "
        "maxlength=\"500\" autocomplete=\"street-address\">\n%s</textarea>"
        "<p><button id=\"order\">Order and pay</button></p></form>\n",
        shop_field(request, "name"), shop_field(request, "email"), shop_field(request, "address"));
}

/* The page, with what is wrong, if anything is. The same form keeps its token `nonce`. */
static void show(struct shop_request *request, int code, const char *complaint, const char *nonce)
{
    struct shop_basket basket;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_cart(request, &basket))
        return;
    shop_layout_begin(request, "Check out", menu, NULL);
    shop_put(&request->out, "<h1>Check out</h1>\n");
    if (complaint)
        shop_layout_notice(&request->out, "bad", complaint);
    shop_put(&request->out, "<div class=\"checkout\">");
    buyer_form(request, &basket, nonce);
    summary(&request->out, &request->cart, &basket);
    shop_put(&request->out, "</div>\n");
    shop_layout_end(request, code);
}

static void short_lines(struct shop_request *request, const struct shop_basket *basket,
                        const struct shop_receipt *receipt)
{
    shop_put(&request->out, "<ul class=\"shortages\">");
    for (size_t i = 0; i < request->cart.count; i++) {
        const shopdata_result *product = basket->products[i];
        if (!receipt->is_short[i])
            continue;
        shop_html(&request->out, "<li><strong>%s</strong>: you wanted %d; ", shop_cell(product, 0, SHOP_NAME),
                  (int)request->cart.lines[i].quantity);
        shop_layout_stock(&request->out, product, 0);
        shop_put(&request->out, "</li>");
    }
    shop_put(&request->out, "</ul>\n");
}

static void show_sold_out(struct shop_request *request, const struct shop_receipt *receipt)
{
    struct shop_basket basket;
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_cart(request, &basket))
        return;
    shop_layout_begin(request, "Sold out", menu, NULL);
    shop_put(&request->out, "<h1>Somebody was faster</h1>\n");
    shop_layout_notice(&request->out, "bad", "We no longer have all that you wanted. Nothing was ordered.");
    short_lines(request, &basket, receipt);
    shop_put(&request->out, "<p><a class=\"button\" href=\"/cart\">Change the cart</a></p>\n");
    shop_layout_end(request, 409);
}

/* The cart is empty now. The link needs no key: the cookie shows whose order it is. */
static void show_order(struct shop_request *request, const struct shop_receipt *receipt)
{
    char address[80];
    const char *remark = receipt->is_late                   ? "?note=late"
                         : receipt->outcome == SHOP_ORDERED ? "?note=thanks"
                         : receipt->was_in_doubt            ? "?note=doubt"
                                                            : "?note=again";
    request->cart.count = 0;
    snprintf(address, sizeof address, "/order/%s%s", receipt->number, remark);
    if (shop_visit_keep(request))
        shop_redirect(request, address);
}

static void answer(struct shop_request *request, const struct shop_receipt *receipt, const char *nonce)
{
    switch (receipt->outcome) {
    case SHOP_ORDERED:
    case SHOP_ORDERED_BEFORE:
        show_order(request, receipt);
        break;
    case SHOP_NOTHING_WANTED:
        shop_redirect(request, "/cart");
        break;
    case SHOP_SOLD_OUT:
        show_sold_out(request, receipt);
        break;
    case SHOP_PRICES_CHANGED:
        show(request, 409, "A price has changed meanwhile: please look at the new total. Nothing was ordered.", nonce);
        break;
    case SHOP_IN_DOUBT:
        show(request, HTTP_SERVUNAVAIL,
             "The connection to our database broke while it took your order, and we cannot see yet whether it stands. "
             "Press the button again: it cannot be ordered twice.",
             nonce);
        break;
    case SHOP_NOT_ORDERED:
        show(request, HTTP_SERVUNAVAIL,
             "Our database did not take the order. Nothing was ordered: please press the button again in a moment.",
             nonce);
        break;
    }
}

static void tell_operator(const struct shop_receipt *receipt)
{
    if (receipt->error)
        fprintf(stderr, "storefront: checkout: %s: %s\n", shopdata_status_name(shopdata_error_status(receipt->error)),
                shopdata_error_message(receipt->error));
}

static void order(struct shop_request *request)
{
    struct shop_buyer buyer;
    struct shop_receipt receipt;
    struct shop_purchase purchase = {.cart = &request->cart, .buyer = &buyer};
    char nonce[SHOP_NONCE_SIZE];
    if (!shop_read_form(request) || !shop_visit_is_ours(request, nonce))
        return;
    purchase.token = nonce;
    const char *complaint = shop_check_buyer(shop_field(request, "name"), shop_field(request, "email"),
                                             shop_field(request, "address"), &buyer);
    if (!shop_parse_number(shop_field(request, "cents"), 0, INT64_MAX, &purchase.cents))
        complaint = "The form came without its total. Nothing was ordered: please look at it and order again.";
    if (complaint) {
        show(request, HTTP_BADREQUEST, complaint, nonce);
        return;
    }
    shop_check_out(request->shop, &purchase, &receipt);
    tell_operator(&receipt);
    answer(request, &receipt, nonce);
    shopdata_error_free(receipt.error);
}

void shop_page_checkout(struct shop_request *request)
{
    if (evhttp_request_get_command(request->http) == EVHTTP_REQ_POST)
        order(request);
    else if (request->cart.count == 0)
        shop_redirect(request, "/cart");
    else
        show(request, HTTP_OK, NULL, NULL);
}
