#include "layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "served.h"

/* Departments that icons.svg has a sign for; the others get a parcel. */
static const char *const signs[] = {
    "accessories",  "apparel",  "beauty",    "books",        "cold-dispensed", "electronics",   "floral",
    "food-service", "footwear", "furniture", "groceries",    "homedecor",      "hot-dispensed", "housewares",
    "instruments",  "jewelry",  "outdoors",  "salty-snacks", "seasonal",       "tools",
};

enum { TINTS = 12, FEW = 5 };

static bool is_sign_of(const char *sign, const char *category)
{
    for (; *sign && *category; sign++, category++) {
        if (*sign != *category && !(*sign == '-' && *category == ' '))
            return false;
    }
    return *sign == *category;
}

static const char *sign_of(const char *category)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (is_sign_of(signs[i], category))
            return signs[i];
    }
    return "parcel";
}

void shop_layout_picture(struct shop_output *out, const char *category, int64_t seed)
{
    shop_html(out,
              "<span class=\"picture tint-%d\"><svg viewBox=\"0 0 48 48\" aria-hidden=\"true\">"
              "<use href=\"/icons.svg#%s\"/></svg></span>",
              (int)((uint64_t)seed % TINTS), sign_of(category));
}

void shop_layout_category_link(struct shop_output *out, const char *name, const char *attribute)
{
    shop_put(out, "<a href=\"/category/");
    shop_address(out, name);
    shop_put(out, "\"");
    shop_put(out, attribute);
    shop_html(out, ">%s</a>", name);
}

/* A page that lives by a script is loaded anew every other second where there are none. */
static void script(struct shop_output *out)
{
    shop_put(out, "<script src=\"/topology.js\" defer></script>\n"
                  "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n");
}

