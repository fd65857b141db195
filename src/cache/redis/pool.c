#include "cache/redis/pool.h"

#include <unistd.h>

#include "base/memory.h"

bool sdi_redis_pool_init(sdi_redis_pool *pool, size_t size, bool busy_poll)
{
    *pool = (sdi_redis_pool){.connections = sdi_calloc(size, sizeof *pool->connections), .size = size};
    if (!pool->connections || !sdi_idle_init(&pool->idle, size)) {
        sdi_free(pool->connections);
        return false;
    }
    sdi_busy_poll_init(&pool->busy_poll, busy_poll);
    for (size_t i = 0; i < size; i++) {
        pool->connections[i].transport.fd = -1;
        pool->connections[i].busy_poll = &pool->busy_poll;
        sdi_idle_give(&pool->idle, &pool->connections[i], true);
    }
    return true;
}

void sdi_redis_pool_free(sdi_redis_pool *pool)
{
    for (size_t i = 0; i < pool->size; i++)
        sdi_redis_disconnect(&pool->connections[i]);
    sdi_free(pool->connections);
    sdi_idle_free(&pool->idle);
}

sdi_redis_connection *sdi_redis_pool_take(sdi_redis_pool *pool, int64_t deadline)
{
    sdi_redis_connection *connection = sdi_idle_take(&pool->idle, deadline);
    if (connection)
        connection->busy = true;
    return connection;
}

void sdi_redis_pool_give(sdi_redis_pool *pool, sdi_redis_connection *connection)
{
    connection->busy = false;
    sdi_idle_give(&pool->idle, connection, connection->transport.fd < 0);
}

void sdi_redis_pool_drain(sdi_redis_pool *pool)
{
    sdi_lock(&pool->idle.mutex);
    for (size_t i = 0; i < pool->idle.count; i++)
        sdi_redis_disconnect(pool->idle.stack[i]);
    sdi_unlock(&pool->idle.mutex);
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
    sdi_idle_abandon(&pool->idle);
}
