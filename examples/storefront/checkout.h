/* checkout.h - turns a cart into an order: one transaction that takes all of it from the stock, or nothing. */
#ifndef SHOP_CHECKOUT_H
#define SHOP_CHECKOUT_H

#include "buyer.h"
#include "cart.h"
#include "shop.h"

struct shop_purchase {
    const char *token;      /* of the form: who presses its button twice orders once */
    struct shop_cart *cart; /* shop_check_out sorts its lines */
    const struct shop_buyer *buyer;
    int64_t cents; /* the total that the buyer was shown */
};

enum shop_outcome {
    SHOP_ORDERED,
    SHOP_ORDERED_BEFORE, /* with this token: the order is that one */
    SHOP_NOTHING_WANTED, /* the cart is empty */
    SHOP_SOLD_OUT,       /* of some lines there are fewer left; nothing was taken */
    SHOP_PRICES_CHANGED, /* the total is another by now; nothing was taken */
    SHOP_NOT_ORDERED,    /* the database did not do it: `error` says why; nothing was taken */
    SHOP_IN_DOUBT,       /* the connection was lost while committing, and nobody could be asked since */
};

struct shop_receipt {
    enum shop_outcome outcome;
    char number[SHOP_ORDER_NUMBER_SIZE];
    bool is_late;      /* the shared cache could not be told yet: SHOPDATA_UNFENCED */
    bool was_in_doubt; /* the connection was lost while committing; the order was looked up, and it stands */
    bool is_short[SHOP_CART_LINES]; /* the cart's lines of which there are fewer left */
    shopdata_error *error;
};

/* shop_check_out orders. Free receipt->error. */
void shop_check_out(struct shop *shop, const struct shop_purchase *purchase, struct shop_receipt *receipt);

#endif
