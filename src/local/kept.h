/* kept.h - an answer as this process keeps it: one block with what it hangs on and its rows. */
#ifndef SDI_LOCAL_KEPT_H
#define SDI_LOCAL_KEPT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/hash.h"

typedef struct sdi_kept sdi_kept;

/* All but what links it and the counters stays as it was made. */
struct sdi_kept {
    _Atomic(sdi_kept *) chained; /* the next in its bucket */
    sdi_kept *newer, *older;     /* in its queue */
    sdi_hash128 key;
    uint64_t moment; /* changes.h */
    uint64_t seen;   /* local.h */
    int64_t expires_at;
    int64_t read_at;
    atomic_uint references; /* the cache's, and those of handles that are counted (handle.h) */
    uint32_t rows_length;
    atomic_uchar uses; /* since it was last looked at for eviction; up to a few */
    uint8_t queue;
    uint8_t origin; /* origins.h */
    uint8_t tag_count;
    uint32_t tags[]; /* and the rows behind them */
};

static inline unsigned char *sdi_kept_rows(sdi_kept *kept)
{
    return (unsigned char *)(kept->tags + kept->tag_count);
}

/* sdi_kept_drop gives a reference back. */
void sdi_kept_drop(sdi_kept *kept);

#endif