static void head(struct shop_output *out, const char *title, bool has_script)
{
    shop_html(out,
              "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s · Fernhill &amp; "
              "Daughters</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
              "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n",
              title);
    if (has_script)
        script(out);
    shop_put(out, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the goods</a>\n");
}

static void banner(struct shop_output *out, const struct shop_cart *cart)
{
    int pieces = (int)shop_cart_pieces(cart);
    shop_put(out,
             "<header class=\"top\"><a class=\"brand\" href=\"/\">Fernhill <span>&amp;</span> Daughters</a>"
             "<p class=\"claim\">General store, est. 2026</p><form class=\"find\" role=\"search\" action=\"/search\">"
             "<label class=\"unseen\" for=\"find\">Search the shop</label><input id=\"find\" name=\"q\" "
             "type=\"search\" maxlength=\"100\" placeholder=\"What are you looking for?\"><button>Search</button>"
             "</form><nav class=\"you\" aria-label=\"Yours\"><a href=\"/orders\">Orders</a>");
    shop_html(out,
              pieces ? "<a class=\"basket full\" href=\"/cart\">Cart <span>%d<span class=\"unseen\"> pieces</span>"
                       "</span></a>"
                     : "<a class=\"basket\" href=\"/cart\">Cart</a>",
              pieces);
    shop_put(out, "</nav></header>\n");
}

static void menu_of(struct shop_output *out, const shopdata_result *menu, const char *current)
{
    shop_put(out, "<nav class=\"menu\" aria-label=\"Departments\"><ul>");
    for (size_t row = 0; row < shopdata_result_rows(menu); row++) {
        const char *name = shop_cell(menu, row, 1);
        shop_put(out, "<li>");
        shop_layout_category_link(out, name, current && !strcmp(name, current) ? " aria-current=\"page\"" : "");
        shop_put(out, "</li>");
    }
    shop_put(out, "</ul></nav>\n");
}

void shop_layout_begin(struct shop_request *request, const char *title, size_t menu, const char *current)
{
    head(&request->out, title, request->has_script);
    banner(&request->out, &request->cart);
    if (menu != SHOP_NO_MENU)
        menu_of(&request->out, request->batch.results[menu], current);
    shop_put(&request->out, "<main id=\"main\">\n");
}

void shop_layout_end(struct shop_request *request, int code)
{
    shop_put(&request->out, "</main>\n<footer class=\"foot\">\n");
    if (request->batch.count > 0)
        shop_served_html(&request->out, &request->batch);
    shop_put(&request->out, "<p class=\"imprint\">A demonstration of libshopdata. Nothing here is for sale. "
                            "<a href=\"/topology\">Behind the scenes</a> <a href=\"/admin\">Back office</a></p>\n"
                            "</footer>\n</body>\n</html>\n");
    shop_reply(request, code, SHOP_HTML);
}

static const char *error_title(int code)
{
    switch (code) {
    case HTTP_BADREQUEST:
        return "That does not look right";
    case HTTP_NOTFOUND:
        return "Not on our shelves";
    case 403:
        return "Please begin again";
    case HTTP_BADMETHOD:
        return "Not in that way";
    case HTTP_SERVUNAVAIL:
        return "Back in a moment";
    default:
        return "That did not work";
    }
}

void shop_layout_error(struct shop_request *request, int code, const char *sentence)
{
    struct shop_output *out = &request->out;
    head(out, error_title(code), false);
    banner(out, &request->cart);
    shop_html(out,
              "<main id=\"main\" class=\"sorry\"><p class=\"code\">%d</p><h1>%s</h1><p>%s</p>"
              "<p><a class=\"button\" href=\"/\">Back to the shop</a></p></main>\n</body>\n</html>\n",
              code, error_title(code), sentence);
}

/* "24999.99" as people read it: "24,999.99". It stays text on the way: no float ever sees a price. */
static void grouped(struct shop_output *out, const char *price)
{
    for (size_t whole = strcspn(price, "."), group; whole > 3; whole -= group, price += group) {
        group = (whole - 1) % 3 + 1;
        shop_add(out, price, group);
        shop_put(out, ",");
    }
    shop_put(out, price);
}

void shop_layout_cents(struct shop_output *out, int64_t cents)
{
    char price[32];
    snprintf(price, sizeof price, "%" PRId64 ".%02d", cents / 100, (int)(cents % 100));
    shop_put(out, "$");
    grouped(out, price);
}

void shop_layout_notice(struct shop_output *out, const char *kind, const char *sentence)
{
    shop_html(out, "<p class=\"notice %s\" role=\"%s\">%s</p>\n", kind, strcmp(kind, "bad") ? "status" : "alert",
              sentence);
}

void shop_layout_price(struct shop_output *out, const shopdata_result *products, size_t row)
{
    const char *price = shop_cell(products, row, SHOP_PRICE);
    shop_html(out, "<data class=\"price\" data-product=\"%s\" value=\"%s\">$", shop_cell(products, row, SHOP_ID),
              price);
    grouped(out, price);
    shop_put(out, "</data>");
}

void shop_layout_stock(struct shop_output *out, const shopdata_result *products, size_t row)
{
    int64_t stock = shop_number(products, row, SHOP_STOCK);
    const char *number = shop_cell(products, row, SHOP_STOCK);
    shop_html(out, "<data class=\"stock %s\" data-product=\"%s\" value=\"%s\">",
              stock == 0     ? "none"
              : stock <= FEW ? "few"
                             : "plenty",
              shop_cell(products, row, SHOP_ID), number);
    if (stock == 0)
        shop_put(out, "Sold out</data>");
    else
        shop_html(out, stock <= FEW ? "Only %s left</data>" : "%s in stock</data>", number);
}

static void card(struct shop_output *out, const shopdata_result *products, size_t row)
{
    const char *id = shop_cell(products, row, SHOP_ID);
    shop_html(out, "<li class=\"card\"><a href=\"/product/%s\">", id);
    shop_layout_picture(out, shop_cell(products, row, SHOP_CATEGORY), shop_number(products, row, SHOP_ID));
    shop_html(out, "<span class=\"style\">%s</span><span class=\"name\">%s</span></a><p class=\"deal\">",
              shop_cell(products, row, SHOP_STYLE), shop_cell(products, row, SHOP_NAME));
    shop_layout_price(out, products, row);
    shop_layout_stock(out, products, row);
    shop_put(out, "</p></li>\n");
}

void shop_layout_cards(struct shop_output *out, const shopdata_result *products)
{
    shop_put(out, "<ul class=\"cards\">\n");
    for (size_t row = 0; row < shopdata_result_rows(products); row++)
        card(out, products, row);
    shop_put(out, "</ul>\n");
}

int64_t shop_last_page(int64_t count)
{
    return count > 0 ? (count - 1) / SHOP_PAGE_SIZE + 1 : 1;
}

static void page_link(struct shop_output *out, const struct shop_paging *paging, int64_t page, const char *relation,
                      const char *label)
{
    if (page < 1 || page > paging->last)
        shop_html(out, "<span class=\"button off\">%s</span>", label);
    else
        shop_html(out, "<a class=\"button\" rel=\"%s\" href=\"%s%d\">%s</a>", relation, paging->address, (int)page,
                  label);
}

void shop_layout_paging(struct shop_output *out, const struct shop_paging *paging)
{
    if (paging->last < 2)
        return;
    shop_put(out, "<nav class=\"paging\" aria-label=\"Pages\">");
    page_link(out, paging, paging->page - 1, "prev", "Previous");
    shop_html(out, "<span>Page %d of %d</span>", (int)paging->page, (int)paging->last);
    page_link(out, paging, paging->page + 1, "next", "Next");
    shop_put(out, "</nav>\n");
}
