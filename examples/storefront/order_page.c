/* order_page.c - an order, for who may see it; and how to find it again. */
#include <stdio.h>
#include <string.h>

#include "buyer.h"
#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"
#include "visit.h"

enum { LINK_SECONDS = 3600 };

static const char purpose[] = "order";
/* The same for an order that is not there and for somebody else's: nobody learns which numbers exist. */
static const char not_yours[] = "There is no such order, or it was not made in this browser. With its number and your "
                                "e-mail address you find it under Orders.";

/* What stands above an order, by the ?note= of its address. */
static const struct {
    const char *note, *kind, *sentence;
} notes[] = {
    {"thanks", "good", "Thank you! Your order is in."},
    {"again", "good", "You pressed the button more than once. It was ordered once: this is the order."},
    {"late", "late",
     "Thank you! Your order is in. Our shared cache could not be told yet, so for a moment other servers may show "
     "the stock without it."},
    {"doubt", "good",
     "The connection to our database broke while it took your order. We have looked: the order is in, once."},
};

static void note(struct shop_request *request)
{
    const char *wanted = shop_argument(request, "note");
    for (size_t i = 0; wanted && i < sizeof notes / sizeof *notes; i++) {
        if (!strcmp(wanted, notes[i].note))
            shop_layout_notice(&request->out, notes[i].kind, notes[i].sentence);
    }
}

/* Whose cookie has the buyer's number, or who came by a link that we made for him. */
static bool may_see(const struct shop_request *request, const shopdata_result *order)
{
    const char *key = shop_argument(request, "key"), *number = shop_cell(order, 0, SHOP_O_NUMBER);
    if (shopdata_result_rows(order) == 0)
        return false;
    if (key && shop_seal_holds(shop_keys(request->shop), purpose, number, key, LINK_SECONDS))
        return true;
    return !strcmp(request->cart.visitor, shop_cell(order, 0, SHOP_O_VISITOR));
}

static void order_lines(struct shop_output *out, const shopdata_result *lines)
{
    int64_t total = 0;
    shop_put(out, "<ul class=\"lines\">\n");
    for (size_t row = 0; row < shopdata_result_rows(lines); row++) {
        int64_t cents = 0, quantity = shop_number(lines, row, SHOP_L_QUANTITY);
        shop_parse_cents(shop_cell(lines, row, SHOP_L_PRICE), &cents);
        total += cents * quantity;
        shop_put(out, "<li class=\"line\">");
        shop_layout_picture(out, shop_cell(lines, row, SHOP_L_CATEGORY), shop_number(lines, row, SHOP_L_PRODUCT));
        shop_html(out, "<div class=\"what\"><a href=\"/product/%s\">%s</a><p>%d × ",
                  shop_cell(lines, row, SHOP_L_PRODUCT), shop_cell(lines, row, SHOP_L_NAME), (int)quantity);
        shop_layout_cents(out, cents);
        shop_put(out, "</p></div><p class=\"sum\">");
        shop_layout_cents(out, cents * quantity);
        shop_put(out, "</p></li>\n");
    }
    shop_put(out, "</ul>\n<p class=\"total\"><span>Paid</span> <strong id=\"total\">");
    shop_layout_cents(out, total);
    shop_put(out, "</strong></p>\n");
}

static void sheet(struct shop_request *request, const shopdata_result *order, const shopdata_result *lines)
{
    shop_html(&request->out, "<h1>Order <span id=\"number\">%s</span></h1>\n", shop_cell(order, 0, SHOP_O_NUMBER));
    note(request);
    shop_put(&request->out, "<div class=\"checkout\"><section>");
    order_lines(&request->out, lines);
    shop_html(&request->out,
              "</section><section class=\"summary\"><h2>It goes to</h2><p class=\"address\">%s\n%s</p>"
              "<dl class=\"facts\"><dt>Ordered</dt><dd>%s</dd><dt>E-mail</dt><dd class=\"exact\">%s</dd></dl>"
              "<p><a href=\"/orders\">All your orders</a></p></section></div>\n",
              shop_cell(order, 0, SHOP_O_NAME), shop_cell(order, 0, SHOP_O_ADDRESS), shop_cell(order, 0, SHOP_O_DAY),
              shop_cell(order, 0, SHOP_O_EMAIL));
}

void shop_page_order(struct shop_request *request)
{
    struct shop_batch *batch = &request->batch;
    size_t menu = shop_add_menu(request->shop, batch);
    size_t order = shop_add_order(request->shop, batch, request->rest);
    size_t lines = shop_add_order_lines(request->shop, batch, request->rest);
    if (!shop_look_up(request))
        return;
    if (!may_see(request, batch->results[order])) {
        shop_fail(request, HTTP_NOTFOUND, not_yours);
        return;
    }
    shop_layout_begin(request, "Your order", menu, NULL);
    sheet(request, batch->results[order], batch->results[lines]);
    shop_layout_end(request, HTTP_OK);
}

