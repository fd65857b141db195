/* layout.h - the pieces that pages are made of. */
#ifndef SHOP_LAYOUT_H
#define SHOP_LAYOUT_H

#include "request.h"

/* Of a page that asks the database nothing. */
#define SHOP_NO_MENU ((size_t)-1)

/* shop_layout_begin writes the page's head with the shop's name and the menu of departments, which is read number
 * `menu` of the batch (or SHOP_NO_MENU). `current` is the department that is shown; NULL if it is none. */
void shop_layout_begin(struct shop_request *request, const char *title, size_t menu, const char *current);
/* shop_layout_end writes the foot, which tells where the page's data came from and how fast, and sends the page. */
void shop_layout_end(struct shop_request *request, int code);
/* shop_layout_error writes a whole page that needs no database. */
void shop_layout_error(struct shop_request *request, int code, const char *sentence);

/* shop_layout_cards writes a grid of products. */
void shop_layout_cards(struct shop_output *out, const shopdata_result *products);
/* shop_layout_price, _stock write one row's price and stock, for people and (in data elements) for programs. */
void shop_layout_price(struct shop_output *out, const shopdata_result *products, size_t row);
void shop_layout_stock(struct shop_output *out, const shopdata_result *products, size_t row);
/* shop_layout_cents writes an amount for people: $1,234.56. */
void shop_layout_cents(struct shop_output *out, int64_t cents);
/* shop_layout_notice writes a sentence that stands out: `kind` is good, late or bad. */
void shop_layout_notice(struct shop_output *out, const char *kind, const char *sentence);
/* shop_layout_picture writes the drawing that stands for a product's photograph: the department's sign, in colours
 * that depend on `seed`. */
void shop_layout_picture(struct shop_output *out, const char *category, int64_t seed);
/* shop_layout_category_link writes a link to a department, with an attribute such as " aria-current=\"page\"". */
void shop_layout_category_link(struct shop_output *out, const char *name, const char *attribute);

/* How the pages of a list follow each other. */
struct shop_paging {
    int64_t page;
    int64_t last;
    const char *address; /* "/category/books?page=", ready for HTML once escaped */
};

/* shop_last_page is how many pages `count` rows fill; at least one. */
int64_t shop_last_page(int64_t count);
void shop_layout_paging(struct shop_output *out, const struct shop_paging *paging);

#endif
