#include "cache/memcached/ring.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "cache/trouble.h"

enum { VALUE_SLACK = 4096 }; /* what an entry's head and a fence may add to the largest answer */

static bool add_server(memcached_st *continuum, const sdi_address *address)
{
    memcached_return_t added =
        *address->host == '/' ? memcached_server_add_unix_socket_with_weight(continuum, address->host, 1)
                              : memcached_server_add_with_weight(continuum, address->host, (in_port_t)address->port, 1);
    return memcached_success(added);
}

static memcached_st *make_continuum(const sdi_address *addresses, size_t count)
{
    memcached_st *continuum = memcached_create(NULL);
    if (!continuum)
        return NULL;
    memcached_behavior_set(continuum, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    bool made = true;
    for (size_t i = 0; made && i < count; i++)
        made = add_server(continuum, &addresses[i]);
    if (made && memcached_server_count(continuum) == count)
        return continuum;
    memcached_free(continuum);
    return NULL;
}

static bool make_handles(sdi_memcached_ring *ring, size_t count)
{
    ring->handles = sdi_calloc(count, sizeof *ring->handles);
    if (!ring->handles || !sdi_idle_init(&ring->idle, count))
        return false;
    for (; ring->handle_count < count; ring->handle_count++) {
        sdi_memcached_handle *handle = &ring->handles[ring->handle_count];
        if (!sdi_memcached_handle_init(handle, ring)) {
            sdi_memcached_handle_free(handle);
            return false;
        }
        sdi_idle_give(&ring->idle, handle, true);
    }
    return true;
}

static bool make_lookouts(sdi_memcached_ring *ring, size_t connections, bool busy_poll)
{
    ring->lookouts = sdi_calloc(ring->count, sizeof *ring->lookouts);
    bool made = ring->lookouts != NULL;
    for (size_t i = 0; made && i < ring->count; i++)
        made = sdi_memcached_lookout_init(&ring->lookouts[i], ring, i, connections, busy_poll);
    return made;
}

sdi_memcached_ring *sdi_memcached_ring_new(const sdi_cache_settings *settings, const sdi_address *addresses,
                                           size_t count, const char *prefix, sdi_cache *cache)
{
    sdi_memcached_ring *ring = sdi_calloc(1, sizeof *ring);
    if (!ring)
        return NULL;
    snprintf(ring->prefix, sizeof ring->prefix, "%s", prefix);
    ring->connect_timeout_ms = settings->connect_timeout_ms;
    ring->value_max = (size_t)settings->max_entry_bytes + VALUE_SLACK;
    ring->cache = cache;
    sdi_busy_poll_init(&ring->busy_poll, settings->busy_poll);
    ring->addresses = sdi_addresses_copy(addresses, count);
    ring->breakers = sdi_calloc(count, sizeof *ring->breakers);
    ring->continuum = make_continuum(addresses, count);
    ring->count = ring->breakers ? count : 0;
    for (size_t i = 0; i < ring->count; i++)
        sdi_breaker_init(&ring->breakers[i], settings->breaker_failures, settings->breaker_open_ms,
                         settings->breaker_open_max_ms);
    size_t handles = settings->connections > 0 ? (size_t)settings->connections : 1;
    if (ring->addresses && ring->count && ring->continuum && make_handles(ring, handles) &&
        make_lookouts(ring, handles, settings->busy_poll))
        return ring;
    sdi_memcached_ring_free(ring);
    return NULL;
}

void sdi_memcached_ring_free(sdi_memcached_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->handle_count; i++)
        sdi_memcached_handle_free(&ring->handles[i]);
    for (size_t i = 0; ring->lookouts && i < ring->count; i++)
        sdi_memcached_lookout_free(&ring->lookouts[i]);
    for (size_t i = 0; i < ring->count; i++)
        sdi_breaker_destroy(&ring->breakers[i]);
    sdi_idle_free(&ring->idle);
    if (ring->continuum)
        memcached_free(ring->continuum);
    sdi_free(ring->handles);
    sdi_free(ring->lookouts);
    sdi_free(ring->breakers);
    sdi_free(ring->addresses);
    sdi_free(ring);
}

