/* stamp.h - moments of the database: what a snapshot certainly contained (a stamp), what it must contain (a point).
 *
 * Facts behind them (doc/freshness.md tells how they were measured):
 *   - On a standby, the replay LSN read in an earlier statement bounds from below what the next snapshot sees.
 *   - On a primary no LSN does: a commit's WAL is flushed before the commit is visible. Its stamp is a snapshot.
 *   - After a crash a primary gives out again xids that were never flushed: so a primary stamp carries the flush LSN of
 *     its moment too, and a point asks for it. What was read before the crash then never passes for what was written
 *     after it.
 */
#ifndef SDI_MODEL_STAMP_H
#define SDI_MODEL_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

typedef uint64_t sdi_lsn; /* 0: unknown */

/* A database's line of history: LSNs and xids of another one mean nothing here. timeline 0: unknown. */
typedef struct sdi_era {
    uint64_t system;
    uint32_t timeline;
} sdi_era;

enum { SDI_SNAPSHOT_RUNNING_MAX = 64 };

/* A primary's snapshot: all below xmin is finished, nothing from xmax on, between them all but `running` (ascending).
 */
typedef struct sdi_snapshot {
    uint64_t xmin, xmax;
    uint32_t count;
    uint64_t running[SDI_SNAPSHOT_RUNNING_MAX];
} sdi_snapshot;

/* What an answer's snapshot certainly contained, and how far what it contained reaches at most. */
typedef struct sdi_stamp {
    sdi_era era;
    bool standby;
    sdi_lsn lsn;           /* standby: replayed; primary: flushed */
    sdi_lsn seen;          /* nothing that lies behind this was in it; 0: not known */
    sdi_snapshot snapshot; /* primary only */
} sdi_stamp;

/* A transaction that may commit at any moment, or has, without a word: whoever was to tell it may have died. `flush` is
 * a position that the primary had flushed when it was running: it tells the transaction from one of before a crash that
 * had the same xid. */
typedef struct sdi_pending {
    uint64_t xid;
    sdi_lsn flush;
} sdi_pending;

enum { SDI_PENDING_MAX = 32 };

/* Ascending by xid, each xid once. */
typedef struct sdi_pendings {
    uint32_t count;
    sdi_pending list[SDI_PENDING_MAX];
} sdi_pendings;

/* What an answer must contain: everything that had finished at a moment of the primary, and what is pending, which may
 * have finished since. Points only move forward, but for what is settled. */
typedef struct sdi_point {
    sdi_era era;
    sdi_lsn lsn;   /* a standby must have replayed this */
    sdi_lsn flush; /* a primary's stamp must be from when this was flushed */
    sdi_snapshot snapshot;
    sdi_pendings pending; /* a standby's stamp does not tell of them: with any it does not pass */
} sdi_point;

/* sdi_stamp_copy, sdi_point_copy copy what counts, which is a small part: their lists are mostly empty. _reset makes
 * one that says nothing, and leaves the rest unset. */
void sdi_stamp_copy(sdi_stamp *to, const sdi_stamp *from);
void sdi_stamp_reset(sdi_stamp *stamp);
void sdi_point_copy(sdi_point *to, const sdi_point *from);
void sdi_point_reset(sdi_point *point);

bool sdi_era_equal(sdi_era a, sdi_era b);
bool sdi_era_known(sdi_era era);
/* sdi_era_follows: `era` is `other` or came of it by promotion. Positions run on then: who is in it at a position has
 * what was written in the other one up to there, as far as it was not lost. */
bool sdi_era_follows(sdi_era era, sdi_era other);

/* sdi_lsn_parse reads PostgreSQL's "16/B374D848"; 0 if it is none. */
sdi_lsn sdi_lsn_parse(sdi_slice text);
/* sdi_lsn_settled rounds an insert position that stands just behind a page header down to the page: nothing lies
 * between, and an idle server never flushes or replays beyond the page's beginning. */
sdi_lsn sdi_lsn_settled(sdi_lsn lsn);

/* sdi_snapshot_parse reads "xmin:xmax:x,x,x". More running xids than fit: for a stamp the rest is taken as not finished
 * (it contains less), for a point as finished (it demands more). False if malformed. */
enum sdi_snapshot_use { SDI_SNAPSHOT_STAMP, SDI_SNAPSHOT_POINT };
bool sdi_snapshot_parse(sdi_slice text, enum sdi_snapshot_use use, sdi_snapshot *snapshot_out);
/* sdi_snapshot_contains: all that is finished in `demand` is finished in `have`. */
bool sdi_snapshot_contains(const sdi_snapshot *have, const sdi_snapshot *demand);

/* sdi_snapshot_finished: has this transaction finished in the snapshot? */
bool sdi_snapshot_finished(const sdi_snapshot *snapshot, uint64_t xid);

/* sdi_pending_add adds one; of the same xid the later flush counts. False if there is no room. */
bool sdi_pending_add(sdi_pendings *pending, sdi_pending one);
/* sdi_pending_settle takes out what `settled` has at the same or a later flush position: the same transaction. */
void sdi_pending_settle(sdi_pendings *pending, const sdi_pendings *settled);
/* sdi_stamp_finished: is it certain that an answer of this stamp contains what this transaction wrote? */
bool sdi_stamp_finished(const sdi_stamp *stamp, const sdi_pending *pending);

bool sdi_stamp_settled(const sdi_stamp *stamp, const sdi_pendings *pending); /* that of all */

/* sdi_stamp_passes is the one rule of freshness: does an answer of this stamp contain all that the point demands? */
bool sdi_stamp_passes(const sdi_stamp *stamp, const sdi_point *point);

/* sdi_point_merge moves `point` forward to demand what `other` does too (same era): monotone, idempotent, any order.
 * False if more is pending than fits: then `point` demands too little, and must not be used. */
bool sdi_point_merge(sdi_point *point, const sdi_point *other);

/* sdi_point_covers: what passes `point` passes `other` too, which has nothing pending. */
bool sdi_point_covers(const sdi_point *point, const sdi_point *other);

/* Stamps as bytes, for entries. sdi_stamp_decode returns the bytes used, 0 (and *stamp_out unset) if malformed. */
void sdi_stamp_encode(const sdi_stamp *stamp, sdi_buffer *bytes);
size_t sdi_stamp_decode(const void *bytes, size_t length, sdi_stamp *stamp_out);

#endif
