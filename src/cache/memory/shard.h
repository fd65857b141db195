/* shard.h - a hash table with lifetimes, bounded in bytes; the longest unused goes first. The caller locks. */
#ifndef SDI_CACHE_MEMORY_SHARD_H
#define SDI_CACHE_MEMORY_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/slice.h"

typedef struct sdi_shard_item sdi_shard_item;

typedef struct sdi_shard {
    sdi_mutex mutex;
    sdi_shard_item **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t items;
    size_t bytes; /* of the items, their allocation's overhead, and the buckets */
    size_t limit;
    sdi_shard_item *newest, *oldest; /* by use */
} sdi_shard;

void sdi_shard_init(sdi_shard *shard, size_t limit);
void sdi_shard_free(sdi_shard *shard);

/* sdi_shard_find is what lives under the key (a use of it), NULL if nothing does. */
sdi_shard_item *sdi_shard_find(sdi_shard *shard, uint64_t hash, sdi_slice key, int64_t now);
/* sdi_shard_put keeps a copy until the moment `until`, in place of what was there, and evicts what must give way. What
 * alone would not fit, or has no memory, is not kept, and neither is what was there: a miss is always right. */
void sdi_shard_put(sdi_shard *shard, uint64_t hash, sdi_slice key, sdi_slice value, int64_t until);
void sdi_shard_remove(sdi_shard *shard, sdi_shard_item *item);

sdi_slice sdi_shard_value(const sdi_shard_item *item);
void sdi_shard_live(sdi_shard_item *item, int64_t until);

#endif
