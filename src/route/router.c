#include "route/router.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/random.h"
#include "route/node.h"

struct sdi_router {
    const sdi_settings *settings;
    sdi_metrics *metrics;
    sdi_log *log;
    sdi_node *nodes;
    size_t count;
    sdi_mutex lock;
    sdi_condition changed;  /* for those who wait for a node */
    sdi_condition watchers; /* for the watchers of nodes */
    uint64_t changes;
    uint64_t system;     /* of the first node that told; 0 before */
    uint32_t timeline;   /* the latest that a primary was seen on: one of an older was deposed */
    int64_t head_at;     /* when nothing lay beyond `head`; 0 unknown */
    sdi_lsn head;        /* the furthest that was flushed on it; known also while the primary is gone */
    size_t last_primary; /* SIZE_MAX before the first */
    bool stopped;
    _Atomic int32_t primary_reads; /* under the admission limit */
};

static bool make_nodes(sdi_router *router)
{
    const sdi_route_settings *route = &router->settings->route;
    for (size_t i = 0; i < router->count; i++) {
        sdi_node *node = &router->nodes[i];
        node->settings = &router->settings->nodes[i];
        node->number = i;
        sdi_breaker_init(&node->breaker, route->breaker_failures, route->breaker_open_ms, route->breaker_open_max_ms);
        node->pool = sdi_pool_new(node->settings, &router->settings->pool, i, router->metrics);
        if (!node->pool)
            return false;
        node->lanes = sdi_lanes_new(node->pool, &router->settings->pool, i, (size_t)router->settings->max_result_bytes,
                                    router->metrics);
        if (!node->lanes)
            return false;
    }
    return true;
}

sdi_router *sdi_router_new(const sdi_settings *settings, sdi_metrics *metrics, sdi_log *log)
{
    sdi_router *router = sdi_calloc(1, sizeof *router);
    if (!router)
        return NULL;
    router->settings = settings;
    router->metrics = metrics;
    router->log = log;
    router->count = settings->node_count;
    router->last_primary = SIZE_MAX;
    sdi_mutex_init(&router->lock);
    sdi_condition_init(&router->changed);
    sdi_condition_init(&router->watchers);
    router->nodes = sdi_calloc(router->count, sizeof *router->nodes);
    if (router->nodes && make_nodes(router))
        return router;
    sdi_router_free(router);
    return NULL;
}

static void free_with(sdi_router *router, void (*free_lanes)(sdi_lanes *), void (*free_pool)(sdi_pool *))
{
    for (size_t i = 0; router->nodes && i < router->count; i++) {
        free_lanes(router->nodes[i].lanes);
        free_pool(router->nodes[i].pool);
    }
    sdi_free(router->nodes);
    sdi_free(router);
}

void sdi_router_free(sdi_router *router)
{
    if (!router)
        return;
    sdi_mutex_destroy(&router->lock);
    sdi_condition_destroy(&router->changed);
    sdi_condition_destroy(&router->watchers);
    free_with(router, sdi_lanes_free, sdi_pool_free);
}

void sdi_router_abandon(sdi_router *router)
{
    free_with(router, sdi_lanes_abandon, sdi_pool_abandon);
}

size_t sdi_router_nodes(const sdi_router *router)
{
    return router->count;
}

const char *sdi_router_name(const sdi_router *router, size_t node)
{
    return router->nodes[node].settings->name;
}

sdi_pool *sdi_router_pool(const sdi_router *router, size_t node)
{
    return router->nodes[node].pool;
}

sdi_lanes *sdi_router_lanes(const sdi_router *router, size_t node)
{
    return router->nodes[node].lanes;
}

/* -------------------------------------------------------------------------------------------------------- choosing */

static bool healthy(const sdi_router *router, size_t i, uint64_t tried)
{
    sdi_node *node = &router->nodes[i];
    return !(tried >> i & 1) && node->role != SDI_ROLE_UNKNOWN &&
           sdi_breaker_state(&node->breaker) == SDI_BREAKER_CLOSED;
}

