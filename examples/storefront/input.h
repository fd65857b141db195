/* input.h - what visitors type, checked before it goes anywhere. Prices stay text: a float cannot hold 19.99. */
#ifndef SHOP_INPUT_H
#define SHOP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOP_STOCK_MAX = 1000000, SHOP_PAGE_MAX = 100000, SHOP_PRICE_SIZE = 16, SHOP_WORDS_MAX = 100 };

/* How search results follow each other. */
enum shop_sort { SHOP_BY_RANK, SHOP_BY_PRICE, SHOP_BY_PRICE_DOWN, SHOP_BY_NAME, SHOP_SORTS };

/* An edit of a product that passed the checks. */
struct shop_edit {
    int64_t product_id;
    int64_t stock;
    char price[SHOP_PRICE_SIZE];
};

/* shop_parse_number reads plain digits; false for anything else, and outside of minimum..maximum. */
bool shop_parse_number(const char *text, int64_t minimum, int64_t maximum, int64_t *number_out);
/* shop_trim copies a text without the blanks around it; false if it does not fit. */
bool shop_trim(const char *text, char *copy, size_t size);
/* shop_parse_cents reads a price as PostgreSQL writes a numeric(10,2), "19.99": exactly. */
bool shop_parse_cents(const char *price, int64_t *cents_out);
/* shop_parse_id reads a product number as a column of type int holds it. */
bool shop_parse_id(const char *text, int64_t *id_out);
/* shop_parse_page reads a page number from 1; a missing one (NULL) is 1. */
bool shop_parse_page(const char *text, int64_t *page_out);

/* shop_check_edit checks the two fields of the form. NULL if both are right (blanks around them are forgiven), else a
 * sentence for the visitor. */
const char *shop_check_edit(const char *price, const char *stock, struct shop_edit *edit);

/* shop_parse_sort reads the name of an order of search results; a missing one (NULL) is by rank. */
bool shop_parse_sort(const char *text, enum shop_sort *sort_out);
/* shop_sort_name is what shop_parse_sort reads. */
const char *shop_sort_name(enum shop_sort sort);

/* shop_is_text is true for valid UTF-8: the library refuses anything else, and a visitor's typing is no fault of it. */
bool shop_is_text(const char *text);
/* shop_characters counts the characters of a text; a browser's maxlength does not count bytes either. */
size_t shop_characters(const char *text);

#endif
