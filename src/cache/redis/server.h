/* server.h - one Redis server: its connections and its circuit breaker. */
#ifndef SDI_CACHE_REDIS_SERVER_H
#define SDI_CACHE_REDIS_SERVER_H

#include "base/breaker.h"
#include "cache/redis/pool.h"

typedef struct sdi_redis_server {
    sdi_address *address; /* NULL: wherever the primary is */
    size_t number;        /* whoever takes connections of several servers takes them in this order */
    bool wanted;          /* by the map that was read last; of a cluster */
    sdi_redis_pool pool;
    sdi_breaker breaker;
    struct sdi_redis_server *next;
} sdi_redis_server;

/* sdi_redis_server_new copies the address; NULL without memory. */
sdi_redis_server *sdi_redis_server_new(const sdi_address *address, size_t number, const sdi_cache_settings *settings);
void sdi_redis_server_free(sdi_redis_server *server);
/* sdi_redis_server_abandon: as sdi_redis_pool_abandon. */
void sdi_redis_server_abandon(sdi_redis_server *server);

#endif
