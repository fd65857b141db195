/* pool.h - so many connections, shared by all threads. */
#ifndef SDI_CACHE_REDIS_POOL_H
#define SDI_CACHE_REDIS_POOL_H

#include "cache/idle.h"
#include "cache/redis/connection.h"

typedef struct sdi_redis_pool {
    sdi_redis_connection *connections;
    size_t size;
    sdi_idle idle; /* connected ones go first */
    sdi_busy_poll busy_poll;
} sdi_redis_pool;

bool sdi_redis_pool_init(sdi_redis_pool *pool, size_t size, bool busy_poll);
void sdi_redis_pool_free(sdi_redis_pool *pool);
/* sdi_redis_pool_take waits for a connection, which need not be connected (fd -1); NULL when the deadline has passed.
 */
sdi_redis_connection *sdi_redis_pool_take(sdi_redis_pool *pool, int64_t deadline);
void sdi_redis_pool_give(sdi_redis_pool *pool, sdi_redis_connection *connection);
/* sdi_redis_pool_drain disconnects what is idle. */
void sdi_redis_pool_drain(sdi_redis_pool *pool);
/* sdi_redis_pool_abandon closes without a lock or a word (a forked child). What another thread of the parent was using
 * may be half changed: its memory is left behind. */
void sdi_redis_pool_abandon(sdi_redis_pool *pool);

#endif