static void close_sockets(const sdi_memcached_ring *ring, const sdi_memcached_handle *handle)
{
    for (size_t i = 0; i < ring->count; i++)
        if (handle->links[i].fd >= 0)
            close(handle->links[i].fd);
}

void sdi_memcached_ring_abandon(sdi_memcached_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->handle_count; i++) {
        if (ring->handles[i].busy)
            close_sockets(ring, &ring->handles[i]);
        else
            sdi_memcached_handle_free(&ring->handles[i]);
    }
    for (size_t i = 0; i < ring->count; i++)
        sdi_memcached_lookout_abandon(&ring->lookouts[i]);
    sdi_idle_abandon(&ring->idle);
    memcached_free(ring->continuum);
    sdi_free(ring->handles);
    sdi_free(ring->lookouts);
    sdi_free(ring->breakers);
    sdi_free(ring->addresses);
    sdi_free(ring);
}

size_t sdi_memcached_ring_find(const sdi_memcached_ring *ring, sdi_slice key)
{
    return ring->count == 1 ? 0 : memcached_generate_hash(ring->continuum, key.data, key.length);
}

sdi_memcached_handle *sdi_memcached_ring_take(sdi_memcached_ring *ring, int64_t deadline)
{
    sdi_memcached_handle *handle = sdi_idle_take(&ring->idle, deadline);
    if (!handle) {
        sdi_cache_failed(ring->cache, SDI_CACHE_FAULT_TIMEOUT, NULL, "all connections to it stayed in use");
        return NULL;
    }
    handle->busy = true;
    for (size_t i = 0; i < ring->count; i++) {
        handle->links[i].asked = handle->links[i].shut = false;
        handle->links[i].outcome = SDI_MEMCACHED_DONE;
    }
    return handle;
}

/* The worst of all: one server in trouble is trouble. */
void sdi_memcached_ring_show(sdi_memcached_ring *ring)
{
    enum sdi_breaker_state worst = SDI_BREAKER_CLOSED;
    for (size_t i = 0; i < ring->count; i++) {
        enum sdi_breaker_state state = sdi_breaker_state(&ring->breakers[i]);
        worst = state > worst ? state : worst;
    }
    sdi_cache_show_breaker(ring->cache, worst);
}

void sdi_memcached_ring_report(sdi_memcached_ring *ring, size_t server, int outcome, bool blamed)
{
    sdi_breaker *breaker = &ring->breakers[server];
    if (outcome == SDI_MEMCACHED_DONE) {
        bool paused = sdi_breaker_state(breaker) != SDI_BREAKER_CLOSED;
        sdi_breaker_succeeded(breaker);
        if (paused)
            sdi_memcached_ring_show(ring);
        return;
    }
    if (outcome == SDI_MEMCACHED_NO_MEMORY || sdi_interrupted())
        return;
    sdi_cache_failed(ring->cache, (enum sdi_cache_fault)outcome, &ring->addresses[server], NULL);
    if ((outcome != SDI_CACHE_FAULT_TIMEOUT || blamed) && sdi_breaker_failed(breaker, sdi_now()))
        sdi_memcached_ring_show(ring);
}

void sdi_memcached_ring_give(sdi_memcached_ring *ring, sdi_memcached_handle *handle, bool blamed)
{
    bool connected = true;
    for (size_t i = 0; i < ring->count; i++) {
        const sdi_memcached_link *link = &handle->links[i];
        if (link->asked && !link->shut)
            sdi_memcached_ring_report(ring, i, link->outcome, blamed);
        connected &= link->outcome == SDI_MEMCACHED_DONE;
    }
    handle->busy = false;
    sdi_idle_give(&ring->idle, handle, !connected);
}

bool sdi_memcached_ring_alive(sdi_memcached_ring *ring, const sdi_memcached_handle *handle)
{
    for (size_t i = 0; i < ring->count; i++) {
        const sdi_memcached_link *link = &handle->links[i];
        if (link->asked ? !link->shut && link->outcome == SDI_MEMCACHED_DONE
                        : sdi_breaker_state(&ring->breakers[i]) == SDI_BREAKER_CLOSED)
            return true;
    }
    return false;
}
