#include "cart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "input.h"

/* The cookie: VISITOR.12x1-40x3.TIME.MAC. Every character may stand in a cookie as it is. */

static const char purpose[] = "cart";

static struct shop_line *find(const struct shop_cart *cart, int64_t product_id)
{
    for (size_t i = 0; i < cart->count; i++) {
        if (cart->lines[i].product_id == product_id)
            return (struct shop_line *)&cart->lines[i];
    }
    return NULL;
}

/* Reads "12x1" and steps behind it. */
static bool read_line(char **at, struct shop_cart *cart)
{
    struct shop_line line;
    char *quantity, *end = *at + strcspn(*at, "-");
    bool is_last = !*end;
    *end = '\0';
    quantity = strchr(*at, 'x');
    if (!quantity)
        return false;
    *quantity++ = '\0';
    bool good = shop_parse_id(*at, &line.product_id) &&
                shop_parse_number(quantity, 1, SHOP_QUANTITY_MAX, &line.quantity) && !find(cart, line.product_id) &&
                shop_cart_set(cart, line.product_id, line.quantity);
    *at = is_last ? end : end + 1;
    return good;
}

static bool read_signed(const struct shop_keys *keys, char *text, struct shop_cart *cart)
{
    char *lines = strchr(text, '.'), *seal = lines ? strchr(lines + 1, '.') : NULL;
    if (!seal)
        return false;
    *seal = '\0';
    if (!shop_seal_holds(keys, purpose, text, seal + 1, (int64_t)SHOP_CART_DAYS * 24 * 3600))
        return false;
    *lines++ = '\0';
    if (!shop_is_nonce(text, strlen(text)))
        return false;
    memcpy(cart->visitor, text, sizeof cart->visitor);
    while (*lines) {
        if (!read_line(&lines, cart))
            return false;
    }
    return true;
}

void shop_cart_read(const struct shop_keys *keys, const char *cookie, struct shop_cart *cart)
{
    char text[SHOP_CART_SIZE];
    *cart = (struct shop_cart){0};
    if (!cookie)
        return;
    size_t length = strlen(cookie);
    if (length < sizeof text) {
        memcpy(text, cookie, length + 1);
        if (read_signed(keys, text, cart))
            return;
    }
    *cart = (struct shop_cart){.was_refused = true};
}

void shop_cart_write(const struct shop_keys *keys, const struct shop_cart *cart, char cookie[SHOP_CART_SIZE])
{
    char seal[SHOP_SEAL_SIZE];
    int length = snprintf(cookie, SHOP_CART_SIZE, "%s.", cart->visitor);
    for (size_t i = 0; i < cart->count; i++)
        length += snprintf(cookie + length, SHOP_CART_SIZE - (size_t)length, "%s%" PRId64 "x%" PRId64, i ? "-" : "",
                           cart->lines[i].product_id, cart->lines[i].quantity);
    shop_seal(keys, purpose, cookie, seal);
    snprintf(cookie + length, SHOP_CART_SIZE - (size_t)length, ".%s", seal);
}

int64_t shop_cart_quantity(const struct shop_cart *cart, int64_t product_id)
{
    const struct shop_line *line = find(cart, product_id);
    return line ? line->quantity : 0;
}

static void take_out(struct shop_cart *cart, const struct shop_line *line)
{
    size_t at = (size_t)(line - cart->lines);
    cart->count--;
    memmove(&cart->lines[at], &cart->lines[at + 1], (cart->count - at) * sizeof *line);
}

bool shop_cart_set(struct shop_cart *cart, int64_t product_id, int64_t quantity)
{
    struct shop_line *line = find(cart, product_id);
    if (quantity > SHOP_QUANTITY_MAX || (!line && quantity > 0 && cart->count == SHOP_CART_LINES))
        return false;
    if (line && quantity > 0)
        line->quantity = quantity;
    else if (line)
        take_out(cart, line);
    else if (quantity > 0)
        cart->lines[cart->count++] = (struct shop_line){product_id, quantity};
    return true;
}

int64_t shop_cart_pieces(const struct shop_cart *cart)
{
    int64_t pieces = 0;
    for (size_t i = 0; i < cart->count; i++)
        pieces += cart->lines[i].quantity;
    return pieces;
}