static bool replica_for(const sdi_node *node, const sdi_need *need)
{
    if (node->role != SDI_ROLE_REPLICA)
        return false;
    if (need->limit_lag && node->lag_us > need->lag_max_ms * 1000)
        return false;
    return need->lsn == 0 || sdi_era_follows(node->era, need->era);
}

static bool close_behind(const sdi_router *router, const sdi_node *node)
{
    return node->lag_us <= router->settings->route.wait_for_replica_ms * 1000;
}

/* Collects the replicas that will do; `perhaps`: those not known to have replayed enough, but close behind. */
static size_t candidates(const sdi_router *router, const sdi_need *need, uint64_t tried, bool perhaps, size_t *found)
{
    size_t count = 0;
    for (size_t i = 0; i < router->count; i++) {
        const sdi_node *node = &router->nodes[i];
        if (!healthy(router, i, tried) || !replica_for(node, need))
            continue;
        bool certain = node->position >= need->lsn;
        if (perhaps ? !certain && close_behind(router, node) : certain)
            found[count++] = i;
    }
    return count;
}

/* The power of two choices (Mitzenmacher 1996): nearly as good as the best of all, and no herd runs to one node. */
static size_t better_of_two(const sdi_router *router, const size_t *found, size_t count)
{
    const char *zone = router->settings->route.zone;
    size_t first = sdi_random_below(count);
    if (count == 1)
        return found[0];
    size_t second = (first + 1 + sdi_random_below(count - 1)) % count;
    const sdi_node *a = &router->nodes[found[first]], *b = &router->nodes[found[second]];
    return sdi_node_score(a, zone) <= sdi_node_score(b, zone) ? found[first] : found[second];
}

static bool pick_replica(const sdi_router *router, const sdi_need *need, uint64_t tried, bool perhaps,
                         sdi_choice *choice)
{
    size_t found[SDI_NODES_MAX];
    size_t count = candidates(router, need, tried, perhaps, found);
    if (!count)
        return false;
    *choice = (sdi_choice){.node = better_of_two(router, found, count), .perhaps = perhaps};
    return true;
}

/* Of two that claim to be primary (one was cut off and does not know yet) the later timeline is right: also while the
 * right one cannot be reached, or what is written meanwhile is lost. */
static bool find_primary(const sdi_router *router, uint64_t tried, size_t *node_out)
{
    bool found = false;
    for (size_t i = 0; i < router->count; i++) {
        const sdi_node *node = &router->nodes[i];
        if (node->role != SDI_ROLE_PRIMARY || node->era.timeline < router->timeline || !healthy(router, i, tried))
            continue;
        *node_out = i;
        found = true;
    }
    return found;
}

/* A primary must not melt because the replicas lag: reads that come here for want of a replica are counted. */
static bool admit(sdi_router *router, const sdi_need *need, sdi_choice *choice)
{
    choice->admitted = !need->primary && router->count > 1;
    if (!choice->admitted)
        return true;
    int32_t reads = atomic_fetch_add_explicit(&router->primary_reads, 1, memory_order_relaxed);
    if (reads < router->settings->route.primary_reads)
        return true;
    atomic_fetch_sub_explicit(&router->primary_reads, 1, memory_order_relaxed);
    return false;
}

int sdi_router_unavailable(sdi_router *router, bool primary, shopdata_error **error_out)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_router_describe(router, &text);
    char *nodes = sdi_buffer_take(&text);
    int status = sdi_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, "no %s can be reached (%s)",
                          primary ? "primary" : "node", nodes ? nodes : "");
    sdi_free(nodes);
    return status;
}

