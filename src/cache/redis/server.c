#include "cache/redis/server.h"

#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"

enum { LANES = 8 }; /* that pay: with more of them the server is busy before they are */

/* A crowd shares four: its batches are larger then, and cost fewer system calls (doc/rationale.md). */
static const sdi_combine_bounds bounds = {.requests = 64, .bytes = 65536, .few = 4};

static bool make_lanes(sdi_redis_server *server, size_t count)
{
    void **lanes = sdi_calloc(count, sizeof *lanes);
    server->lanes = sdi_calloc(count, sizeof *server->lanes);
    server->lane_count = count;
    for (size_t i = 0; lanes && server->lanes && i < count; i++) {
        lanes[i] = &server->lanes[i];
        server->lanes[i].server = server;
        server->lanes[i].connection.transport.fd = -1;
        server->lanes[i].connection.busy_poll = &server->busy_poll;
    }
    bool made = lanes && server->lanes && sdi_combiner_init(&server->combiner, &sdi_redis_way, lanes, count, &bounds);
    sdi_free(lanes);
    return made;
}

sdi_redis_server *sdi_redis_server_new(sdi_redis_access access, sdi_redis_primary *primary, const sdi_address *address)
{
    const sdi_cache_settings *settings = access.settings;
    sdi_redis_server *server = sdi_calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->access = access;
    server->primary = primary;
    server->address = address ? sdi_addresses_copy(address, 1) : NULL;
    sdi_busy_poll_init(&server->busy_poll, settings->busy_poll);
    size_t lanes = settings->connections < LANES ? (size_t)settings->connections : LANES;
    if ((address && !server->address) || !make_lanes(server, lanes > 0 ? lanes : 1)) {
        sdi_free(server->lanes);
        sdi_free(server->address);
        sdi_free(server);
        return NULL;
    }
    sdi_mutex_init(&server->mutex);
    sdi_breaker_init(&server->breaker, settings->breaker_failures, settings->breaker_open_ms,
                     settings->breaker_open_max_ms);
    return server;
}

static void free_memory(sdi_redis_server *server)
{
    sdi_free(server->lanes);
    sdi_free(server->address);
    sdi_free(server);
}

static void close_lane(void *context)
{
    sdi_redis_lane *lane = context;
    sdi_redis_disconnect(&lane->connection);
    sdi_buffer_free(&lane->role);
}

void sdi_redis_server_free(sdi_redis_server *server)
{
    for (size_t i = 0; i < server->lane_count; i++)
        close_lane(&server->lanes[i]);
    sdi_combiner_free(&server->combiner);
    sdi_breaker_destroy(&server->breaker);
    sdi_mutex_destroy(&server->mutex);
    free_memory(server);
}

void sdi_redis_server_abandon(sdi_redis_server *server)
{
    for (size_t i = 0; i < server->lane_count; i++) {
        sdi_redis_lane *lane = &server->lanes[i];
        if (!sdi_combiner_is_busy(&server->combiner, lane))
            close_lane(lane);
        else if (lane->connection.transport.fd >= 0)
            close(lane->connection.transport.fd);
    }
    sdi_combiner_abandon(&server->combiner);
    free_memory(server);
}

static void drain_lane(void *context)
{
    sdi_redis_lane *lane = context;
    sdi_redis_disconnect(&lane->connection);
}

void sdi_redis_server_drain(sdi_redis_server *server)
{
    sdi_combiner_each_idle(&server->combiner, drain_lane);
}

void sdi_redis_server_named(sdi_redis_server *server, const char *name)
{
    sdi_lock(&server->mutex);
    snprintf(server->name, sizeof server->name, "%s", name);
    sdi_unlock(&server->mutex);
}

int sdi_redis_server_tell(sdi_redis_server *server, sdi_redis_trouble *trouble, int outcome, const char *text)
{
    sdi_lock(&server->mutex);
    sdi_redis_tell(trouble, outcome, "%s: %s", *server->name ? server->name : "the cache", text);
    sdi_unlock(&server->mutex);
    return outcome;
}
