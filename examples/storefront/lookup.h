/* lookup.h - what a page and its JSON twin have in common: read the address, ask, answer what is not there. Each
 * returns false if it has answered the request already. What is in request->batch before is asked along. */
#ifndef SHOP_LOOKUP_H
#define SHOP_LOOKUP_H

#include "request.h"

struct shop_list {
    const shopdata_result *products; /* the page's */
    int64_t count;                   /* of all pages */
    int64_t page;
    int64_t last;
};

struct shop_found {
    struct shop_search search;
    struct shop_list list;
    const shopdata_result *shelves; /* departments that have some: name, how many */
};

/* The visitor's cart with what its products are and cost now. */
struct shop_basket {
    const shopdata_result *products[SHOP_CART_LINES]; /* one row each; none if the product is gone */
    int64_t cents;                                    /* all of it */
    bool is_short;                                    /* of some product there are fewer left */
};

struct shop_item {
    const shopdata_result *product;
    const shopdata_result *related; /* NULL if not asked for */
};

/* shop_look_up asks what is in the batch. */
bool shop_look_up(struct shop_request *request);
/* shop_look_up_home gets the menu of departments and what stands in the window, as numbers of the batch's results. */
bool shop_look_up_home(struct shop_request *request, size_t *menu, size_t *featured);
/* shop_look_up_category lists the department that the path names, and the page that ?page= names. */
bool shop_look_up_category(struct shop_request *request, struct shop_list *list);
/* shop_look_up_found lists the products whose name holds `search`; all for "". */
bool shop_look_up_found(struct shop_request *request, const char *search, struct shop_list *list);
/* shop_look_up_search finds what ?q= asks for, in the department ?in= and the order ?sort=. */
bool shop_look_up_search(struct shop_request *request, struct shop_found *found);
/* shop_look_up_product gets the product whose number ends the path. */
bool shop_look_up_product(struct shop_request *request, bool with_related, struct shop_item *item);
/* shop_look_up_cart reads all products of request->cart in one call. */
bool shop_look_up_cart(struct shop_request *request, struct shop_basket *basket);
/* shop_line_cents is what one line costs; 0 if its product is gone. */
int64_t shop_line_cents(const shopdata_result *product, int64_t quantity);
/* shop_save_edit writes an edit of a product; false if the product is not there, or the database did not write. */
bool shop_save_edit(struct shop_request *request, const struct shop_edit *edit, bool *late_out);

#endif
