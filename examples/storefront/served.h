/* served.h - who answered and how fast, for the foot of a page and for its JSON twin. */
#ifndef SHOP_SERVED_H
#define SHOP_SERVED_H

#include <event2/buffer.h>

#include "format.h"
#include "shop.h"

void shop_served_html(struct shop_output *out, const struct shop_batch *batch);
/* shop_served_json writes the member "served" of an answer. */
void shop_served_json(struct shop_output *out, const struct shop_batch *batch);

#endif
