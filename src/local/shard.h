/* shard.h - a part of the local cache: an index that is read without its lock, and who goes when it is full.
 *
 * Eviction is S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023):
 * what comes new stands in a small queue, and most of it, asked for once, goes from there soon; what was used moves on
 * to the main queue, as does what comes back shortly after it went (a ghost). There what was used goes round again. A
 * hit writes nothing but a small counter, and that a few times only. The small queue has a quarter of the room, and one
 * use is enough: on traces of shops that keeps more than the paper's tenth. */
#ifndef SDI_LOCAL_SHARD_H
#define SDI_LOCAL_SHARD_H

#include "base/lock.h"
#include "local/changes.h"
#include "local/handle.h"
#include "local/kept.h"

enum sdi_local_queue { SDI_QUEUE_SMALL, SDI_QUEUE_MAIN, SDI_QUEUES };

typedef struct sdi_kept_queue {
    sdi_kept *newest, *oldest;
    size_t bytes;
} sdi_kept_queue;

typedef struct sdi_index sdi_index;

typedef struct sdi_local_shard {
    _Atomic(sdi_index *) index;
    char apart[64];  /* what follows is written by whoever puts: not in the line that all who look read */
    sdi_mutex mutex; /* of whoever changes it */
    sdi_kept_queue queues[SDI_QUEUES];
    sdi_kept *retired; /* unlinked, and perhaps being read */
    size_t entries, bytes, retired_bytes, limit;
    uint64_t evicted;
    sdi_lender *lender;
    const sdi_changes *changes;
} sdi_local_shard;

bool sdi_local_shard_init(sdi_local_shard *shard, size_t limit, sdi_lender *lender, const sdi_changes *changes);
void sdi_local_shard_free(sdi_local_shard *shard);

/* sdi_local_shard_find: what is kept under the key. The caller is between sdi_lender_enter and _leave. */
sdi_kept *sdi_local_shard_find(const sdi_local_shard *shard, sdi_hash128 key);
void sdi_local_shard_use(sdi_kept *kept);
/* sdi_local_shard_put takes it over, in place of what was there, and lets go what must give way. */
void sdi_local_shard_put(sdi_local_shard *shard, sdi_kept *kept, int64_t now);
/* sdi_local_shard_sweep lets go what is void. */
void sdi_local_shard_sweep(sdi_local_shard *shard, int64_t now);

#endif