/* With a link that is a key for an hour: who sees this list may see its orders. */
static void order_link(struct shop_request *request, const shopdata_result *orders, size_t row)
{
    char seal[SHOP_SEAL_SIZE];
    const char *number = shop_cell(orders, row, SHOP_OS_NUMBER);
    int64_t cents = 0;
    shop_parse_cents(shop_cell(orders, row, SHOP_OS_TOTAL), &cents);
    shop_seal(shop_keys(request->shop), purpose, number, seal);
    shop_html(&request->out, "<tr><td><a href=\"/order/%s?key=%s\">%s</a></td><td>%s</td><td class=\"number\">%s</td>",
              number, seal, number, shop_cell(orders, row, SHOP_OS_DAY), shop_cell(orders, row, SHOP_OS_PIECES));
    shop_put(&request->out, "<td class=\"number\">");
    shop_layout_cents(&request->out, cents);
    shop_put(&request->out, "</td></tr>\n");
}

static void order_table(struct shop_request *request, const shopdata_result *orders)
{
    shop_put(&request->out, "<div class=\"wide\"><table class=\"orders\"><thead><tr><th scope=\"col\">Order</th>"
                            "<th scope=\"col\">Day</th><th scope=\"col\" class=\"number\">Pieces</th>"
                            "<th scope=\"col\" class=\"number\">Paid</th></tr></thead>\n<tbody>\n");
    for (size_t row = 0; row < shopdata_result_rows(orders); row++)
        order_link(request, orders, row);
    shop_put(&request->out, "</tbody></table></div>\n");
}

static void lookup_form(struct shop_request *request)
{
    shop_html(
        &request->out,
        "<section><h2>Find an order</h2><form class=\"edit\" method=\"post\" action=\"/orders\">"
        "<label for=\"number\">Order number</label><input id=\"number\" name=\"number\" required maxlength=\"20\" "
        "placeholder=\"F-7K3M-92QX\" autocomplete=\"off\" value=\"%s\"><label for=\"email\">E-mail</label>"
        "<input id=\"email\" name=\"email\" type=\"email\" required maxlength=\"254\" autocomplete=\"email\" "
        "value=\"%s\"><p><button>Find it</button></p></form></section>\n",
        shop_field(request, "number"), shop_field(request, "email"));
}

static void show_orders(struct shop_request *request, const char *complaint, const char *visitor, const char *email)
{
    size_t menu = shop_add_menu(request->shop, &request->batch);
    size_t orders = visitor[0] ? shop_add_orders(request->shop, &request->batch, visitor, email) : menu;
    if (!shop_look_up(request))
        return;
    shop_layout_begin(request, "Your orders", menu, NULL);
    shop_put(&request->out, "<h1>Your orders</h1>\n");
    if (complaint)
        shop_layout_notice(&request->out, "bad", complaint);
    if (orders != menu && shopdata_result_rows(request->batch.results[orders]) > 0)
        order_table(request, request->batch.results[orders]);
    else if (!complaint)
        shop_put(&request->out, "<p class=\"found\">Nothing has been ordered in this browser yet.</p>\n");
    lookup_form(request);
    shop_layout_end(request, complaint ? HTTP_NOTFOUND : HTTP_OK);
}

/* The pair opens the order, and with it those that the same browser made with the same e-mail address. Not all of that
 * address: anybody may order in another's name, and would have a pair. */
static void find(struct shop_request *request)
{
    struct shop_batch found = {0};
    char number[SHOP_ORDER_NUMBER_SIZE], email[SHOP_EMAIL_SIZE];
    if (!shop_read_form(request))
        return;
    bool is_pair = shop_read_order_number(shop_field(request, "number"), number) &&
                   shop_read_email(shop_field(request, "email"), email);
    size_t order = shop_add_order(request->shop, &found, is_pair ? number : "");
    int status = shop_ask(request->shop, &found);
    if (status < 0) {
        request->batch.error = found.error;
        found.error = NULL;
        shop_fail_database(request);
    } else if (is_pair && !strcmp(email, shop_cell(found.results[order], 0, SHOP_O_EMAIL))) {
        show_orders(request, NULL, shop_cell(found.results[order], 0, SHOP_O_VISITOR), email);
    } else {
        show_orders(request, "We have no order of that number for that e-mail address.", "", NULL);
    }
    shop_batch_free(&found);
}

void shop_page_orders(struct shop_request *request)
{
    if (evhttp_request_get_command(request->http) == EVHTTP_REQ_POST)
        find(request);
    else
        show_orders(request, NULL, request->cart.visitor, NULL);
}
