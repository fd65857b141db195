#include "cache/memory/memory.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "cache/memory/shard.h"
#include "cache/operation.h"

/* At most 64: a set of shards is the bits of one number. */
enum { SHARDS_MAX = 32, ENTRIES_A_SHARD = 8 };

typedef struct memory_cache {
    sdi_cache cache;
    size_t shard_count; /* a power of two */
    sdi_shard shards[SHARDS_MAX];
} memory_cache;

/* As many shards as still hold a few of the largest entries each. */
static size_t shards_for(const sdi_cache_settings *settings)
{
    int64_t least = settings->max_entry_bytes * ENTRIES_A_SHARD;
    size_t count = SHARDS_MAX;
    while (count > 1 && settings->memory_bytes / (int64_t)count < least)
        count /= 2;
    return count;
}

static int memory_open(const sdi_cache_settings *settings, sdi_cache **cache_out, shopdata_error **error_out)
{
    memory_cache *cache = sdi_calloc(1, sizeof *cache);
    if (!cache)
        return sdi_no_memory(error_out);
    cache->shard_count = shards_for(settings);
    for (size_t i = 0; i < cache->shard_count; i++)
        sdi_shard_init(&cache->shards[i], (size_t)settings->memory_bytes / cache->shard_count);
    *cache_out = &cache->cache;
    return SHOPDATA_OK;
}

static void memory_close(sdi_cache *base)
{
    memory_cache *cache = (memory_cache *)base;
    for (size_t i = 0; i < cache->shard_count; i++)
        sdi_shard_free(&cache->shards[i]);
    sdi_free(cache);
}

/* A shard that another thread held at the moment of fork may be half changed: it is left behind. Trying never waits. */
static void memory_abandon(sdi_cache *base)
{
    memory_cache *cache = (memory_cache *)base;
    for (size_t i = 0; i < cache->shard_count; i++) {
        if (pthread_mutex_trylock(&cache->shards[i].mutex) != 0)
            continue;
        sdi_unlock(&cache->shards[i].mutex);
        sdi_shard_free(&cache->shards[i]);
    }
    sdi_free(cache);
}

static uint64_t hash_of(sdi_slice key)
{
    return sdi_hash64(key.data, key.length);
}

static bool get(sdi_shard *shard, uint64_t hash, sdi_cache_op *operation, int64_t now)
{
    const sdi_shard_item *item = sdi_shard_find(shard, hash, operation->key, now);
    if (!item)
        return true;
    sdi_slice value = sdi_shard_value(item);
    operation->block = sdi_malloc(operation->headroom + value.length + 1);
    if (!operation->block)
        return false;
    memcpy(operation->block + operation->headroom, value.data, value.length);
    operation->block[operation->headroom + value.length] = '\0';
    operation->length = value.length;
    operation->found = true;
    return true;
}

static void change_locks(memory_cache *cache, uint64_t set, void (*change)(sdi_mutex *))
{
    for (size_t i = 0; i < cache->shard_count; i++)
        if (set >> i & 1)
            change(&cache->shards[i].mutex);
}

/* All shards of the run are held together: one moment. They are locked in order, and nobody else holds two. */
static bool get_all(memory_cache *cache, sdi_cache_op *operations, size_t count)
{
    uint64_t set = 0;
    for (size_t i = 0; i < count; i++)
        set |= UINT64_C(1) << (hash_of(operations[i].key) & (cache->shard_count - 1));
    change_locks(cache, set, sdi_lock);
    int64_t now = sdi_now();
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        uint64_t hash = hash_of(operations[i].key);
        done = get(&cache->shards[hash & (cache->shard_count - 1)], hash, &operations[i], now);
    }
    change_locks(cache, set, sdi_unlock);
    return done;
}

static void merge(sdi_shard *shard, uint64_t hash, sdi_shard_item *item, const sdi_cache_op *operation, int64_t until)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    switch (sdi_fence_merge(sdi_shard_value(item), operation->change, &record)) {
    case SDI_FENCE_KEEP:
        sdi_shard_live(item, until);
        break;
    case SDI_FENCE_REPLACE:
        sdi_shard_put(shard, hash, operation->key, (sdi_slice){record.data, record.length}, until);
        break;
    case SDI_FENCE_DELETE:
        sdi_shard_remove(shard, item);
        break;
    }
    sdi_buffer_free(&record);
}

static void change(sdi_shard *shard, uint64_t hash, sdi_cache_op *operation, int64_t now)
{
    int64_t until = now + sdi_cache_ttl(operation->ttl_ms) * 1000;
    sdi_shard_item *item = sdi_shard_find(shard, hash, operation->key, now);
    bool put = operation->verb == SDI_CACHE_SET;
    if (operation->verb == SDI_CACHE_ADD) {
        operation->found = item != NULL;
        put = !item;
    } else if (operation->verb == SDI_CACHE_SWAP) {
        put = operation->found = item && sdi_slice_equal(sdi_shard_value(item), operation->expected);
    } else if (operation->verb == SDI_CACHE_MERGE && item) {
        merge(shard, hash, item, operation, until);
    } else if (operation->verb == SDI_CACHE_REMOVE && item) {
        sdi_shard_remove(shard, item);
    }
    if (put)
        sdi_shard_put(shard, hash, operation->key, operation->value, until);
}

static void change_one(memory_cache *cache, sdi_cache_op *operation)
{
    uint64_t hash = hash_of(operation->key);
    sdi_shard *shard = &cache->shards[hash & (cache->shard_count - 1)];
    sdi_lock(&shard->mutex);
    change(shard, hash, operation, sdi_now());
    sdi_unlock(&shard->mutex);
}

/* Nothing here waits for long: the deadline needs no look. */
static bool memory_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)deadline;
    memory_cache *cache = (memory_cache *)base;
    int64_t begun = sdi_now();
    for (size_t i = 0; i < count;) {
        size_t gets = sdi_cache_gets(operations + i, count - i);
        if (gets == 0)
            change_one(cache, &operations[i]);
        else if (!get_all(cache, operations + i, gets)) {
            sdi_cache_unset(operations, count);
            return false;
        }
        i += gets ? gets : 1;
    }
    sdi_observe(base->metrics, SDI_M_CACHE_SECONDS, 0, sdi_now() - begun);
    return true;
}

const sdi_cache_backend sdi_memory_backend = {
    .name = "memory",
    .marks = true,
    .open = memory_open,
    .close = memory_close,
    .run = memory_run,
    .abandon = memory_abandon,
};
