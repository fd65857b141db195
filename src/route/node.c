#include "route/node.h"

#include <string.h>

#include "base/clock.h"

/* An idle primary is no lag: who has replayed all there is lags by nothing, however old its last commit is. */
static int64_t lag_of(const sdi_node *node, const sdi_moment *moment, int64_t now)
{
    if (node->lag_bytes == 0)
        return 0;
    if (moment->replay_age_seconds >= 0)
        return (int64_t)(moment->replay_age_seconds * 1e6);
    return node->caught_up_at ? now - node->caught_up_at : INT64_MAX;
}

/* What it has received and not replayed counts too: with the primary gone nobody else knows of it. */
static sdi_lsn bytes_behind(const sdi_node *node, const sdi_moment *moment, sdi_lsn head)
{
    sdi_lsn known = moment->received > head ? moment->received : head;
    return moment->standby && known > node->position ? known - node->position : 0;
}

void sdi_node_observe(sdi_node *node, const sdi_moment *moment, sdi_lsn head, int64_t head_at)
{
    int64_t now = sdi_now();
    node->role = moment->standby ? SDI_ROLE_REPLICA : SDI_ROLE_PRIMARY;
    if (moment->era.timeline)
        node->era = moment->era; /* a standby without its wal receiver stays in the era it was last seen in */
    node->position = moment->standby ? moment->replay : moment->flush;
    node->lag_bytes = bytes_behind(node, moment, head);
    if (!node->lag_bytes)
        node->caught_up_at = now;
    node->lag_us = lag_of(node, moment, now);
    if (head_at && node->position >= head && head_at > node->complete_at)
        node->complete_at = head_at;
}

/* Peak-EWMA: a slower answer counts at once, a faster one little by little, so that a node that stalls is left quickly.
 */
void sdi_node_answered(sdi_node *node, int64_t latency)
{
    int64_t average = atomic_load_explicit(&node->latency, memory_order_relaxed);
    int64_t next = latency > average ? (average + latency) / 2 : average + (latency - average) / 8;
    atomic_store_explicit(&node->latency, next, memory_order_relaxed);
}

double sdi_node_score(const sdi_node *node, const char *zone)
{
    double latency = (double)atomic_load_explicit(&node->latency, memory_order_relaxed) + 1;
    double waiting = latency * (1 + atomic_load_explicit(&node->in_flight, memory_order_relaxed));
    double near = *zone && !strcmp(zone, node->settings->zone) ? 2 : 1;
    return waiting / ((double)node->settings->weight * near);
}
