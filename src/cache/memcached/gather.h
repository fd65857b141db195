/* gather.h - merges into one fence, gathered in the process: one thread carries everybody's points in one cas.
 *
 * Of those who come with a point for a key, the first leads. While he waits for a handle and for what stands under the
 * key, others join, and their points go with his. Once he has taken the points, the next who come gather anew; when he
 * has ended, one of those leads. So a table's tag on which n threads write sees one cas a round trip, not n tries. */
#ifndef SDI_CACHE_MEMCACHED_GATHER_H
#define SDI_CACHE_MEMCACHED_GATHER_H

#include "base/lock.h"
#include "base/map.h"
#include "model/fence.h"

typedef struct sdi_gather {
    sdi_mutex lock;
    sdi_map places; /* key -> who is on the way with it, and who gathers */
} sdi_gather;

typedef struct sdi_gathering sdi_gathering;

void sdi_gather_init(sdi_gather *gather);
void sdi_gather_free(sdi_gather *gather);
/* sdi_gather_abandon is that in a forked child: what may be half changed is left behind. */
void sdi_gather_abandon(sdi_gather *gather);

/* sdi_gather_join brings a point. *leads: the caller carries the gathering (take, then finish, whatever happens); else
 * he waits for it. NULL without memory. */
sdi_gathering *sdi_gather_join(sdi_gather *gather, sdi_slice key, const sdi_point *point, int64_t ttl_ms, bool *leads);

/* sdi_gather_take closes the gathering: nobody joins any more. Of the leader; may be called again. */
void sdi_gather_take(sdi_gather *gather, sdi_gathering *gathering);
/* sdi_gather_merge is what the points of a taken gathering do to the record, one after the other (fence.h). */
enum sdi_fence_action sdi_gather_merge(const sdi_gathering *gathering, sdi_slice record, sdi_buffer *record_out);
int64_t sdi_gather_ttl(const sdi_gathering *gathering);
/* sdi_gather_finish tells all who joined how it ended. The leader's gathering is gone then. */
void sdi_gather_finish(sdi_gather *gather, sdi_gathering *gathering, bool merged);

enum sdi_gather_end { SDI_GATHER_MERGED, SDI_GATHER_FAILED, SDI_GATHER_LEADS };

/* sdi_gather_wait waits for the end. SDI_GATHER_LEADS: the caller leads now. Else the gathering is gone for him; a
 * deadline that passes counts as failed: his point may still be merged. */
enum sdi_gather_end sdi_gather_wait(sdi_gather *gather, sdi_gathering *gathering, int64_t deadline);

#endif