int sdi_router_choose(sdi_router *router, const sdi_need *need, uint64_t tried, bool certain, sdi_choice *choice_out,
                      shopdata_error **error_out)
{
    sdi_choice choice = {0};
    sdi_lock(&router->lock);
    bool found = !need->primary && (pick_replica(router, need, tried, false, &choice) ||
                                    (!certain && pick_replica(router, need, tried, true, &choice)));
    bool busy = false;
    if (!found && find_primary(router, tried, &choice.node)) {
        choice.primary = true;
        found = admit(router, need, &choice);
        busy = !found;
    }
    if (found)
        atomic_fetch_add_explicit(&router->nodes[choice.node].in_flight, 1, memory_order_relaxed);
    sdi_unlock(&router->lock);
    if (busy)
        return sdi_fail(error_out, SHOPDATA_ERR_BUSY,
                        "no replica is new enough, and the primary already serves %lld reads for that reason "
                        "(route.primary_reads)",
                        (long long)router->settings->route.primary_reads);
    if (!found)
        return sdi_router_unavailable(router, need->primary, error_out);
    *choice_out = choice;
    return SHOPDATA_OK;
}

void sdi_router_done(sdi_router *router, const sdi_choice *choice, int64_t latency)
{
    sdi_node *node = &router->nodes[choice->node];
    atomic_fetch_sub_explicit(&node->in_flight, 1, memory_order_relaxed);
    if (choice->admitted)
        atomic_fetch_sub_explicit(&router->primary_reads, 1, memory_order_relaxed);
    if (latency >= 0)
        sdi_node_answered(node, latency);
}

bool sdi_router_primary(sdi_router *router, size_t *node_out)
{
    sdi_lock(&router->lock);
    bool found = find_primary(router, 0, node_out);
    sdi_unlock(&router->lock);
    return found;
}

bool sdi_router_surveyed(sdi_router *router)
{
    size_t primary, heard_of = 0;
    sdi_lock(&router->lock);
    while (heard_of < router->count && router->nodes[heard_of].heard_of)
        heard_of++;
    bool surveyed = heard_of == router->count || find_primary(router, 0, &primary);
    sdi_unlock(&router->lock);
    return surveyed;
}

/* ------------------------------------------------------------------------------------------------------- observing */

/* The lock is held. */
static void announce(sdi_router *router)
{
    router->changes++;
    sdi_wake_all(&router->changed);
}

/* The lock is held. */
static void hear_of(sdi_router *router, sdi_node *node)
{
    if (!node->heard_of)
        announce(router);
    node->heard_of = true;
}

static void note_head(sdi_router *router, const sdi_moment *moment)
{
    if (moment->standby || moment->era.timeline < router->timeline)
        return;
    bool newer = moment->era.timeline > router->timeline;
    router->timeline = moment->era.timeline;
    if (newer || moment->flush >= router->head) {
        router->head = moment->flush;
        if (newer || moment->asked_at > router->head_at)
            router->head_at = moment->asked_at;
    }
}

/* Another node is primary now: counted, and the connections of the old one may be to a server that was turned round. */
static void note_primary(sdi_router *router, sdi_node *node)
{
    if (router->last_primary != SIZE_MAX && router->last_primary != node->number) {
        sdi_node *old = &router->nodes[router->last_primary];
        sdi_count(router->metrics, SDI_M_FAILOVERS, 0, 1);
        SDI_LOG(router->log, SDI_LOG_FAILOVER, SDI_TEXT(old->settings->name), SDI_TEXT(node->settings->name),
                SDI_NUMBER(node->era.timeline));
        sdi_pool_flush(old->pool);
    }
    router->last_primary = node->number;
}

static const char *role_name(enum sdi_role role)
{
    static const char *const names[] = {"unknown", "replica", "primary"};
    return names[role];
}

