#include "cache/memcached/memcached.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cache/memcached/batch.h"
#include "cache/memcached/discovery.h"
#include "cache/operation.h"

typedef struct memcached_cache {
    sdi_cache cache;
    int64_t timeout_ms;
    sdi_memcached_roster roster;
    sdi_gather gather;
    bool discovers;
    sdi_memcached_discovery discovery;
} memcached_cache;

static bool open_fixed(memcached_cache *cache, const sdi_cache_settings *settings)
{
    sdi_memcached_ring *ring =
        sdi_memcached_ring_new(settings, settings->addresses, settings->address_count, "", &cache->cache);
    sdi_memcached_roster_init(&cache->roster, 0);
    if (ring)
        sdi_memcached_roster_fix(&cache->roster, ring);
    return ring != NULL;
}

static bool open_discovering(memcached_cache *cache, const sdi_cache_settings *settings)
{
    sdi_memcached_roster_init(&cache->roster, settings->discovery_interval_ms);
    cache->discovers =
        sdi_memcached_discovery_init(&cache->discovery, settings, &cache->cache, &cache->roster, &cache->gather);
    return cache->discovers;
}

static void memcached_close(sdi_cache *base)
{
    memcached_cache *cache = (memcached_cache *)base;
    if (cache->discovers)
        sdi_memcached_discovery_free(&cache->discovery);
    sdi_memcached_roster_free(&cache->roster);
    sdi_gather_free(&cache->gather);
    sdi_free(cache);
}

static int memcached_open(const sdi_cache_settings *settings, sdi_cache **cache_out, shopdata_error **error_out)
{
    memcached_cache *cache = sdi_calloc(1, sizeof *cache);
    if (!cache)
        return sdi_no_memory(error_out);
    cache->timeout_ms = settings->timeout_ms;
    sdi_gather_init(&cache->gather);
    if (!(settings->discovery ? open_discovering : open_fixed)(cache, settings)) {
        memcached_close(&cache->cache);
        return sdi_no_memory(error_out);
    }
    *cache_out = &cache->cache;
    return SHOPDATA_OK;
}

static void memcached_abandon(sdi_cache *base)
{
    memcached_cache *cache = (memcached_cache *)base;
    if (cache->discovers)
        sdi_memcached_discovery_abandon(&cache->discovery);
    sdi_memcached_roster_abandon(&cache->roster);
    sdi_gather_abandon(&cache->gather);
    sdi_free(cache);
}

static bool tells_all_rings(const sdi_cache_op *operation)
{
    return operation->verb == SDI_CACHE_MERGE || operation->verb == SDI_CACHE_REMOVE;
}

/* What moves and deletes fences goes to the other rings too, where others may still or already read. */
static bool tell_others(memcached_cache *cache, const sdi_memcached_selection *selection,
                        const sdi_cache_op *operations, size_t count, int64_t limit, bool blamed)
{
    size_t told = 0;
    bool done = true;
    if (selection->count < 2)
        return true;
    sdi_cache_op *copies = sdi_calloc(count, sizeof *copies);
    if (!copies)
        return false;
    for (size_t i = 0; i < count; i++)
        if (tells_all_rings(&operations[i]))
            copies[told++] = operations[i];
    for (size_t i = 1; told && i < selection->count; i++)
        done &= sdi_memcached_batch(selection->rings[i], &cache->gather, copies, told, limit, blamed);
    sdi_free(copies);
    return done;
}

/* What one ring was told counts only where there is no other. */
static bool fail(const sdi_memcached_selection *selection, sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count && selection->count > 1; i++)
        operations[i].done = false;
    return false;
}

static bool run_selected(memcached_cache *cache, const sdi_memcached_selection *selection, sdi_cache_op *operations,
                         size_t count, int64_t deadline)
{
    int64_t latest = deadline < selection->expiry ? deadline : selection->expiry;
    int64_t limit = sdi_deadline_within(latest, cache->timeout_ms);
    bool blamed = limit < latest;
    if (selection->count == 0 ||
        !sdi_memcached_batch(selection->rings[0], &cache->gather, operations, count, limit, blamed))
        return fail(selection, operations, count);
    if (tell_others(cache, selection, operations, count, limit, blamed))
        return true;
    sdi_cache_unset(operations, count);
    return fail(selection, operations, count);
}

/* Marks are for strict mode, which needs to know that a server never comes back with fences of before: memcached has
 * nothing to tell its life before from the one after by. */
static bool has_marks(const sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i].verb == SDI_CACHE_MERGE &&
            (operations[i].change->point.pending.count || operations[i].change->settled.count))
            return true;
    return false;
}

static bool memcached_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    if (has_marks(operations, count))
        return false;
    memcached_cache *cache = (memcached_cache *)base;
    int64_t begun = sdi_now();
    if (cache->discovers)
        sdi_memcached_discovery_refresh(&cache->discovery, deadline);
    sdi_memcached_selection selection = sdi_memcached_roster_select(&cache->roster, sdi_now());
    bool done = run_selected(cache, &selection, operations, count, deadline);
    sdi_memcached_roster_return(&cache->roster, &selection);
    sdi_observe(base->metrics, SDI_M_CACHE_SECONDS, 0, sdi_now() - begun);
    return done;
}

const sdi_cache_backend sdi_memcached_backend = {
    .name = "memcached",
    .open = memcached_open,
    .close = memcached_close,
    .run = memcached_run,
    .abandon = memcached_abandon,
};
