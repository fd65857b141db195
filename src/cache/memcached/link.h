/* link.h - one connection to one server: a non-blocking socket that many are polled with. Nothing here waits. */
#ifndef SDI_CACHE_MEMCACHED_LINK_H
#define SDI_CACHE_MEMCACHED_LINK_H

#include "base/buffer.h"
#include "cache/backend.h"
#include "cache/memcached/wire.h"
#include "model/address.h"

/* How a link stands: an sdi_cache_fault, or one of these. */
enum { SDI_MEMCACHED_DONE = SDI_CACHE_FAULTS, SDI_MEMCACHED_NO_MEMORY };

typedef struct sdi_memcached_link {
    int fd;                      /* -1: none */
    struct addrinfo *found, *at; /* while connecting: the addresses of the name, and the next one to try */
    bool connecting;
    bool asked; /* since it was reset; the breaker was asked for leave then */
    bool shut;  /* no leave was given */
    bool used;  /* it has answered before */
    bool heard; /* something of what waits has been answered */
    bool once;  /* what waits must not be sent a second time */
    int outcome;
    int64_t connect_by; /* while connecting */
    int64_t patience;   /* how long receiving waits by itself, in microseconds; 0: it does not */
    int64_t answered;   /* when it last had no more to wait for */
    size_t sent;        /* of `out` */
    sdi_buffer out, in;
    sdi_memcached_request *waiting, **last; /* requests not answered yet */
    sdi_memcached_request
        *expected; /* of those asked in one command, whose value should come next; NULL: the first's */
} sdi_memcached_link;

void sdi_memcached_link_init(sdi_memcached_link *link);
/* sdi_memcached_link_close may be called twice. What waits is forgotten. */
void sdi_memcached_link_close(sdi_memcached_link *link);
/* sdi_memcached_link_ask puts a request behind those that wait. */
void sdi_memcached_link_ask(sdi_memcached_link *link, sdi_memcached_request *request);
/* sdi_memcached_link_begin makes sure that there is a connection, or one on its way, and sends what goes at once. (The
 * resolver keeps its own time limit; an address in numbers needs none.) */
void sdi_memcached_link_begin(sdi_memcached_link *link, const sdi_address *address, int64_t connect_by);
/* sdi_memcached_link_events is what poll(2) shall wait for; 0: nothing waits. */
short sdi_memcached_link_events(const sdi_memcached_link *link);
/* sdi_memcached_link_advance sends and reads what goes without waiting. */
void sdi_memcached_link_advance(sdi_memcached_link *link, const sdi_address *address, size_t value_max);
/* sdi_memcached_link_await is that for one that has sent all and only waits for answers (events are POLLIN), and waits
 * for the first of them: as long as its `patience`, no longer. */
void sdi_memcached_link_await(sdi_memcached_link *link, const sdi_address *address, size_t value_max);
/* sdi_memcached_link_fail gives up what waits: the link is closed, so that no late answer is taken for another's. */
void sdi_memcached_link_fail(sdi_memcached_link *link, int outcome);

#endif
