/* cart.h - what a visitor wants to buy. The shop keeps nothing of it: the cart travels in a signed cookie, with a
 * random number that stands for the visitor. Prices are not in it: they are read anew each time. */
#ifndef SHOP_CART_H
#define SHOP_CART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sign.h"

enum { SHOP_CART_LINES = 20, SHOP_QUANTITY_MAX = 99, SHOP_CART_SIZE = 512, SHOP_CART_DAYS = 30 };

struct shop_line {
    int64_t product_id;
    int64_t quantity;
};

struct shop_cart {
    char visitor[SHOP_NONCE_SIZE]; /* "": nobody yet, there was no cookie */
    bool was_refused;              /* there was one, but it had been changed, or had expired */
    size_t count;
    struct shop_line lines[SHOP_CART_LINES];
};

/* shop_cart_read takes the cookie's value (NULL: there is none). A cart that is not exactly as we signed it is empty.
 */
void shop_cart_read(const struct shop_keys *keys, const char *cookie, struct shop_cart *cart);
/* shop_cart_write makes the cookie's value. */
void shop_cart_write(const struct shop_keys *keys, const struct shop_cart *cart, char cookie[SHOP_CART_SIZE]);

/* shop_cart_quantity is how many of a product are in the cart. */
int64_t shop_cart_quantity(const struct shop_cart *cart, int64_t product_id);
/* shop_cart_set puts so many of a product into the cart, 0 takes it out. False if the cart has no room for another
 * product, or the quantity is more than SHOP_QUANTITY_MAX. */
bool shop_cart_set(struct shop_cart *cart, int64_t product_id, int64_t quantity);
/* shop_cart_pieces is how many pieces are in it. */
int64_t shop_cart_pieces(const struct shop_cart *cart);

#endif
