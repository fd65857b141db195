/* visit.h - the visitor: his cookie, and the tokens that tie our forms to it. */
#ifndef SHOP_VISIT_H
#define SHOP_VISIT_H

#include "request.h"

/* shop_visit_load reads the cookie into request->cart. */
void shop_visit_load(struct shop_request *request);
/* shop_visit_keep sends request->cart as the cookie; a visitor without a number gets one. False if it has answered the
 * request already. */
bool shop_visit_keep(struct shop_request *request);

/* shop_visit_token writes a hidden field that only a page made for this visitor has. It holds for a day, and its number
 * is another each time: `nonce` NULL draws one. */
void shop_visit_token(struct shop_request *request, const char *nonce);
/* shop_visit_is_ours is true if the posted form has such a token, whose number it gives; false if it has answered. */
bool shop_visit_is_ours(struct shop_request *request, char nonce[SHOP_NONCE_SIZE]);

#endif
