/* server.h - one Redis server: its connections, shared by all threads, and its circuit breaker. */
#ifndef SDI_CACHE_REDIS_SERVER_H
#define SDI_CACHE_REDIS_SERVER_H

#include "base/breaker.h"
#include "base/combine.h"
#include "cache/redis/lane.h"
#include "cache/redis/primary.h"

typedef struct sdi_redis_server {
    sdi_redis_access access;
    sdi_redis_primary *primary; /* NULL: not wherever the primary is, but at `address` */
    sdi_address *address;
    bool wanted; /* by the map that was read last; of a cluster */
    sdi_redis_lane *lanes;
    size_t lane_count;
    sdi_combiner combiner;
    sdi_busy_poll busy_poll;
    sdi_breaker breaker;
    sdi_mutex mutex; /* of `name` */
    char name[96];   /* who was connected to last, for messages */
    struct sdi_redis_server *next;
} sdi_redis_server;

/* sdi_redis_server_new copies the address, which is NULL where `primary` is not; NULL without memory. */
sdi_redis_server *sdi_redis_server_new(sdi_redis_access access, sdi_redis_primary *primary, const sdi_address *address);
void sdi_redis_server_free(sdi_redis_server *server);
/* sdi_redis_server_abandon closes without a lock or a word (a forked child). What another thread of the parent was
 * using may be half changed: its memory is left behind. */
void sdi_redis_server_abandon(sdi_redis_server *server);
/* sdi_redis_server_drain disconnects what is idle. */
void sdi_redis_server_drain(sdi_redis_server *server);
void sdi_redis_server_named(sdi_redis_server *server, const char *name);
/* sdi_redis_server_tell tells of trouble with it, and returns the outcome. */
int sdi_redis_server_tell(sdi_redis_server *server, sdi_redis_trouble *trouble, int outcome, const char *text);

#endif
