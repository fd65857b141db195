/* local.h - answers kept in this process: a bounded cache whose hits share nothing that is written.
 *
 * An entry is good while nothing that it hangs on has changed since its *moment*: the number of changes that had been
 * heard of before the shared cache (or the database) was asked for it. A change that is heard of later counts, whether
 * the answer contains it or not: a miss is always right. So nothing is registered beforehand, and a tag that nobody
 * holds costs a change two stores.
 *
 * Any thread may call anything here but new, free and abandon. */
#ifndef SDI_LOCAL_LOCAL_H
#define SDI_LOCAL_LOCAL_H

#include <stdint.h>

#include "base/hash.h"
#include "model/result.h"
#include "model/stamp.h"

typedef struct sdi_local sdi_local;

/* A tag by its hash: sdi_hash64 of its text. Two tags of one hash change together. */
typedef uint64_t sdi_local_tag;

enum { SDI_LOCAL_TAGS_MAX = 64 }; /* an answer that hangs on more is not kept */

/* sdi_local_new makes a cache that takes at most so many bytes, with all that belongs to it: entries, what the
 * allocator adds, index, queues. NULL without memory. */
sdi_local *sdi_local_new(size_t bytes);
/* sdi_local_free ends it. What it handed out stays good until it is freed. */
void sdi_local_free(sdi_local *local);
/* sdi_local_abandon is sdi_local_free in a forked child: what another thread held at the moment of fork is left behind.
 */
void sdi_local_abandon(sdi_local *local);

/* sdi_local_moment is to be taken before the question is sent whose answer will be put. */
uint64_t sdi_local_moment(const sdi_local *local);
/* sdi_local_mark is a moment that lies behind everything put or asked until now: who brings news of which no message
 * may have come yet (a session's token) takes nothing older than that. */
uint64_t sdi_local_mark(sdi_local *local);

/* sdi_local_changed: what hangs on this tag is void, unless it was asked for after this call; so is what is on its way.
 * It holds for every sdi_local_get that begins after the return. */
void sdi_local_changed(sdi_local *local, sdi_local_tag tag);
/* sdi_local_forget_all does so for all tags, and gives their memory back. */
void sdi_local_forget_all(sdi_local *local);

/* How far what an answer shows reaches (the stamp's `seen`), and on which timeline. */
typedef struct sdi_local_seen {
    sdi_lsn lsn;
    uint32_t timeline;
} sdi_local_seen;

typedef struct sdi_local_entry {
    uint64_t moment;           /* sdi_local_moment, from before the question was sent */
    int64_t expires_at;        /* sdi_uptime; SDI_NEVER: not by time */
    const sdi_local_tag *tags; /* all that the answer hangs on */
    size_t tag_count;
    sdi_local_seen seen;
} sdi_local_entry;

/* sdi_local_put keeps a copy of an answer, in place of what was there. What has changed since its moment, alone would
 * take a large part of the room, or has no memory, is not kept. */
void sdi_local_put(sdi_local *local, sdi_hash128 key, const shopdata_result *answer, const sdi_local_entry *entry);

/* sdi_local_get is what is good under the key at `now` (sdi_uptime) and was asked for at `since` or later (0:
 * whenever); NULL if nothing is. The caller's own head on shared rows: source, staleness and the like may be set before
 * anybody else has it; shopdata_result_free when done, in any thread, as any result. */
shopdata_result *sdi_local_get(sdi_local *local, sdi_hash128 key, int64_t now, uint64_t since,
                               sdi_local_seen *seen_out);

typedef struct sdi_local_usage {
    size_t limit, bytes; /* bytes: with what has been evicted and may still be read */
    size_t entries;
    uint64_t evicted;
} sdi_local_usage;

sdi_local_usage sdi_local_used(sdi_local *local);

#endif
