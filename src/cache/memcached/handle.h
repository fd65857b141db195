/* handle.h - a link to each server, used by one thread at a time: requests to all of them share one round trip. */
#ifndef SDI_CACHE_MEMCACHED_HANDLE_H
#define SDI_CACHE_MEMCACHED_HANDLE_H

#include "cache/memcached/link.h"

struct sdi_memcached_ring;

typedef struct sdi_memcached_handle {
    struct sdi_memcached_ring *ring;
    sdi_memcached_link *links; /* one a server */
    struct pollfd *polled;
    bool busy;
} sdi_memcached_handle;

bool sdi_memcached_handle_init(sdi_memcached_handle *handle, struct sdi_memcached_ring *ring);
/* sdi_memcached_handle_free accepts a zeroed one. It says nothing to the servers. */
void sdi_memcached_handle_free(sdi_memcached_handle *handle);

/* sdi_memcached_exchange sends the requests and reads their answers, in one round trip to all servers side by side.
 * Servers whose breaker is open, and those that failed since the handle was taken, are not asked: their requests stay
 * without an answer, as do those that are not answered by the deadline. */
void sdi_memcached_exchange(sdi_memcached_handle *handle, sdi_memcached_request *requests, size_t count,
                            int64_t deadline);

#endif
