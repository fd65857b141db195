#include "cache/memory/shard.h"

#include "base/memory.h"

struct sdi_shard_item {
    sdi_shard_item *chained; /* the next in the bucket */
    sdi_shard_item *newer, *older;
    uint64_t hash;
    int64_t until;
    size_t key_length, value_length;
    char bytes[]; /* key, value */
};

enum { FIRST_BUCKETS = 16, ALLOCATION_OVERHEAD = 16 };

void sdi_shard_init(sdi_shard *shard, size_t limit)
{
    *shard = (sdi_shard){.limit = limit};
    sdi_mutex_init(&shard->mutex);
}

void sdi_shard_free(sdi_shard *shard)
{
    for (sdi_shard_item *item = shard->newest, *older; item; item = older) {
        older = item->older;
        sdi_free(item);
    }
    sdi_free(shard->buckets);
    sdi_mutex_destroy(&shard->mutex);
}

static size_t room_for(size_t key_length, size_t value_length)
{
    return sizeof(sdi_shard_item) + key_length + value_length + ALLOCATION_OVERHEAD;
}

/* The upper bits: the lower ones chose the shard. */
static sdi_shard_item **bucket_of(const sdi_shard *shard, uint64_t hash)
{
    return &shard->buckets[hash >> 16 & (shard->bucket_count - 1)];
}

static void unlink_use(sdi_shard *shard, sdi_shard_item *item)
{
    *(item->newer ? &item->newer->older : &shard->newest) = item->older;
    *(item->older ? &item->older->newer : &shard->oldest) = item->newer;
}

static void link_newest(sdi_shard *shard, sdi_shard_item *item)
{
    item->newer = NULL;
    item->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = item;
    shard->newest = item;
}

void sdi_shard_remove(sdi_shard *shard, sdi_shard_item *item)
{
    sdi_shard_item **link = bucket_of(shard, item->hash);
    while (*link != item)
        link = &(*link)->chained;
    *link = item->chained;
    unlink_use(shard, item);
    shard->items--;
    shard->bytes -= room_for(item->key_length, item->value_length);
    sdi_free(item);
}

static sdi_shard_item *lookup(const sdi_shard *shard, uint64_t hash, sdi_slice key)
{
    if (!shard->bucket_count)
        return NULL;
    for (sdi_shard_item *item = *bucket_of(shard, hash); item; item = item->chained)
        if (item->hash == hash && sdi_slice_equal(key, (sdi_slice){item->bytes, item->key_length}))
            return item;
    return NULL;
}

sdi_shard_item *sdi_shard_find(sdi_shard *shard, uint64_t hash, sdi_slice key, int64_t now)
{
    sdi_shard_item *item = lookup(shard, hash, key);
    if (!item)
        return NULL;
    if (item->until <= now) {
        sdi_shard_remove(shard, item);
        return NULL;
    }
    unlink_use(shard, item);
    link_newest(shard, item);
    return item;
}

/* Doubles the buckets when there are more items than that; without memory the chains grow longer instead. */
static bool grow(sdi_shard *shard)
{
    if (shard->items < shard->bucket_count)
        return true;
    size_t count = shard->bucket_count ? shard->bucket_count * 2 : FIRST_BUCKETS;
    sdi_shard_item **buckets = sdi_calloc(count, sizeof *buckets);
    if (!buckets)
        return shard->bucket_count > 0;
    sdi_free(shard->buckets);
    shard->bytes += (count - shard->bucket_count) * sizeof *buckets;
    shard->buckets = buckets;
    shard->bucket_count = count;
    for (sdi_shard_item *item = shard->newest; item; item = item->older) {
        sdi_shard_item **bucket = bucket_of(shard, item->hash);
        item->chained = *bucket;
        *bucket = item;
    }
    return true;
}

static sdi_shard_item *make_item(uint64_t hash, sdi_slice key, sdi_slice value, int64_t until)
{
    sdi_shard_item *item = sdi_malloc(sizeof *item + key.length + value.length);
    if (!item)
        return NULL;
    *item = (sdi_shard_item){.hash = hash, .until = until, .key_length = key.length, .value_length = value.length};
    memcpy(item->bytes, key.data, key.length);
    if (value.length)
        memcpy(item->bytes + key.length, value.data, value.length);
    return item;
}

void sdi_shard_put(sdi_shard *shard, uint64_t hash, sdi_slice key, sdi_slice value, int64_t until)
{
    sdi_shard_item *before = lookup(shard, hash, key);
    if (before)
        sdi_shard_remove(shard, before);
    size_t room = room_for(key.length, value.length);
    if (!grow(shard) || shard->bucket_count * sizeof *shard->buckets + room > shard->limit)
        return;
    sdi_shard_item *item = make_item(hash, key, value, until);
    if (!item)
        return;
    while (shard->oldest && shard->bytes + room > shard->limit)
        sdi_shard_remove(shard, shard->oldest);
    sdi_shard_item **bucket = bucket_of(shard, hash);
    item->chained = *bucket;
    *bucket = item;
    link_newest(shard, item);
    shard->items++;
    shard->bytes += room;
}

sdi_slice sdi_shard_value(const sdi_shard_item *item)
{
    return (sdi_slice){item->bytes + item->key_length, item->value_length};
}

void sdi_shard_live(sdi_shard_item *item, int64_t until)
{
    item->until = until;
}
