#include "base/memory.h"
#include "cache/backend.h"
#include "cache/memory/memory.h"
#include "cache/operation.h"
#include "cache/redis/redis.h"

int sdi_cache_open(const sdi_cache_settings *settings, sdi_metrics *metrics, sdi_cache **cache_out,
                   shopdata_error **error_out)
{
    switch (settings->kind) {
    case SDI_CACHE_MEMORY:
        return sdi_memory_backend.open(settings, metrics, cache_out, error_out);
    case SDI_CACHE_REDIS:
        return sdi_redis_backend.open(settings, metrics, cache_out, error_out);
    case SDI_CACHE_NONE:
        break;
    }
    *cache_out = NULL;
    return SHOPDATA_OK;
}

static bool keys_fit(const sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i].key.length == 0 || operations[i].key.length > SDI_CACHE_KEY_MAX)
            return false;
    return true;
}

bool sdi_cache_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    for (size_t i = 0; i < count; i++) {
        operations[i].found = false;
        operations[i].block = NULL;
        operations[i].length = 0;
    }
    if (!cache || !keys_fit(operations, count))
        return false;
    return count == 0 || cache->backend->run(cache, operations, count, deadline);
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
