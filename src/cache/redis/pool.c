#include "cache/redis/pool.h"

#include <unistd.h>

#include "base/memory.h"

bool sdi_redis_pool_init(sdi_redis_pool *pool, size_t size)
{
    *pool = (sdi_redis_pool){
        .connections = sdi_calloc(size, sizeof *pool->connections),
        .idle = sdi_calloc(size, sizeof *pool->idle),
        .size = size,
        .idle_count = size,
    };
    sdi_mutex_init(&pool->mutex);
    sdi_condition_init(&pool->freed);
    if (!pool->connections || !pool->idle) {
        pool->size = 0;
        sdi_redis_pool_free(pool);
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        pool->connections[i].transport.fd = -1;
        pool->idle[i] = &pool->connections[i];
    }
    return true;
}

void sdi_redis_pool_free(sdi_redis_pool *pool)
{
    for (size_t i = 0; i < pool->size; i++)
        sdi_redis_disconnect(&pool->connections[i]);
    sdi_free(pool->connections);
    sdi_free(pool->idle);
    sdi_mutex_destroy(&pool->mutex);
    sdi_condition_destroy(&pool->freed);
}

sdi_redis_connection *sdi_redis_pool_take(sdi_redis_pool *pool, int64_t deadline)
{
    sdi_redis_connection *connection = NULL;
    sdi_lock(&pool->mutex);
    while (pool->idle_count == 0 && sdi_wait(&pool->freed, &pool->mutex, deadline))
        continue;
    if (pool->idle_count > 0) {
        connection = pool->idle[--pool->idle_count];
        connection->busy = true;
    }
    sdi_unlock(&pool->mutex);
    return connection;
}

/* One that lost its server goes to the bottom: those that are connected are used first. */
void sdi_redis_pool_give(sdi_redis_pool *pool, sdi_redis_connection *connection)
{
    sdi_lock(&pool->mutex);
    connection->busy = false;
    pool->idle[pool->idle_count++] = connection;
    if (connection->transport.fd < 0) {
        pool->idle[pool->idle_count - 1] = pool->idle[0];
        pool->idle[0] = connection;
    }
    sdi_wake_one(&pool->freed);
    sdi_unlock(&pool->mutex);
}

void sdi_redis_pool_abandon(sdi_redis_pool *pool)
{
    for (size_t i = 0; i < pool->size; i++) {
        sdi_redis_connection *connection = &pool->connections[i];
        if (!connection->busy)
            sdi_redis_disconnect(connection);
        else if (connection->transport.fd >= 0)
            close(connection->transport.fd);
    }
    sdi_free(pool->connections);
    sdi_free(pool->idle);
}
