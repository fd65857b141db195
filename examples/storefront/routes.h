/* routes.h - which function answers which address. */
#ifndef SHOP_ROUTES_H
#define SHOP_ROUTES_H

#include "request.h"

/* shop_route answers a request, whatever it is. */
void shop_route(struct shop_request *request);

#endif
