/* coherence.h - the answers that this process keeps (src/local), and what keeps them young.
 *
 * What changes is published by whoever writes, behind the change of its fences and in the same round trip, whether or
 * not a fence stands: an answer may be kept somewhere though its fences are long gone. A message is the hashes of the
 * tags, SDI_CHANGED_TAG_BYTES each, little-endian; one that was not taken is as bad as a fence that was not moved.
 * Everybody listens. The *watermark* is a moment before which all that was published has been heard: as old as it is
 * may be what is kept here. It moves on while anybody reads; else it rests, and the first who finds it too old has it
 * moved. What this client writes itself counts before the write returns.
 *
 * Who knows more than has been heard takes nothing that was asked for before he came: a session whose token comes from
 * elsewhere, or that saw what nobody here had seen when the watermark was set. */
#ifndef SDI_CLIENT_COHERENCE_H
#define SDI_CLIENT_COHERENCE_H

#include <stdatomic.h>

#include <shopdata/shopdata.h>

#include "base/buffer.h"
#include "base/lock.h"
#include "cache/backend.h"
#include "local/local.h"
#include "model/settings.h"
#include "model/stamp.h"

struct sdi_core;
struct sdi_read;

/* Of more tags than these the message is one byte: it stands for all that there are. */
enum { SDI_CHANGED_TAG_BYTES = 8, SDI_CHANGED_TAGS_MAX = 4096 };

/* What tells that an answer has grown old. */
enum sdi_coherence_kind {
    SDI_COHERENCE_HEARD, /* messages */
    SDI_COHERENCE_TIMED, /* in mode fenced, nothing but `local.ttl`: the cache carries no messages */
    SDI_COHERENCE_PLAIN, /* in mode ttl, the policy's time */
};

/* A token that was made or taken here, by its hash, and the last moment when something in it was news here. */
typedef struct sdi_known_token {
    uint64_t hash;
    int64_t news_at;
} sdi_known_token;

enum { SDI_KNOWN_TOKENS = 4096 };

typedef struct sdi_coherence {
    sdi_local *local; /* NULL: nothing is kept in this process */
    enum sdi_coherence_kind kind;
    int64_t bound_us;           /* how old the watermark may be */
    _Atomic int64_t watermark;  /* sdi_uptime; 0: nothing is heard */
    atomic_bool wanted;         /* somebody looked at it since the last beat */
    _Atomic sdi_lsn covered;    /* so far reached what had been seen here when the watermark was set */
    _Atomic uint32_t timeline;  /* the latest; what is of an older one is forgotten */
    _Atomic uint64_t system;    /* of which database `timeline` is */
    char apart[64];             /* the rest is written more often */
    _Atomic sdi_lsn seen;       /* so far reaches what has been seen here */
    sdi_lsn candidate;          /* that, before the beat that is under way; the listener's own */
    _Atomic uint64_t evictions; /* that were counted */
    sdi_mutex lock;             /* guards `known` */
    sdi_known_token *known;     /* each in its place by hash; NULL: no local cache */
    sdi_buffer channel;
    sdi_cache_listener listener;
} sdi_coherence;

/* sdi_coherence_kind: false if nothing is kept in the process, as it is configured. */
bool sdi_coherence_kind(const sdi_settings *settings, const sdi_cache *cache, enum sdi_coherence_kind *kind);
/* sdi_coherence_begin makes what is kept, and begins to listen. It ends with the cache; then sdi_coherence_free. */
int sdi_coherence_begin(struct sdi_core *core, shopdata_error **error_out);
void sdi_coherence_free(sdi_coherence *coherence);
/* sdi_coherence_abandon: in a forked child. */
void sdi_coherence_abandon(sdi_coherence *coherence);
/* sdi_coherence_gauges sets the metrics of what is kept. */
void sdi_coherence_gauges(struct sdi_core *core);

/* sdi_coherence_look gives what this process keeps under the key, if it is good for the session at `now` (sdi_uptime,
 * from within the call): signed with source and staleness, the caller's. *seen_out tells how far it reaches, for
 * sdi_session_saw_local. NULL is a miss, which `counts` or not. sdi_coherence_get does both. Neither asks whether the
 * call may be answered from a cache at all: see sdi_coherence_serves. */
shopdata_result *sdi_coherence_look(struct sdi_core *core, const shopdata_session *session, sdi_hash128 key,
                                    int64_t now, bool counts, sdi_local_seen *seen_out);
shopdata_result *sdi_coherence_get(struct sdi_core *core, shopdata_session *session, sdi_hash128 key, int64_t now,
                                   bool counts);
/* sdi_coherence_serves: are answers of this policy kept, and may a call with these flags have one? */
bool sdi_coherence_serves(const struct sdi_core *core, const sdi_policy_settings *policy, unsigned flags);

/* sdi_coherence_moment is to be taken before the shared cache is asked, for what is kept of that look. */
uint64_t sdi_coherence_moment(const struct sdi_core *core);
/* sdi_coherence_keep keeps the read's answer, which passes the fences it read. `expires_at` is of the day (sdi_wall);
 * 0: not known, the policy tells. */
void sdi_coherence_keep(struct sdi_core *core, const struct sdi_read *read, int64_t expires_at);

/* sdi_coherence_changed: what hangs on the tags of a message (NULL: on anything) is no longer good here. */
void sdi_coherence_changed(struct sdi_core *core, const unsigned char *message, size_t count);
/* sdi_coherence_timeline: the database is on this timeline now. */
void sdi_coherence_timeline(struct sdi_core *core, sdi_era era);
/* sdi_coherence_news: does what reaches so far show more than was heard of here? It counts as seen from now on. */
bool sdi_coherence_news(struct sdi_core *core, sdi_era era, sdi_lsn lsn);
/* sdi_coherence_token: since when has all been known here that this token tells? `news_at`, if it is new here: a
 * session makes it now, which had its last news then, or brings it now. One that comes back, as a visitor's does with
 * each request, is no news again. */
int64_t sdi_coherence_token(struct sdi_core *core, sdi_slice text, int64_t news_at);

/* sdi_coherence_publish writes into `message` what these operations on fences change, and puts the operation that tells
 * it behind them: 1 if it did, 0 where the cache carries no messages. */
size_t sdi_coherence_publish(struct sdi_core *core, sdi_cache_op *operations, size_t count, unsigned char *message);

#endif
