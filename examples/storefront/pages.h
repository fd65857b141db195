/* pages.h - what the shop shows, and its JSON twin. Each function answers one request. */
#ifndef SHOP_PAGES_H
#define SHOP_PAGES_H

#include "request.h"

void shop_page_home(struct shop_request *request);
void shop_page_category(struct shop_request *request);
void shop_page_search(struct shop_request *request);
void shop_page_product(struct shop_request *request);

void shop_page_cart(struct shop_request *request);
void shop_page_cart_add(struct shop_request *request);
void shop_page_checkout(struct shop_request *request);
void shop_page_order(struct shop_request *request);
void shop_page_orders(struct shop_request *request);

void shop_page_topology(struct shop_request *request);
void shop_page_topology_control(struct shop_request *request);
void shop_page_topology_script(struct shop_request *request);
void shop_api_topology(struct shop_request *request);

void shop_page_admin(struct shop_request *request);
void shop_page_admin_product(struct shop_request *request);

void shop_api_home(struct shop_request *request);
void shop_api_category(struct shop_request *request);
void shop_api_search(struct shop_request *request);
void shop_api_product(struct shop_request *request);
void shop_api_admin(struct shop_request *request);

void shop_page_health(struct shop_request *request);
void shop_page_metrics(struct shop_request *request);
void shop_page_style(struct shop_request *request);
void shop_page_icons(struct shop_request *request);
void shop_page_icon(struct shop_request *request);

#endif
