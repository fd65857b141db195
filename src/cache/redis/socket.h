/* socket.h - connecting, and waiting for a socket, never longer than the deadline. */
#ifndef SDI_CACHE_REDIS_SOCKET_H
#define SDI_CACHE_REDIS_SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/redis/outcome.h"
#include "model/address.h"

/* sdi_redis_socket_open connects; the socket, or -1 with the trouble told. The name is resolved anew each time: a
 * fail-over moves it. (The resolver keeps its own time limit; an address in numbers needs none.) */
int sdi_redis_socket_open(const sdi_address *address, int64_t deadline, sdi_redis_trouble *trouble);
/* sdi_redis_socket_wait waits for poll's events; false when the deadline has passed. */
bool sdi_redis_socket_wait(int fd, short events, int64_t deadline);

#endif
