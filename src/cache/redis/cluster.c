#include "cache/redis/cluster.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "cache/redis/ask.h"

enum { REFRESH_MS = 50, NODE_FIELDS = 2, RANGE_FIELDS = 3 };

bool sdi_redis_cluster_init(sdi_redis_cluster *cluster, sdi_redis_access access)
{
    *cluster = (sdi_redis_cluster){.access = access, .stale = true};
    cluster->slots = sdi_calloc(SDI_REDIS_SLOTS, sizeof *cluster->slots);
    sdi_mutex_init(&cluster->asking);
    sdi_mutex_init(&cluster->mutex);
    sdi_breaker_init(&cluster->breaker, access.settings->breaker_failures, access.settings->breaker_open_ms,
                     access.settings->breaker_open_max_ms);
    return cluster->slots != NULL;
}

void sdi_redis_cluster_free(sdi_redis_cluster *cluster)
{
    for (sdi_redis_server *at = cluster->servers, *next; at; at = next) {
        next = at->next;
        sdi_redis_server_free(at);
    }
    sdi_breaker_destroy(&cluster->breaker);
    sdi_mutex_destroy(&cluster->asking);
    sdi_mutex_destroy(&cluster->mutex);
    sdi_free(cluster->slots);
}

void sdi_redis_cluster_abandon(sdi_redis_cluster *cluster)
{
    for (sdi_redis_server *at = cluster->servers, *next; at; at = next) {
        next = at->next;
        sdi_redis_server_abandon(at);
    }
    sdi_free(cluster->slots);
}

static sdi_redis_server *find_locked(sdi_redis_cluster *cluster, const sdi_address *address)
{
    sdi_redis_server *at = cluster->servers;
    while (at && !sdi_address_equal(at->address, address))
        at = at->next;
    if (at)
        return at;
    at = sdi_redis_server_new(cluster->access, NULL, address);
    if (!at)
        return NULL;
    at->next = cluster->servers;
    cluster->servers = at;
    cluster->server_count++;
    return at;
}

static sdi_redis_server *find_server(sdi_redis_cluster *cluster, const sdi_address *address)
{
    sdi_lock(&cluster->mutex);
    sdi_redis_server *found = find_locked(cluster, address);
    if (found)
        found->wanted = true;
    sdi_unlock(&cluster->mutex);
    return found;
}

sdi_redis_server *sdi_redis_cluster_find(sdi_redis_cluster *cluster, uint16_t slot, int *outcome,
                                         sdi_redis_trouble *trouble)
{
    sdi_redis_server *found = atomic_load_explicit(&cluster->slots[slot], memory_order_acquire);
    if (found)
        return found;
    if (atomic_load(&cluster->known))
        *outcome = sdi_redis_tell(trouble, SDI_CACHE_FAULT_REJECTED, "slot %u is nobody's", slot);
    else /* what was told when the map could not be read stands */
        *outcome =
            sdi_breaker_state(&cluster->breaker) == SDI_BREAKER_OPEN ? SDI_REDIS_SPARED : SDI_CACHE_FAULT_CONNECT;
    return NULL;
}

void sdi_redis_cluster_doubt(sdi_redis_cluster *cluster)
{
    atomic_store(&cluster->stale, true);
}

sdi_redis_server *sdi_redis_cluster_target(sdi_redis_cluster *cluster, const char *text, const sdi_redis_server *from,
                                           bool moved)
{
    char *rest, host[256];
    long slot = strtol(text, &rest, 10);
    const char *colon = strrchr(text, ':');
    size_t length = colon && *rest == ' ' && colon > rest ? (size_t)(colon - rest) - 1 : sizeof host;
    if (length >= sizeof host || slot < 0 || slot >= SDI_REDIS_SLOTS)
        return NULL;
    memcpy(host, rest + 1, length);
    host[length] = '\0';
    sdi_address address = {length ? host : from->address->host, strtol(colon + 1, NULL, 10)};
    if (address.port < 1 || address.port > 65535)
        return NULL;
    sdi_redis_server *target = find_server(cluster, &address);
    if (target && moved)
        atomic_store_explicit(&cluster->slots[slot], target, memory_order_release);
    return target;
}

/* The server of a range's first node, [host, port, ...]. No host: the one that was asked; "?": not known. */
static sdi_redis_server *read_node(sdi_redis_cluster *cluster, const redisReply *node, const sdi_address *asked)
{
    if (node->type != REDIS_REPLY_ARRAY || node->elements < NODE_FIELDS ||
        node->element[1]->type != REDIS_REPLY_INTEGER)
        return NULL;
    const redisReply *host = node->element[0];
    bool named = host->type == REDIS_REPLY_STRING && host->len > 0;
    if (named && strcmp(host->str, "?") == 0)
        return NULL;
    sdi_address address = {named ? host->str : asked->host, node->element[1]->integer};
    return find_server(cluster, &address);
}

/* Takes one range, [first, last, primary, replica...]; the replicas are not used. */
static void take_range(sdi_redis_cluster *cluster, const redisReply *range, const sdi_address *asked,
                       sdi_redis_server **owners)
{
    if (range->type != REDIS_REPLY_ARRAY || range->elements < RANGE_FIELDS)
        return;
    long long first = range->element[0]->integer, last = range->element[1]->integer;
    if (first < 0 || last >= SDI_REDIS_SLOTS)
        return;
    sdi_redis_server *owner = read_node(cluster, range->element[2], asked);
    for (long long slot = first; slot <= last; slot++)
        owners[slot] = owner;
}

