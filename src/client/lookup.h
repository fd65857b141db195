/* lookup.h - one read of a batch on its way through the tiers, and the look into the shared cache. */
#ifndef SDI_CLIENT_LOOKUP_H
#define SDI_CLIENT_LOOKUP_H

#include "client/core.h"
#include "client/flight.h"
#include "client/session.h"
#include "client/statement.h"

enum sdi_read_state {
    SDI_READ_OPEN,    /* to be asked of the database */
    SDI_READ_JOINED,  /* another caller asks */
    SDI_READ_AWAITED, /* another process asks */
    SDI_READ_DONE,
};

enum sdi_lease_state {
    SDI_LEASE_NONE,
    SDI_LEASE_HELD,    /* this read asks, for all processes */
    SDI_LEASE_AWAITED, /* another process does */
    SDI_LEASE_OVER,    /* given back, or waited for long enough: not claimed again */
};

typedef struct sdi_read {
    const shopdata_call *call;
    sdi_planned *planned;
    const sdi_policy_settings *policy;
    shopdata_session *session;
    unsigned flags; /* the call's and the session's */
    bool cached;    /* look into the cache, fill it */
    sdi_tags tags;
    sdi_buffer identity, key;
    bool looked_locally;   /* in vain, before the round */
    sdi_hash128 local_key; /* the identity's, by the core's seed: what is kept in this process is found by it alone */
    enum sdi_read_state state;
    sdi_flight *flight;
    uint64_t came; /* JOINED: the first sample that was sent after it came */
    bool leads;
    enum sdi_lease_state lease;
    uint64_t lease_nonce;
    int64_t lease_until; /* AWAITED: so long at most (clock.h) */
    bool missed;         /* counted as a miss */
    uint64_t moment;     /* of the last look (coherence.h) */
    sdi_local_seen seen; /* of an answer that this process kept */
    /* What the fences say, as of the last look. Two of a kind: [0] for an answer with rows, [1] for one without, which
     * hangs on more tags. */
    bool fences_read;   /* the cache answered; false in a mode without fences */
    uint64_t missing;   /* tags (bit n) without a fence */
    uint64_t useless;   /* of those: a record stands there that is none, or one of another mode */
    bool met;           /* counted as one that met pending transactions */
    uint64_t pending;   /* tags whose fence has transactions pending */
    uint64_t untold;    /* tags (bit n) of which this process knows more than the cache (unfinished.h) */
    uint64_t floor;     /* a sample (floor.h) that is in `demand` too; 0: none */
    bool whole[2];      /* every tag that counts has a fence: `demand` is all of it */
    bool demanded[2];   /* at least one fence was read into `demand` */
    bool mixed_eras;    /* fences of different eras, or of one that is over: no stamp passes all of them */
    bool crowded;       /* more is pending than fits into `demand`: as if no stamp passed */
    int64_t looked_at;  /* sdi_wall before that look: a write that had returned by then is in the fences */
    sdi_change *settle; /* what was pending and has finished, to be told (settle.h); NULL: nothing */
    /* an old answer, which may be served in place of a new one (stale.h) */
    shopdata_result *old;
    bool old_overtaken;
    /* the answer */
    shopdata_result *result;
    bool stamped;
    bool unstored; /* the database has just given it */
    bool sent;     /* to the cache, whose answer is still to come */
    /* What is large, and mostly empty. */
    sdi_point demand[2]; /* what an answer must contain */
    sdi_stamp stamp, old_stamp;
    /* Of the tags, their ends, identity and key: memory is taken only for long ones. */
    char tag_room[256], end_room[6 * sizeof(size_t)], identity_room[72], key_room[104];
} sdi_read;

/* sdi_read_begin makes one of which nothing is known but the call. It stays where it is. */
void sdi_read_begin(sdi_read *read, const shopdata_call *call);

enum { SDI_READ_TAGS_MAX = 64 }; /* a statement with more tags is not cached */

/* sdi_lookup reads entries and fences of all cached reads in one round trip; a valid entry makes a read DONE. False if
 * the cache did not answer. */
bool sdi_lookup(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline);
/* sdi_demand_floor adds a sample of after the read came to what its answers must contain, in place of the fences that
 * are missing. What was running counts for nothing: nobody could see it when he came. */
void sdi_demand_floor(sdi_read *read, const sdi_sample *floor);
/* sdi_miss_fences: what the fences say cannot be known, and is as if none of them stood. */
void sdi_miss_fences(sdi_read *read);
/* sdi_answer_passes: does an answer of this stamp contain all that this read's fences demand, none of them missing? In
 * a mode without fences: all that its session wrote? */
bool sdi_answer_passes(const sdi_read *read, const shopdata_result *answer, const sdi_stamp *stamp);
/* sdi_read_looks: is this read still to be found in the cache? sdi_read_operations is room enough for what is asked of
 * the cache for these reads at a time. */
bool sdi_read_looks(const sdi_read *read);
size_t sdi_read_operations(const sdi_read *reads, size_t count);
/* sdi_read_policy is the number of the read's policy, for metrics. */
size_t sdi_read_policy(const sdi_core *core, const sdi_read *read);

#endif
