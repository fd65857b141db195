/* search.c - the page of what was found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"

static const char *const sort_labels[SHOP_SORTS] = {
    [SHOP_BY_RANK] = "Best match",
    [SHOP_BY_PRICE] = "Price, low to high",
    [SHOP_BY_PRICE_DOWN] = "Price, high to low",
    [SHOP_BY_NAME] = "Name",
};

static void option(struct shop_output *out, const char *value, bool chosen)
{
    shop_html(out, "<option value=\"%s\"", value);
    shop_put(out, chosen ? " selected>" : ">");
}

static void choose_sort(struct shop_output *out, enum shop_sort chosen)
{
    shop_put(out, "<p><label for=\"sort\">Order</label><select id=\"sort\" name=\"sort\">");
    for (int sort = 0; sort < SHOP_SORTS; sort++) {
        option(out, shop_sort_name((enum shop_sort)sort), sort == (int)chosen);
        shop_html(out, "%s</option>", sort_labels[sort]);
    }
    shop_put(out, "</select></p>");
}

static void choose_shelf(struct shop_output *out, const shopdata_result *shelves, const char *chosen)
{
    shop_put(out, "<p><label for=\"in\">Department</label><select id=\"in\" name=\"in\">");
    option(out, "", !*chosen);
    shop_put(out, "All departments</option>");
    for (size_t row = 0; row < shopdata_result_rows(shelves); row++) {
        const char *name = shop_cell(shelves, row, 0);
        option(out, name, !strcmp(name, chosen));
        shop_html(out, "%s (%s)</option>", name, shop_cell(shelves, row, 1));
    }
    shop_put(out, "</select></p>");
}

static void refine(struct shop_output *out, const struct shop_found *found)
{
    shop_html(out,
              "<form class=\"refine\" action=\"/search\"><p class=\"words\"><label for=\"q\">Search for</label>"
              "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"100\" value=\"%s\"></p>",
              found->search.words);
    choose_shelf(out, found->shelves, found->search.category);
    choose_sort(out, found->search.sort);
    shop_put(out, "<p><button>Show</button></p></form>\n");
}

static void count_line(struct shop_output *out, const struct shop_found *found)
{
    if (found->list.count == 0)
        return;
    shop_html(out, "<p class=\"found\" role=\"status\">%d %s for “%s”", (int)found->list.count,
              found->list.count == 1 ? "product" : "products", found->search.words);
    if (*found->search.category)
        shop_html(out, " in %s", found->search.category);
    shop_put(out, "</p>\n");
}

/* What helps depends on what was typed: nothing yet, or words that nothing has. */
static void nothing_found(struct shop_output *out, const struct shop_search *search)
{
    if (!*search->words)
        shop_put(out,
                 "<p class=\"found\">Type what you are looking for. Words in “quotes” must stand together, a minus "
                 "leaves a word out: <em>linen -cushion</em>.</p>\n");
    else
        shop_html(out,
                  "<section class=\"nothing\" role=\"status\"><h2>Nothing found for “%s”</h2><p>Try fewer or other "
                  "words, or look into a department above. Very common words (the, and, of) are not looked for.</p>"
                  "</section>\n",
                  search->words);
}

/* The address of any page of this search, but for its number. False if it does not fit. */
static bool address_of(const struct shop_search *search, char *address, size_t size)
{
    char *words = evhttp_uriencode(search->words, -1, 1), *category = evhttp_uriencode(search->category, -1, 1);
    int length = snprintf(address, size, "/search?q=%s&in=%s&sort=%s&page=", words ? words : "",
                          category ? category : "", shop_sort_name(search->sort));
    free(words);
    free(category);
    return length >= 0 && (size_t)length < size;
}

void shop_page_search(struct shop_request *request)
{
    struct shop_found found;
    char address[2048];
    size_t menu = shop_add_menu(request->shop, &request->batch);
    if (!shop_look_up_search(request, &found))
        return;
    shop_layout_begin(request, "Search", menu, NULL);
    shop_put(&request->out, "<h1>Search</h1>\n");
    refine(&request->out, &found);
    count_line(&request->out, &found);
    if (found.list.count == 0)
        nothing_found(&request->out, &found.search);
    else
        shop_layout_cards(&request->out, found.list.products);
    if (address_of(&found.search, address, sizeof address))
        shop_layout_paging(&request->out, &(struct shop_paging){found.list.page, found.list.last, address});
    shop_layout_end(request, HTTP_OK);
}