static void log_role(const sdi_router *router, const sdi_node *node, enum sdi_role before, bool was_ill)
{
    const char *name = node->settings->name, *role = role_name(node->role);
    if (was_ill)
        SDI_LOG(router->log, SDI_LOG_NODE_BREAKER_CLOSED, SDI_TEXT(name));
    if (before == SDI_ROLE_UNKNOWN)
        SDI_LOG(router->log, SDI_LOG_NODE_FOUND, SDI_TEXT(name), SDI_TEXT(role), SDI_NUMBER(node->era.timeline));
    else if (before != node->role)
        SDI_LOG(router->log, SDI_LOG_NODE_ROLE, SDI_TEXT(name), SDI_TEXT(role_name(before)), SDI_TEXT(role),
                SDI_NUMBER(node->era.timeline));
}

bool sdi_router_observe(sdi_router *router, size_t number, const sdi_moment *moment)
{
    sdi_node *node = &router->nodes[number];
    sdi_lock(&router->lock);
    if (!router->system)
        router->system = moment->era.system;
    bool ours = moment->era.system == 0 || router->system == moment->era.system;
    hear_of(router, node);
    if (ours) {
        enum sdi_role before = node->role;
        bool was_ill = sdi_breaker_state(&node->breaker) != SDI_BREAKER_CLOSED;
        note_head(router, moment);
        sdi_node_observe(node, moment, router->head, router->head_at);
        sdi_breaker_succeeded(&node->breaker);
        log_role(router, node, before, was_ill);
        if (node->role == SDI_ROLE_PRIMARY && before != SDI_ROLE_PRIMARY && node->era.timeline >= router->timeline)
            note_primary(router, node);
        if (node->role != before || was_ill)
            announce(router);
    }
    sdi_unlock(&router->lock);
    if (!ours)
        SDI_LOG(router->log, SDI_LOG_NODE_FOREIGN, SDI_TEXT(node->settings->name),
                SDI_TEXT("its system identifier is not that of the other nodes"));
    return ours;
}

uint64_t sdi_router_system(sdi_router *router)
{
    sdi_lock(&router->lock);
    uint64_t system = router->system;
    sdi_unlock(&router->lock);
    return system;
}

sdi_era sdi_router_era(sdi_router *router, size_t node)
{
    sdi_lock(&router->lock);
    sdi_era era = router->nodes[node].era;
    sdi_unlock(&router->lock);
    return era;
}

uint32_t sdi_router_timeline(sdi_router *router)
{
    sdi_lock(&router->lock);
    uint32_t timeline = router->timeline;
    sdi_unlock(&router->lock);
    return timeline;
}

void sdi_router_failed(sdi_router *router, size_t number, const char *why)
{
    sdi_node *node = &router->nodes[number];
    const char *name = node->settings->name;
    sdi_count(router->metrics, SDI_M_NODE_FAILURES, number, 1);
    sdi_lock(&router->lock);
    if (node->role != SDI_ROLE_UNKNOWN)
        SDI_LOG(router->log, SDI_LOG_NODE_LOST, SDI_TEXT(name), SDI_TEXT(role_name(node->role)), SDI_TEXT(why));
    if (sdi_breaker_failed(&node->breaker, sdi_now())) {
        sdi_count(router->metrics, SDI_M_NODE_BREAKER_OPENED, number, 1);
        SDI_LOG(router->log, SDI_LOG_NODE_BREAKER_OPENED, SDI_TEXT(name), SDI_TEXT(why));
    }
    node->role = SDI_ROLE_UNKNOWN;
    node->wanted = true;
    node->heard_of = true;
    announce(router);
    sdi_wake_all(&router->watchers);
    sdi_unlock(&router->lock);
    sdi_pool_flush(node->pool);
}

void sdi_router_suspect(sdi_router *router, size_t number)
{
    sdi_lock(&router->lock);
    SDI_LOG(router->log, SDI_LOG_NODE_READ_ONLY, SDI_TEXT(router->nodes[number].settings->name));
    router->nodes[number].role = SDI_ROLE_UNKNOWN;
    for (size_t i = 0; i < router->count; i++)
        router->nodes[i].wanted = true;
    sdi_wake_all(&router->watchers);
    sdi_unlock(&router->lock);
}

