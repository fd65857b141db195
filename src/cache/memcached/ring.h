/* ring.h - the servers: which key lives where, which server is left alone, and the handles to all of them.
 *
 * libmemcached places the keys (weighted ketama), as any other client that is told the same servers. A server that is
 * down keeps its keys: they fail until it is back. With its ejection and rehash they would move to another server, and
 * back: then the fence that stood there before is found again, older than writes that have returned meanwhile.
 *
 * The requests travel over sockets of our own, as with Redis: doc/rationale.md tells why. */
#ifndef SDI_CACHE_MEMCACHED_RING_H
#define SDI_CACHE_MEMCACHED_RING_H

#include <libmemcached/memcached.h>

#include "base/breaker.h"
#include "base/busy_poll.h"
#include "cache/idle.h"
#include "cache/memcached/handle.h"
#include "cache/memcached/look.h"

enum { SDI_MEMCACHED_PREFIX = 24 };

typedef struct sdi_memcached_ring {
    char prefix[SDI_MEMCACHED_PREFIX]; /* what keys begin with here */
    sdi_address *addresses;
    size_t count;
    int64_t connect_timeout_ms;
    size_t value_max;
    sdi_cache *cache;        /* that it serves: told of trouble */
    memcached_st *continuum; /* has no connections; only read once it is made, so that threads may share it */
    sdi_breaker *breakers;   /* one a server */
    sdi_busy_poll busy_poll; /* of all servers: one round trip is that of the slowest */
    sdi_memcached_handle *handles;
    size_t handle_count;
    sdi_idle idle;
    sdi_memcached_lookout *lookouts; /* one a server */
    size_t users; /* of roster.h, which holds the lock: runs on it, and whether it is freed after the last */
    bool dropped;
} sdi_memcached_ring;

/* sdi_memcached_ring_new: `addresses` are copied. NULL without memory. */
sdi_memcached_ring *sdi_memcached_ring_new(const sdi_cache_settings *settings, const sdi_address *addresses,
                                           size_t count, const char *prefix, sdi_cache *cache);
void sdi_memcached_ring_free(sdi_memcached_ring *ring);
/* sdi_memcached_ring_abandon frees without a lock or a word (a forked child). Of a handle that another thread of the
 * parent was using only the sockets are closed: it may be half changed. */
void sdi_memcached_ring_abandon(sdi_memcached_ring *ring);

/* sdi_memcached_ring_find is the server of a key. */
size_t sdi_memcached_ring_find(const sdi_memcached_ring *ring, sdi_slice key);
/* sdi_memcached_ring_take waits for a handle; NULL when the deadline has passed. */
sdi_memcached_handle *sdi_memcached_ring_take(sdi_memcached_ring *ring, int64_t deadline);
/* sdi_memcached_ring_give counts what went wrong and tells the breakers. `blamed`: the servers had the time that the
 * settings give them; a caller's own short deadline is no fault of theirs. */
void sdi_memcached_ring_give(sdi_memcached_ring *ring, sdi_memcached_handle *handle, bool blamed);
/* sdi_memcached_ring_report does so for one server, that was asked. */
void sdi_memcached_ring_report(sdi_memcached_ring *ring, size_t server, int outcome, bool blamed);
/* sdi_memcached_ring_show tells the metrics how the ring's breakers are. */
void sdi_memcached_ring_show(sdi_memcached_ring *ring);
/* sdi_memcached_ring_alive: one server at least is not known to be in trouble. */
bool sdi_memcached_ring_alive(sdi_memcached_ring *ring, const sdi_memcached_handle *handle);

#endif
