/* transport.h - how bytes get to a server and back: a socket, plain or under TLS. Nothing here waits but opening, and
 * sdi_redis_transport_await. */
#ifndef SDI_CACHE_REDIS_TRANSPORT_H
#define SDI_CACHE_REDIS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cache/redis/tls.h"

typedef struct sdi_redis_transport {
    int fd;                          /* -1: none */
    struct ssl_st *ssl;              /* NULL: plain */
    short send_waits, receive_waits; /* poll's events before which the next send or receive can do nothing */
    int64_t patience;                /* how long receiving waits by itself, in microseconds; 0: it does not */
} sdi_redis_transport;

/* sdi_redis_transport_open connects and shakes hands; SDI_REDIS_DONE, or a fault with the trouble told. `tls` NULL is
 * plain. */
int sdi_redis_transport_open(sdi_redis_transport *transport, const sdi_address *address, const sdi_redis_tls *tls,
                             int64_t deadline, sdi_redis_trouble *trouble);
/* sdi_redis_transport_close may be called twice. No word to the server: a forked child calls it too. */
void sdi_redis_transport_close(sdi_redis_transport *transport);
/* sdi_redis_transport_send, _receive move bytes: how many, 0 for "wait first", -1 for a connection that is lost, with
 * the trouble told. */
ssize_t sdi_redis_transport_send(sdi_redis_transport *transport, const char *bytes, size_t length,
                                 sdi_redis_trouble *trouble);
ssize_t sdi_redis_transport_receive(sdi_redis_transport *transport, char *bytes, size_t size,
                                    sdi_redis_trouble *trouble);
/* sdi_redis_transport_await is that, but waits for the first bytes: as long as `patience`, no longer. */
ssize_t sdi_redis_transport_await(sdi_redis_transport *transport, char *bytes, size_t size, sdi_redis_trouble *trouble);
/* sdi_redis_transport_is_quiet: open, and nothing has come that nobody asked for. */
bool sdi_redis_transport_is_quiet(sdi_redis_transport *transport);

#endif
