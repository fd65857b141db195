#include "cache/memcached/discovery.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/poll.h"
#include "base/random.h"
#include "cache/memcached/batch.h"
#include "cache/trouble.h"

enum { LIST_MAX_BYTES = 1 << 17, SOONER = 4, JITTER_PERCENT = 10 };

bool sdi_memcached_discovery_init(sdi_memcached_discovery *discovery, const sdi_cache_settings *settings,
                                  sdi_cache *cache, sdi_memcached_roster *roster, sdi_gather *gather)
{
    sdi_buffer mark = SDI_BUFFER_INIT;
    sdi_buffer_printf(&mark, "%s:settled", settings->key_prefix);
    *discovery = (sdi_memcached_discovery){
        .settings = *settings,
        .endpoint = sdi_addresses_copy(settings->addresses, 1),
        .mark = sdi_buffer_take(&mark),
        .cache = cache,
        .roster = roster,
        .gather = gather,
    };
    sdi_mutex_init(&discovery->lock);
    if (discovery->endpoint && discovery->mark)
        return true;
    sdi_memcached_discovery_free(discovery);
    return false;
}

void sdi_memcached_discovery_free(sdi_memcached_discovery *discovery)
{
    sdi_mutex_destroy(&discovery->lock);
    sdi_memcached_discovery_abandon(discovery);
}

void sdi_memcached_discovery_abandon(sdi_memcached_discovery *discovery)
{
    sdi_free(discovery->endpoint);
    sdi_free(discovery->mark);
}

/* ---------------------------------------------------------------------------------------------------------- asking */

/* One request to one server, over a connection of its own: names are resolved anew, and no answer of a list is left in
 * the stream of others. How it ended: SDI_MEMCACHED_DONE, or a fault. */
static int ask(const sdi_address *address, sdi_memcached_request *request, int64_t connect_by, int64_t deadline)
{
    sdi_memcached_link link;
    sdi_memcached_link_init(&link);
    sdi_memcached_link_ask(&link, request);
    sdi_memcached_link_begin(&link, address, connect_by < deadline ? connect_by : deadline);
    for (short events; (events = sdi_memcached_link_events(&link)) != 0;) {
        struct pollfd polled = {.fd = link.fd, .events = events};
        int64_t until = link.connecting ? link.connect_by : deadline;
        if (sdi_poll(&polled, 1, until) > 0)
            sdi_memcached_link_advance(&link, address, LIST_MAX_BYTES);
        if (sdi_memcached_link_events(&link) && sdi_passed(until))
            sdi_memcached_link_fail(&link, link.connecting ? SDI_CACHE_FAULT_CONNECT : SDI_CACHE_FAULT_TIMEOUT);
    }
    int outcome = link.outcome;
    sdi_memcached_link_close(&link);
    return outcome;
}

static int ask_for(sdi_memcached_discovery *discovery, const sdi_address *address, enum sdi_memcached_verb verb,
                   const char *key, int64_t deadline, sdi_memcached_cluster *cluster_out)
{
    sdi_memcached_request request = {.verb = verb, .key = sdi_slice_of(key)};
    int64_t connect_by = sdi_deadline_in(discovery->settings.connect_timeout_ms);
    int outcome = ask(address, &request, connect_by, deadline);
    if (outcome == SDI_MEMCACHED_DONE &&
        (request.answer != SDI_MEMCACHED_VALUE ||
         !sdi_memcached_cluster_parse((sdi_slice){request.block, request.length}, cluster_out)))
        outcome = SDI_CACHE_FAULT_PROTOCOL;
    sdi_free(request.block);
    return outcome;
}

/* Engines before 1.4.14 do not know the command, and keep the list under a key. */
static int ask_server(sdi_memcached_discovery *discovery, const sdi_address *address, int64_t deadline,
                      sdi_memcached_cluster *cluster_out)
{
    int outcome = ask_for(discovery, address, SDI_MEMCACHED_CONFIG, "cluster", deadline, cluster_out);
    if (outcome == SDI_CACHE_FAULT_REJECTED)
        outcome = ask_for(discovery, address, SDI_MEMCACHED_GET, "AmazonElastiCache:cluster", deadline, cluster_out);
    if (outcome < SDI_CACHE_FAULTS)
        sdi_cache_failed(discovery->cache, (enum sdi_cache_fault)outcome, address, "gave no list of servers");
    return outcome;
}

