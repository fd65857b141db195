/* statements.h - the SQL that the shop's pages ask. Nothing here says what may be cached or what a write makes stale:
 * the library sees it in the SQL. */
#ifndef LOAD_STATEMENTS_H
#define LOAD_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>

enum load_statement {
    LOAD_PRODUCT,
    LOAD_CATEGORIES,
    LOAD_NEW_PRODUCTS,
    LOAD_BEST_SELLERS,
    LOAD_SEARCH,
    LOAD_CUSTOMER,
    LOAD_CART,
    LOAD_NEWEST_ORDER,
    LOAD_ORDER_LINES,
    LOAD_CART_ADD,
    LOAD_CART_EMPTY,
    LOAD_LOGIN,
    LOAD_NEW_ORDER,
    LOAD_NEW_LINE,
    LOAD_TAKE_STOCK,
    LOAD_REPRICE,
    LOAD_COMMIT, /* no SQL of its own: shopdata_commit */
    LOAD_STATEMENTS
};

/* Rows that carry a version, which a write counts up. */
enum load_versioned { LOAD_UNVERSIONED, LOAD_PRODUCTS, LOAD_CUSTOMERS, LOAD_CARTS, LOAD_VERSIONED };

typedef struct load_sql {
    const char *name, *policy, *sql; /* NULL: see LOAD_COMMIT */
    /* Of which table column 0 of the answer is the key and column 1 the version. */
    enum load_versioned versioned;
    bool writes;
} load_sql;

extern const load_sql load_sql_table[LOAD_STATEMENTS];

#endif
