#include "cache/memcached/memcached.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cache/memcached/batch.h"

typedef struct memcached_cache {
    sdi_cache cache;
    int64_t timeout_ms;
    sdi_metrics *metrics;
    sdi_memcached_ring *ring;
    sdi_gather gather;
} memcached_cache;

static int memcached_open(const sdi_cache_settings *settings, sdi_metrics *metrics, sdi_cache **cache_out,
                          shopdata_error **error_out)
{
    memcached_cache *cache = sdi_calloc(1, sizeof *cache);
    if (!cache)
        return sdi_no_memory(error_out);
    cache->ring = sdi_memcached_ring_new(settings, settings->addresses, settings->address_count, "", &cache->cache);
    if (!cache->ring) {
        sdi_free(cache);
        return sdi_no_memory(error_out);
    }
    cache->cache.backend = &sdi_memcached_backend;
    cache->timeout_ms = settings->timeout_ms;
    cache->metrics = metrics;
    sdi_gather_init(&cache->gather);
    *cache_out = &cache->cache;
    return SHOPDATA_OK;
}

static void memcached_close(sdi_cache *base)
{
    memcached_cache *cache = (memcached_cache *)base;
    sdi_memcached_ring_free(cache->ring);
    sdi_gather_free(&cache->gather);
    sdi_free(cache);
}

static void memcached_abandon(sdi_cache *base)
{
    memcached_cache *cache = (memcached_cache *)base;
    sdi_memcached_ring_abandon(cache->ring);
    sdi_gather_abandon(&cache->gather);
    sdi_free(cache);
}

static bool memcached_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    memcached_cache *cache = (memcached_cache *)base;
    int64_t begun = sdi_now();
    int64_t limit = sdi_deadline_within(deadline, cache->timeout_ms);
    bool done = sdi_memcached_batch(cache->ring, &cache->gather, operations, count, limit, limit < deadline);
    sdi_observe(cache->metrics, SDI_M_CACHE_SECONDS, 0, sdi_now() - begun);
    return done;
}

const sdi_cache_backend sdi_memcached_backend = {
    .name = "memcached",
    .open = memcached_open,
    .close = memcached_close,
    .run = memcached_run,
    .abandon = memcached_abandon,
};
