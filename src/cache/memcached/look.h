/* look.h - GETs of many threads share round trips: each server has a combiner (base/combine.h) over a few connections.
 * What writes goes by handles of its own: a merge waits for what stands, and must not keep the readers waiting. */
#ifndef SDI_CACHE_MEMCACHED_LOOK_H
#define SDI_CACHE_MEMCACHED_LOOK_H

#include "base/busy_poll.h"
#include "base/combine.h"
#include "cache/memcached/link.h"

struct sdi_memcached_ring;

typedef struct sdi_memcached_lane {
    struct sdi_memcached_lookout *of;
    sdi_memcached_link link;
    int64_t begun; /* its batch */
    bool looked;   /* for the answers, before sleeping until they come */
} sdi_memcached_lane;

/* Of one server. */
typedef struct sdi_memcached_lookout {
    struct sdi_memcached_ring *ring;
    size_t number; /* the server's */
    sdi_busy_poll busy_poll;
    sdi_memcached_lane *lanes;
    size_t lane_count;
    sdi_combiner combiner;
} sdi_memcached_lookout;

bool sdi_memcached_lookout_init(sdi_memcached_lookout *lookout, struct sdi_memcached_ring *ring, size_t number,
                                size_t connections, bool busy_poll);
/* These accept a zeroed one. sdi_memcached_lookout_abandon is for a forked child. */
void sdi_memcached_lookout_free(sdi_memcached_lookout *lookout);
void sdi_memcached_lookout_abandon(sdi_memcached_lookout *lookout);

/* sdi_memcached_look asks for all requests, which are GETs, in one round trip to all servers side by side, until the
 * deadline. What a server does not answer, or is not asked because its breaker is open, stays without an answer. False
 * if no server is known to be well. `blamed`: see ring.h. */
bool sdi_memcached_look(struct sdi_memcached_ring *ring, sdi_memcached_request *requests, size_t count,
                        int64_t deadline, bool blamed);

#endif
