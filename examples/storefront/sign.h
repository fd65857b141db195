/* sign.h - what leaves the shop and comes back through a visitor's browser, signed (HMAC-SHA256): the cart's cookie,
 * the tokens in forms, the links to orders. A seal tells when it was made, and holds for one purpose only. */
#ifndef SHOP_SIGN_H
#define SHOP_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOP_KEYS_MAX = 8, SHOP_KEY_BYTES = 32, SHOP_SEAL_SIZE = 88, SHOP_NONCE_SIZE = 33 };

/* The first key signs and all verify, so a new one is put in front, and the old one goes when nothing is signed with it
 * any more. */
struct shop_keys {
    size_t count;
    unsigned char bytes[SHOP_KEYS_MAX][SHOP_KEY_BYTES];
};

/* shop_keys_read reads a file with a key a line, 64 hexadecimal digits each (`openssl rand -hex 32`); what begins with
 * "#" is a remark. False with a sentence in `complaint` if it is not right. */
bool shop_keys_read(const char *path, struct shop_keys *keys, char *complaint, size_t size);
/* shop_keys_make draws a key that is forgotten when the program ends. False if there is no randomness. */
bool shop_keys_make(struct shop_keys *keys);

/* shop_seal signs `text`: "TIME.MAC". */
void shop_seal(const struct shop_keys *keys, const char *purpose, const char *text, char seal[SHOP_SEAL_SIZE]);
/* shop_seal_holds is true if `seal` was made by us for this purpose and text, at most `seconds` ago. */
bool shop_seal_holds(const struct shop_keys *keys, const char *purpose, const char *text, const char *seal,
                     int64_t seconds);

/* shop_nonce draws 128 random bits, as hexadecimal digits. */
bool shop_nonce(char nonce[SHOP_NONCE_SIZE]);
/* shop_is_nonce is true for what looks like one. */
bool shop_is_nonce(const char *text, size_t length);

#endif
