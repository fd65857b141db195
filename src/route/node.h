/* node.h - what is known of one node. Internal to the room; the router's lock is held for all but the counters. */
#ifndef SDI_ROUTE_NODE_H
#define SDI_ROUTE_NODE_H

#include <stdatomic.h>

#include "base/breaker.h"
#include "route/router.h"

enum sdi_role { SDI_ROLE_UNKNOWN, SDI_ROLE_REPLICA, SDI_ROLE_PRIMARY };

typedef struct sdi_node {
    const sdi_node_settings *settings;
    size_t number;
    sdi_pool *pool;
    sdi_lanes *lanes;
    sdi_breaker breaker;
    enum sdi_role role;
    sdi_era era;
    sdi_lsn position;     /* replica: replayed; primary: flushed */
    int64_t caught_up_at; /* replica: when it last had replayed all that the primary had flushed; 0 never */
    int64_t complete_at;  /* replica: it has replayed all that the primary had flushed at this moment; 0 never */
    int64_t lag_us;
    uint64_t lag_bytes;
    bool heard_of;           /* it has answered, or failed to, once */
    bool wanted;             /* its watcher should look now */
    _Atomic int64_t latency; /* moving average, microseconds */
    _Atomic int32_t in_flight;
} sdi_node;

/* sdi_node_observe takes in what the node said; `head` is the furthest position known of the primary,
 * `head_at` the last moment when there was nothing beyond it (0 unknown). */
void sdi_node_observe(sdi_node *node, const sdi_moment *moment, sdi_lsn head, int64_t head_at);
/* sdi_node_score is what two-choices compares: expected waiting, less for a heavier or nearer node. */
double sdi_node_score(const sdi_node *node, const char *zone);
void sdi_node_answered(sdi_node *node, int64_t latency);

#endif
