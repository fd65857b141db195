/* lanes.h - the reads of many callers share round trips to a node, on a few connections of its pool.
 *
 * A batch is [where does the node stand?, everybody's commands, how far has it come?] with one Sync behind. The first
 * is the stamp of all: it is asked before any of them runs, and after every caller has come. What the server skips
 * after somebody's error is sent again, without asking anew: an older stamp says less, and nothing wrong.
 *
 * Only reads share, each a statement that has been measured and is quick: one Sync is one transaction, and a slow one
 * holds up its neighbours. Nothing is ever cancelled here: who runs out of time leaves his answer to nobody, and the
 * others get theirs (base/combine.h). */
#ifndef SDI_POSTGRES_LANES_H
#define SDI_POSTGRES_LANES_H

#include "postgres/moment.h"
#include "postgres/pool.h"

enum { SDI_LANES_MAX = 64 };

typedef struct sdi_lanes sdi_lanes;

/* sdi_lanes_new makes as many as settings->shared says, but no more than the pool has connections, without I/O; each
 * takes a connection of the pool for a batch at a time. Pool, settings and metrics outlive it. NULL without memory. */
sdi_lanes *sdi_lanes_new(sdi_pool *pool, const sdi_pool_settings *settings, size_t node, size_t max_bytes,
                         sdi_metrics *metrics);
void sdi_lanes_free(sdi_lanes *lanes);
/* sdi_lanes_abandon: as sdi_pool_abandon, before it. */
void sdi_lanes_abandon(sdi_lanes *lanes);

/* sdi_lanes_waiting is how many callers wait for a connection to share. */
size_t sdi_lanes_waiting(sdi_lanes *lanes);

/* sdi_lanes_suit: may these reads, which do not depend on one another, share a batch? */
bool sdi_lanes_suit(const sdi_lanes *lanes, const sdi_pg_command *commands, size_t count, int64_t deadline);

typedef struct sdi_lanes_answer {
    sdi_moment moment; /* asked before the commands, asked_at known */
    sdi_lsn reached;   /* asked behind them; 0: not known */
    uint64_t loss;     /* UNAVAILABLE: for sdi_lanes_tell */
    bool connected;    /* UNAVAILABLE: not before it was sent */
} sdi_lanes_answer;

enum { SDI_LANES_ALONE = 1 };

/* sdi_lanes_read runs reads that suit, in a batch with others', and fills the commands as sdi_pg_read does: 0, or what
 * that and sdi_pool_take fail with. SDI_LANES_ALONE: they were not answered, through no fault of theirs or the
 * connection's; to be run on a connection of their own. `primary`: what the node is believed to be. */
int sdi_lanes_read(sdi_lanes *lanes, bool primary, sdi_pg_command *commands, size_t count, int64_t deadline,
                   sdi_lanes_answer *answer_out, shopdata_error **error_out);
/* sdi_lanes_tell: is this one the first to tell of the loss? Many get to know of a connection that is lost. */
bool sdi_lanes_tell(sdi_lanes *lanes, uint64_t loss);

#endif