/* A server of the newest ring, any of them. */
static int ask_any(sdi_memcached_discovery *discovery, int64_t deadline, sdi_memcached_cluster *cluster_out)
{
    uint64_t number;
    sdi_memcached_selection newest = sdi_memcached_roster_newest(discovery->roster, &number);
    if (newest.count == 0)
        return SDI_CACHE_FAULT_CONNECT;
    const sdi_memcached_ring *ring = newest.rings[0];
    int outcome = ask_server(discovery, &ring->addresses[sdi_random_below(ring->count)], deadline, cluster_out);
    sdi_memcached_roster_return(discovery->roster, &newest);
    return outcome;
}

/* ------------------------------------------------------------------------------------------------- what was answered
 */

static void see(sdi_memcached_discovery *discovery, const sdi_memcached_cluster *cluster, int64_t asked)
{
    char prefix[SDI_MEMCACHED_PREFIX];
    sdi_memcached_ring *ring = NULL;
    if (!sdi_memcached_roster_knows(discovery->roster, cluster->version)) {
        snprintf(prefix, sizeof prefix, "%" PRIu64 ":", cluster->version);
        ring =
            sdi_memcached_ring_new(&discovery->settings, cluster->addresses, cluster->count, prefix, discovery->cache);
        if (!ring)
            return;
    }
    sdi_memcached_roster_see(discovery->roster, cluster->version, ring, asked, sdi_now());
}

/* Looks for the mark, or puts it. */
static void keep_mark(sdi_memcached_discovery *discovery, int64_t deadline)
{
    uint64_t number;
    bool waits = sdi_memcached_roster_waits(discovery->roster, sdi_now());
    sdi_cache_op operation = {
        .verb = waits ? SDI_CACHE_GET : SDI_CACHE_SET,
        .key = sdi_slice_of(discovery->mark),
        .value = sdi_slice_of("settled"),
        .ttl_ms = INT64_MAX,
    };
    if (!waits && !sdi_memcached_roster_settled(discovery->roster, sdi_now()))
        return;
    sdi_memcached_selection newest = sdi_memcached_roster_newest(discovery->roster, &number);
    if (newest.count && sdi_memcached_batch(newest.rings[0], discovery->gather, &operation, 1, deadline, false) &&
        operation.found)
        sdi_memcached_roster_marked(discovery->roster, number);
    sdi_free(operation.block);
    sdi_memcached_roster_return(discovery->roster, &newest);
}

/* When to ask again: sooner where there was no answer, and where the mark is waited for. */
static int64_t next_time(const sdi_memcached_discovery *discovery, bool answered)
{
    int64_t pause = discovery->settings.discovery_interval_ms * 1000;
    if (!answered || sdi_memcached_roster_waits(discovery->roster, sdi_now()))
        pause /= SOONER;
    return sdi_now() + sdi_jitter(pause, JITTER_PERCENT);
}

static bool begins(sdi_memcached_discovery *discovery)
{
    sdi_lock(&discovery->lock);
    bool mine = !discovery->asking && sdi_now() >= discovery->due;
    discovery->asking |= mine;
    sdi_unlock(&discovery->lock);
    return mine;
}

static void ends(sdi_memcached_discovery *discovery, int64_t due)
{
    sdi_lock(&discovery->lock);
    discovery->asking = false;
    discovery->due = due;
    sdi_unlock(&discovery->lock);
}

void sdi_memcached_discovery_refresh(sdi_memcached_discovery *discovery, int64_t deadline)
{
    sdi_memcached_cluster cluster = {0};
    if (!begins(discovery))
        return;
    int64_t asked = sdi_now();
    int64_t timeout = discovery->settings.connect_timeout_ms + discovery->settings.timeout_ms;
    int outcome = ask_server(discovery, discovery->endpoint, sdi_deadline_within(deadline, timeout), &cluster);
    if (outcome != SDI_MEMCACHED_DONE)
        outcome = ask_any(discovery, sdi_deadline_within(deadline, timeout), &cluster);
    if (outcome == SDI_MEMCACHED_DONE)
        see(discovery, &cluster, asked);
    keep_mark(discovery, sdi_deadline_within(deadline, timeout));
    sdi_free(cluster.addresses);
    ends(discovery, next_time(discovery, outcome == SDI_MEMCACHED_DONE));
}
