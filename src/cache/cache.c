#include "base/memory.h"
#include "cache/backend.h"
#include "cache/memcached/memcached.h"
#include "cache/memory/memory.h"
#include "cache/operation.h"
#include "cache/redis/redis.h"

static const sdi_cache_backend *backend_of(enum sdi_cache_kind kind)
{
    switch (kind) {
    case SDI_CACHE_MEMORY:
        return &sdi_memory_backend;
    case SDI_CACHE_REDIS:
        return &sdi_redis_backend;
    case SDI_CACHE_MEMCACHED:
        return &sdi_memcached_backend;
    case SDI_CACHE_NONE:
        break;
    }
    return NULL;
}

int sdi_cache_open(const sdi_cache_settings *settings, sdi_metrics *metrics, sdi_cache **cache_out,
                   shopdata_error **error_out)
{
    const sdi_cache_backend *backend = backend_of(settings->kind);
    sdi_cache *cache = NULL;
    int status = backend ? backend->open(settings, &cache, error_out) : SHOPDATA_OK;
    if (status != SHOPDATA_OK)
        return status;
    if (cache) {
        cache->backend = backend;
        cache->metrics = metrics;
    }
    *cache_out = cache;
    return SHOPDATA_OK;
}

static bool keys_fit(const sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i].key.length == 0 || operations[i].key.length > SDI_CACHE_KEY_MAX)
            return false;
    return true;
}

/* `length` is of the value that a GET found; of the others it is 0. */
static void count_bytes(const sdi_cache *cache, const sdi_cache_op *operations, size_t count)
{
    uint64_t read = 0, written = 0;
    for (size_t i = 0; i < count; i++) {
        read += operations[i].length;
        written += operations[i].value.length;
    }
    sdi_count(cache->metrics, SDI_M_CACHE_READ_BYTES, 0, read);
    sdi_count(cache->metrics, SDI_M_CACHE_WRITTEN_BYTES, 0, written);
}

bool sdi_cache_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    for (size_t i = 0; i < count; i++) {
        operations[i].done = operations[i].found = false;
        operations[i].block = NULL;
        operations[i].length = 0;
    }
    if (!cache || !keys_fit(operations, count))
        return false;
    bool done = count == 0 || cache->backend->run(cache, operations, count, deadline);
    if (done && cache->metrics)
        count_bytes(cache, operations, count);
    return done;
}

void sdi_cache_log(sdi_cache *cache, sdi_log *log)
{
    if (cache)
        cache->log = log;
}

void sdi_cache_close(sdi_cache *cache)
{
    if (cache)
        cache->backend->close(cache);
}

void sdi_cache_abandon(sdi_cache *cache)
{
    if (cache)
        cache->backend->abandon(cache);
}

void sdi_cache_trouble(sdi_cache *cache, sdi_buffer *out)
{
    if (cache && cache->backend->trouble)
        cache->backend->trouble(cache, out);
}

bool sdi_cache_carries(const sdi_cache *cache)
{
    return cache && cache->backend->carries && cache->backend->carries(cache);
}

bool sdi_cache_listen(sdi_cache *cache, const sdi_cache_listener *listener)
{
    return sdi_cache_carries(cache) && cache->backend->listen(cache, listener);
}

void sdi_cache_rouse(sdi_cache *cache)
{
    if (cache && cache->backend->rouse)
        cache->backend->rouse(cache);
}

void sdi_cache_unset(sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sdi_free(operations[i].block);
        operations[i].block = NULL;
        operations[i].length = 0;
        operations[i].found = false;
    }
}

int64_t sdi_cache_ttl(int64_t ttl_ms)
{
    static const int64_t TEN_YEARS = INT64_C(315360000000);
    return ttl_ms < 1 ? 1 : ttl_ms > TEN_YEARS ? TEN_YEARS : ttl_ms;
}

size_t sdi_cache_gets(const sdi_cache_op *operations, size_t count)
{
    size_t gets = 0;
    while (gets < count && operations[gets].verb == SDI_CACHE_GET)
        gets++;
    return gets;
}
