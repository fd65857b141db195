/* fields.h - reads the one shape of JSON that the shop takes: {"price": "19.99", "stock": 3}. */
#ifndef SHOP_FIELDS_H
#define SHOP_FIELDS_H

#include <stdbool.h>

enum { SHOP_FIELD_SIZE = 32 };

struct shop_fields {
    char price[SHOP_FIELD_SIZE]; /* "" if missing */
    char stock[SHOP_FIELD_SIZE];
};

/* shop_read_fields is false for anything that is not a flat object of these two members. A value may be a string or a
 * number; its text is kept as it is, because a price that went through a float would not be the price any more. */
bool shop_read_fields(const char *json, struct shop_fields *fields);

#endif