bool sdi_router_is_current(sdi_router *router, sdi_era era)
{
    sdi_lock(&router->lock);
    bool current = router->timeline != 0 && sdi_era_equal(era, (sdi_era){router->system, router->timeline});
    sdi_unlock(&router->lock);
    return current;
}

int64_t sdi_router_behind(sdi_router *router, size_t node)
{
    sdi_lock(&router->lock);
    int64_t complete_at = router->nodes[node].complete_at;
    sdi_unlock(&router->lock);
    return complete_at ? sdi_now() - complete_at : -1;
}

uint64_t sdi_router_changes(sdi_router *router)
{
    sdi_lock(&router->lock);
    uint64_t changes = router->changes;
    sdi_unlock(&router->lock);
    return changes;
}

bool sdi_router_wait(sdi_router *router, uint64_t seen, int64_t deadline)
{
    sdi_lock(&router->lock);
    while (router->changes == seen && !router->stopped && sdi_wait(&router->changed, &router->lock, deadline))
        ;
    bool changed = router->changes != seen;
    sdi_unlock(&router->lock);
    return changed;
}

/* -------------------------------------------------------------------------------------------------------- watching */

bool sdi_router_may_probe(sdi_router *router, size_t node)
{
    return sdi_breaker_allows(&router->nodes[node].breaker, sdi_now());
}

bool sdi_router_await(sdi_router *router, size_t node, int64_t deadline)
{
    sdi_lock(&router->lock);
    while (!router->stopped && !router->nodes[node].wanted && sdi_wait(&router->watchers, &router->lock, deadline))
        ;
    router->nodes[node].wanted = false;
    bool go_on = !router->stopped;
    sdi_unlock(&router->lock);
    return go_on;
}

void sdi_router_stop(sdi_router *router)
{
    sdi_lock(&router->lock);
    router->stopped = true;
    sdi_wake_all(&router->watchers);
    sdi_wake_all(&router->changed);
    sdi_unlock(&router->lock);
}

/* --------------------------------------------------------------------------------------------------------- telling */

void sdi_router_gauges(sdi_router *router)
{
    sdi_lock(&router->lock);
    for (size_t i = 0; i < router->count; i++) {
        sdi_node *node = &router->nodes[i];
        sdi_gauge(router->metrics, SDI_M_NODE_ROLE, i, node->role);
        sdi_gauge(router->metrics, SDI_M_NODE_BREAKER, i, sdi_breaker_state(&node->breaker));
        sdi_gauge(router->metrics, SDI_M_NODE_LAG_BYTES, i, (double)node->lag_bytes);
        sdi_gauge(router->metrics, SDI_M_NODE_LAG_SECONDS, i, (double)node->lag_us / 1e6);
    }
    sdi_unlock(&router->lock);
    for (size_t i = 0; i < router->count; i++)
        sdi_pool_gauges(router->nodes[i].pool, sdi_lanes_waiting(router->nodes[i].lanes));
}

void sdi_router_describe(sdi_router *router, sdi_buffer *text)
{
    static const char *const roles[] = {"not reached", "replica", "primary"};
    sdi_lock(&router->lock);
    for (size_t i = 0; i < router->count; i++) {
        sdi_node *node = &router->nodes[i];
        sdi_buffer_printf(text, "%s%s: %s", i ? "; " : "", node->settings->name, roles[node->role]);
        if (sdi_breaker_state(&node->breaker) != SDI_BREAKER_CLOSED)
            sdi_buffer_text(text, ", circuit breaker open");
        else if (node->role == SDI_ROLE_REPLICA)
            sdi_buffer_printf(text, ", %lld ms behind", (long long)(node->lag_us / 1000));
    }
    sdi_unlock(&router->lock);
}
