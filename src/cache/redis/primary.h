/* primary.h - where the primary is: the address itself, one of several addresses, or what the sentinels say. */
#ifndef SDI_CACHE_REDIS_PRIMARY_H
#define SDI_CACHE_REDIS_PRIMARY_H

#include <stdatomic.h>

#include "cache/redis/connection.h"

typedef struct sdi_redis_primary {
    sdi_redis_access access;
    atomic_size_t first; /* of the settings' addresses, which is tried first */
} sdi_redis_primary;

/* sdi_redis_connect_primary connects to a server that is a primary, whatever it was before. SDI_REDIS_DEMOTED: only
 * replicas were found. */
int sdi_redis_connect_primary(sdi_redis_primary *primary, sdi_redis_connection *connection, int64_t deadline);

#endif
