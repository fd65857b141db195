/* interactions.h - what a click of a visitor makes a shop ask: the fourteen of TPC-W, and two single statements. */
#ifndef LOAD_INTERACTIONS_H
#define LOAD_INTERACTIONS_H

#include <stdbool.h>

/* load_interaction_table has their names and what they do; a mix, how often each is. */
enum load_interaction {
    LOAD_HOME,
    LOAD_NEW_PRODUCTS_PAGE,
    LOAD_BEST_SELLERS_PAGE,
    LOAD_PRODUCT_DETAIL,
    LOAD_SEARCH_REQUEST,
    LOAD_SEARCH_RESULTS,
    LOAD_SHOPPING_CART,
    LOAD_CUSTOMER_REGISTRATION,
    LOAD_BUY_REQUEST,
    LOAD_BUY_CONFIRM,
    LOAD_ORDER_INQUIRY,
    LOAD_ORDER_DISPLAY,
    LOAD_ADMIN_REQUEST,
    LOAD_ADMIN_CONFIRM,
    LOAD_POINT,
    LOAD_WRITE,
    LOAD_INTERACTIONS
};

struct load_visit;

typedef struct load_interaction_kind {
    const char *name;
    bool (*run)(struct load_visit *visit); /* false: it failed, and that is counted */
    bool writes;
} load_interaction_kind;

extern const load_interaction_kind load_interaction_table[LOAD_INTERACTIONS];

#endif
