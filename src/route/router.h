/* router.h - the nodes of a database: who is primary, who lags how far, who is ill, and which one answers next.
 *
 * Roles are found, never assumed. Whoever talks to a node tells what it saw (sdi_router_observe, _failed); the client's
 * watchers talk to each node regularly, so that this is never old. Thread safe. */
#ifndef SDI_ROUTE_ROUTER_H
#define SDI_ROUTE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/log.h"
#include "model/metrics.h"
#include "model/settings.h"
#include "postgres/lanes.h"
#include "postgres/moment.h"
#include "postgres/pool.h"

enum { SDI_NODES_MAX = 64 };

typedef struct sdi_router sdi_router;

/* sdi_router_new makes the nodes of the settings, each with an empty pool; no I/O. NULL without memory. */
sdi_router *sdi_router_new(const sdi_settings *settings, sdi_metrics *metrics, sdi_log *log);
void sdi_router_free(sdi_router *router);
/* sdi_router_abandon frees in a forked child: no locks, no words to the servers. */
void sdi_router_abandon(sdi_router *router);

size_t sdi_router_nodes(const sdi_router *router);
const char *sdi_router_name(const sdi_router *router, size_t node);
sdi_pool *sdi_router_pool(const sdi_router *router, size_t node);
sdi_lanes *sdi_router_lanes(const sdi_router *router, size_t node);

/* What a read asks of the node that answers it. */
typedef struct sdi_need {
    bool primary;   /* this one only */
    sdi_era era;    /* of `lsn`; unknown if there is none */
    sdi_lsn lsn;    /* a replica must have replayed this; 0: any position */
    bool limit_lag; /* a replica may not lag more than `lag_max_ms` */
    int64_t lag_max_ms;
} sdi_need;

/* What was chosen. Give it back with sdi_router_done, once. */
typedef struct sdi_choice {
    size_t node;
    bool primary;
    bool perhaps;  /* a replica that may have replayed what is needed by the time it answers: its stamp will tell */
    bool admitted; /* counts against the primary's admission limit */
} sdi_choice;

/* sdi_router_choose picks a node for a read: of the replicas new enough (two at random, the better by latency x reads
 * in flight, weight and zone), else one that is so close behind that it may be by then (unless `certain`), else the
 * primary. `tried` is a set of nodes (bit n) not to choose again. SHOPDATA_ERR_UNAVAILABLE if there is none,
 * SHOPDATA_ERR_BUSY if only the primary could and its admission limit is reached. */
int sdi_router_choose(sdi_router *router, const sdi_need *need, uint64_t tried, bool certain, sdi_choice *choice_out,
                      shopdata_error **error_out);
/* sdi_router_unavailable is SHOPDATA_ERR_UNAVAILABLE: no node, or no primary; with what is known of every node. */
int sdi_router_unavailable(sdi_router *router, bool primary, shopdata_error **error_out);
/* sdi_router_done takes the choice back; `latency` in microseconds of an answer, negative if there was none. */
void sdi_router_done(sdi_router *router, const sdi_choice *choice, int64_t latency);
/* sdi_router_primary: the node number of the primary; false if it is not known now. Never one of an older timeline than
 * a primary was seen on before. */
bool sdi_router_primary(sdi_router *router, size_t *node_out);
/* sdi_router_surveyed: the primary is known, or every node has answered once or failed to: there may be none. */
bool sdi_router_surveyed(sdi_router *router);
/* sdi_router_wait sleeps until something about the nodes changes, or the deadline; false at the deadline. */
bool sdi_router_wait(sdi_router *router, uint64_t seen, int64_t deadline);
/* sdi_router_changes numbers the changes: take it before looking, pass it to sdi_router_wait. */
uint64_t sdi_router_changes(sdi_router *router);

/* sdi_router_observe: the node has just said this of itself. False if it does not belong to the database the others do.
 */
bool sdi_router_observe(sdi_router *router, size_t node, const sdi_moment *moment);
/* sdi_router_system: the system identifier of the nodes; 0 before the first one was reached. */
uint64_t sdi_router_system(sdi_router *router);
/* sdi_router_era: the last one the node was seen in; of a standby whose primary is gone it is all that is known. */
sdi_era sdi_router_era(sdi_router *router, size_t node);
/* sdi_router_timeline: the latest that a primary was seen on, 0 before the first. What is of an older one has no say.
 */
uint32_t sdi_router_timeline(sdi_router *router);
/* sdi_router_is_current: is this the era that a primary was last seen in? */
bool sdi_router_is_current(sdi_router *router, sdi_era era);
/* sdi_router_behind: a replica has replayed all that the primary had flushed so many microseconds ago; -1 unknown. No
 * clock of another machine counts in it. */
int64_t sdi_router_behind(sdi_router *router, size_t node);
/* sdi_router_failed: it could not be reached, or the connection was lost; `why` for the log, without secrets. Its role
 * is unknown until it answers again. */
void sdi_router_failed(sdi_router *router, size_t node, const char *why);
/* sdi_router_suspect: it refused a write (25006): who is primary has to be found out anew. */
void sdi_router_suspect(sdi_router *router, size_t node);

/* For the watcher of a node: sdi_router_may_probe asks the node's circuit breaker; sdi_router_await sleeps until the
 * next look is due or somebody needs it now (a failure, a suspicion, sdi_router_stop). False once stopped. */
bool sdi_router_may_probe(sdi_router *router, size_t node);
bool sdi_router_await(sdi_router *router, size_t node, int64_t deadline);
void sdi_router_stop(sdi_router *router);

/* sdi_router_gauges sets the gauges of nodes and pools. */
void sdi_router_gauges(sdi_router *router);
/* sdi_router_describe appends one line about every node: "primary: down since 3 s; replica1: replica, 120 ms behind".
 */
void sdi_router_describe(sdi_router *router, sdi_buffer *text);

#endif
