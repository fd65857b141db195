/* statements.h - every statement that the shop asks, in one table. */
#ifndef SHOP_STATEMENTS_H
#define SHOP_STATEMENTS_H

enum shop_statement {
    SHOP_SQL_MENU,
    SHOP_SQL_FEATURED,
    SHOP_SQL_PRODUCT,
    SHOP_SQL_RELATED,
    SHOP_SQL_CATEGORY,
    SHOP_SQL_CATEGORY_PRODUCTS,
    SHOP_SQL_FOUND_COUNT,
    SHOP_SQL_FOUND_PRODUCTS,
    SHOP_SQL_SEARCH_SHELVES,
    SHOP_SQL_SEARCH_BY_RANK, /* from here in the order of enum shop_sort */
    SHOP_SQL_SEARCH_BY_PRICE,
    SHOP_SQL_SEARCH_BY_PRICE_DOWN,
    SHOP_SQL_SEARCH_BY_NAME,
    SHOP_SQL_SAVE,
    SHOP_SQL_ORDER,
    SHOP_SQL_ORDER_LINES,
    SHOP_SQL_ORDERS,
    SHOP_SQL_ORDERED_BEFORE,
    SHOP_SQL_NEW_ORDER,
    SHOP_SQL_NEW_LINE,
    SHOP_SQL_TAKE,
    SHOP_STATEMENTS,
};

/* Where a policy is not in the configuration, shop.c sets one. */
extern const struct shop_sql {
    const char *policy;
    const char *text;
} shop_sql[SHOP_STATEMENTS];

#endif
