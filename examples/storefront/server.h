/* server.h - HTTP for the shop: a few threads that all listen on one port, and none of which waits for a page. */
#ifndef SHOP_SERVER_H
#define SHOP_SERVER_H

#include "shop.h"

struct shop_server;

/* shop_server_listen opens a port of the loopback device (0: any that is free). The socket, or -1 with errno. */
int shop_server_listen(int port);
/* shop_server_port is the port that the socket got. */
int shop_server_port(int listener);

/* shop_server_start serves on `listener`, which is the server's from then on. NULL if that cannot be. */
struct shop_server *shop_server_start(struct shop *shop, int listener, int threads);
/* shop_server_requests is how many requests were answered so far. */
unsigned long long shop_server_requests(struct shop_server *server);
/* shop_server_stop ends the workers after what each is at. */
void shop_server_stop(struct shop_server *server);

#endif
