/* buyer.h - who orders, and where to: the form's fields, checked. Also the numbers by which people know orders. */
#ifndef SHOP_BUYER_H
#define SHOP_BUYER_H

#include <stdbool.h>

enum { SHOP_BUYER_NAME_MAX = 100, SHOP_ADDRESS_MAX = 500 }; /* characters, of up to four bytes each */
enum {
    SHOP_BUYER_NAME_SIZE = 4 * SHOP_BUYER_NAME_MAX + 1,
    SHOP_EMAIL_SIZE = 255,
    SHOP_ADDRESS_SIZE = 4 * SHOP_ADDRESS_MAX + 1,
    SHOP_ORDER_NUMBER_SIZE = 13,
};

struct shop_buyer {
    char name[SHOP_BUYER_NAME_SIZE];
    char email[SHOP_EMAIL_SIZE]; /* in lower case: it is compared */
    char address[SHOP_ADDRESS_SIZE];
};

/* shop_check_buyer checks what was typed. NULL if it is right (blanks around it are forgiven), else a sentence for the
 * visitor. */
const char *shop_check_buyer(const char *name, const char *email, const char *address, struct shop_buyer *buyer);
/* shop_read_email is false if it is no e-mail address. */
bool shop_read_email(const char *text, char email[SHOP_EMAIL_SIZE]);

/* shop_order_number draws a number such as F-7K3M-92QX. It cannot be guessed, and has no letter that is mistaken for a
 * digit. False if there is no randomness. */
bool shop_order_number(char number[SHOP_ORDER_NUMBER_SIZE]);
/* shop_read_order_number reads one as people type it: in any case, with or without the hyphens. */
bool shop_read_order_number(const char *text, char number[SHOP_ORDER_NUMBER_SIZE]);

#endif
