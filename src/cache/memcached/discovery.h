/* discovery.h - asking ElastiCache's configuration endpoint which servers there are, now and then.
 *
 * There is no thread for it: of those who use the cache when it is due, one asks, and the others go on. Where the
 * endpoint does not answer, one of the servers is asked: they know the list too. */
#ifndef SDI_CACHE_MEMCACHED_DISCOVERY_H
#define SDI_CACHE_MEMCACHED_DISCOVERY_H

#include "cache/memcached/cluster.h"
#include "cache/memcached/gather.h"
#include "cache/memcached/roster.h"

typedef struct sdi_memcached_discovery {
    sdi_cache_settings settings; /* of the rings; its texts are not used */
    sdi_address *endpoint;
    char *mark;       /* the key of the mark (roster.h) */
    sdi_cache *cache; /* told of trouble */
    sdi_memcached_roster *roster;
    sdi_gather *gather;
    sdi_mutex lock;
    bool asking;
    int64_t due;
} sdi_memcached_discovery;

/* sdi_memcached_discovery_init: false without memory. */
bool sdi_memcached_discovery_init(sdi_memcached_discovery *discovery, const sdi_cache_settings *settings,
                                  sdi_cache *cache, sdi_memcached_roster *roster, sdi_gather *gather);
void sdi_memcached_discovery_free(sdi_memcached_discovery *discovery);
/* sdi_memcached_discovery_abandon is that in a forked child. */
void sdi_memcached_discovery_abandon(sdi_memcached_discovery *discovery);

/* sdi_memcached_discovery_refresh asks if it is due and nobody else does, until the deadline at the latest. */
void sdi_memcached_discovery_refresh(sdi_memcached_discovery *discovery, int64_t deadline);

#endif