/* Connections to servers that left would stay until the end; what is being used just now is left alone. */
static void drop_unwanted(sdi_redis_cluster *cluster)
{
    sdi_lock(&cluster->mutex);
    for (sdi_redis_server *at = cluster->servers; at; at = at->next)
        if (!at->wanted)
            sdi_redis_server_drain(at);
    sdi_unlock(&cluster->mutex);
}

static void want_nobody(sdi_redis_cluster *cluster)
{
    sdi_lock(&cluster->mutex);
    for (sdi_redis_server *at = cluster->servers; at; at = at->next)
        at->wanted = false;
    sdi_unlock(&cluster->mutex);
}

static bool take_map(sdi_redis_cluster *cluster, const redisReply *map, const sdi_address *asked)
{
    sdi_redis_server **owners = sdi_calloc(SDI_REDIS_SLOTS, sizeof *owners);
    if (!owners)
        return false;
    want_nobody(cluster);
    for (size_t i = 0; i < map->elements; i++)
        take_range(cluster, map->element[i], asked, owners);
    for (size_t slot = 0; slot < SDI_REDIS_SLOTS; slot++)
        atomic_store_explicit(&cluster->slots[slot], owners[slot], memory_order_release);
    atomic_store(&cluster->known, true);
    sdi_free(owners);
    drop_unwanted(cluster);
    return true;
}

static bool ask_one(sdi_redis_cluster *cluster, const sdi_address *address, int64_t deadline,
                    sdi_redis_trouble *trouble)
{
    static const char *const question[] = {"CLUSTER", "SLOTS", NULL};
    const sdi_cache_settings *settings = cluster->access.settings;
    sdi_redis_login login = {settings->user, settings->password};
    redisReply *reply = sdi_redis_ask(&cluster->access, address, login, question, deadline, trouble);
    bool taken = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements && take_map(cluster, reply, address);
    if (reply && !taken)
        sdi_redis_tell(trouble, 0, "no slots are told by %s", address->host);
    if (reply)
        freeReplyObject(reply);
    return taken;
}

/* The address of the server or seed whose turn it is. */
static const sdi_address *next_to_ask(sdi_redis_cluster *cluster)
{
    const sdi_cache_settings *settings = cluster->access.settings;
    size_t turn = cluster->turn++ % (cluster->server_count + settings->address_count);
    if (turn < settings->address_count)
        return &settings->addresses[turn];
    const sdi_redis_server *at = cluster->servers;
    for (turn -= settings->address_count; turn > 0 && at->next; turn--)
        at = at->next;
    return at->address;
}

/* Whoever answers goes on being asked. */
static bool ask_around(sdi_redis_cluster *cluster, int64_t deadline, sdi_redis_trouble *trouble)
{
    sdi_lock(&cluster->mutex);
    size_t all = cluster->server_count + cluster->access.settings->address_count;
    sdi_unlock(&cluster->mutex);
    for (size_t i = 0; i < all && !sdi_passed(deadline); i++) {
        sdi_lock(&cluster->mutex);
        const sdi_address *address = next_to_ask(cluster);
        sdi_unlock(&cluster->mutex);
        if (!ask_one(cluster, address, deadline, trouble))
            continue;
        cluster->turn--;
        return true;
    }
    return false;
}

/* `stale` is taken back before the map is read: what comes up meanwhile is news. */
static void read_map(sdi_redis_cluster *cluster, int64_t deadline, sdi_redis_trouble *trouble)
{
    int64_t now = sdi_now();
    if (now - cluster->asked < REFRESH_MS * INT64_C(1000) || !sdi_breaker_allows(&cluster->breaker, now))
        return;
    cluster->asked = now;
    atomic_store(&cluster->stale, false);
    if (ask_around(cluster, deadline, trouble)) {
        sdi_breaker_succeeded(&cluster->breaker);
    } else {
        atomic_store(&cluster->stale, true);
        if (!sdi_interrupted())
            sdi_breaker_failed(&cluster->breaker, sdi_now());
    }
}

void sdi_redis_cluster_refresh(sdi_redis_cluster *cluster, int64_t deadline, sdi_redis_trouble *trouble)
{
    bool known = atomic_load(&cluster->known);
    if (known && (!atomic_load(&cluster->stale) || !sdi_try_lock(&cluster->asking)))
        return;
    if (!known)
        sdi_lock(&cluster->asking);
    if (atomic_load(&cluster->stale))
        read_map(cluster, deadline, trouble);
    sdi_unlock(&cluster->asking);
}

enum sdi_breaker_state sdi_redis_cluster_breaker(sdi_redis_cluster *cluster)
{
    enum sdi_breaker_state worst = sdi_breaker_state(&cluster->breaker);
    sdi_lock(&cluster->mutex);
    for (sdi_redis_server *at = cluster->servers; at; at = at->next) {
        enum sdi_breaker_state state = sdi_breaker_state(&at->breaker);
        worst = state > worst ? state : worst;
    }
    sdi_unlock(&cluster->mutex);
    return worst;
}
