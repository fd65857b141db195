/* control.h - for the demo only: asks the launcher of its servers to break and mend them. */
#ifndef SHOP_CONTROL_H
#define SHOP_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

enum { SHOP_SERVERS_MAX = 16, SHOP_SERVER_NAME_SIZE = 32, SHOP_ANSWER_SIZE = 4096 };

struct shop_server_state {
    char name[SHOP_SERVER_NAME_SIZE];
    char kind[SHOP_SERVER_NAME_SIZE];  /* "postgres", or a cache */
    char state[SHOP_SERVER_NAME_SIZE]; /* "running", "stopped", "paused"... */
    char role[SHOP_SERVER_NAME_SIZE];
};

/* shop_control_servers lists the launcher's servers; how many, 0 if it does not answer. */
size_t shop_control_servers(const char *control, struct shop_server_state servers[SHOP_SERVERS_MAX]);
/* shop_control does what a button says. False with a sentence if that is no button of ours, or the launcher could not.
 */
bool shop_control(const char *control, const char *verb, const char *server, char complaint[SHOP_ANSWER_SIZE]);

#endif
