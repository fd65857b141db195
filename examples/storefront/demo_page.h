/* demo_page.h - the demo's part of /topology. */
#ifndef SHOP_DEMO_PAGE_H
#define SHOP_DEMO_PAGE_H

#include "request.h"

/* shop_demo_controls writes the buttons. The visitor must have his cookie: their forms have tokens. */
void shop_demo_controls(struct shop_request *request);

#endif
