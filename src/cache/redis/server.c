#include "cache/redis/server.h"

#include "base/memory.h"

sdi_redis_server *sdi_redis_server_new(const sdi_address *address, size_t number, const sdi_cache_settings *settings)
{
    sdi_redis_server *server = sdi_calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->number = number;
    server->address = address ? sdi_addresses_copy(address, 1) : NULL;
    size_t connections = settings->connections > 0 ? (size_t)settings->connections : 1;
    if ((address && !server->address) || !sdi_redis_pool_init(&server->pool, connections, settings->busy_poll)) {
        sdi_free(server->address);
        sdi_free(server);
        return NULL;
    }
    sdi_breaker_init(&server->breaker, settings->breaker_failures, settings->breaker_open_ms,
                     settings->breaker_open_max_ms);
    return server;
}

void sdi_redis_server_free(sdi_redis_server *server)
{
    sdi_redis_pool_free(&server->pool);
    sdi_breaker_destroy(&server->breaker);
    sdi_free(server->address);
    sdi_free(server);
}

void sdi_redis_server_abandon(sdi_redis_server *server)
{
    sdi_redis_pool_abandon(&server->pool);
    sdi_free(server->address);
    sdi_free(server);
}
