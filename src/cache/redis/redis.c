#include "cache/redis/redis.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cache/redis/batch.h"
#include "cache/redis/subscription.h"
#include "cache/trouble.h"

typedef struct redis_cache {
    sdi_cache cache;
    sdi_cache_settings settings; /* its texts are our copies */
    sdi_redis_tls *tls;          /* NULL: plain */
    sdi_redis_servers servers;
    sdi_redis_subscription *subscription; /* NULL: nobody listens */
    sdi_mutex mutex;
    sdi_redis_trouble trouble; /* of the last run that failed; under the mutex */
} redis_cache;

/* Those of the settings' texts that are used after opening. */
static const size_t kept_texts[] = {
    offsetof(sdi_cache_settings, user),
    offsetof(sdi_cache_settings, password),
    offsetof(sdi_cache_settings, key_prefix),
    offsetof(sdi_cache_settings, sentinel_primary),
    offsetof(sdi_cache_settings, sentinel_password),
};

static char **text_at(sdi_cache_settings *settings, size_t number)
{
    return (char **)((char *)settings + kept_texts[number]);
}

static bool copy_settings(redis_cache *cache, const sdi_cache_settings *settings)
{
    cache->settings = *settings;
    cache->settings.addresses = sdi_addresses_copy(settings->addresses, settings->address_count);
    bool copied = cache->settings.addresses != NULL;
    for (size_t i = 0; i < sizeof kept_texts / sizeof *kept_texts; i++) {
        char **text = text_at(&cache->settings, i);
        *text = sdi_strdup(*text);
        copied = copied && *text;
    }
    return copied;
}

static void free_cache(redis_cache *cache)
{
    sdi_redis_tls_free(cache->tls);
    sdi_free((sdi_address *)cache->settings.addresses);
    for (size_t i = 0; i < sizeof kept_texts / sizeof *kept_texts; i++)
        sdi_free(*text_at(&cache->settings, i));
    sdi_free(cache);
}

static bool make_servers(sdi_redis_servers *servers, sdi_redis_access access)
{
    servers->access = servers->primary.access = access;
    if (access.settings->cluster)
        return sdi_redis_cluster_init(&servers->cluster, access);
    servers->server = sdi_redis_server_new(access, &servers->primary, NULL);
    return servers->server != NULL;
}

static int fill_cache(redis_cache *cache, const sdi_cache_settings *settings, shopdata_error **error_out)
{
    if (!copy_settings(cache, settings))
        return sdi_no_memory(error_out);
    int status = settings->tls ? sdi_redis_tls_new(settings, &cache->tls, error_out) : SHOPDATA_OK;
    if (status)
        return status;
    sdi_redis_access access = {&cache->settings, cache->tls};
    return make_servers(&cache->servers, access) ? SHOPDATA_OK : sdi_no_memory(error_out);
}

static int redis_open(const sdi_cache_settings *settings, sdi_cache **cache_out, shopdata_error **error_out)
{
    redis_cache *cache = sdi_calloc(1, sizeof *cache);
    if (!cache)
        return sdi_no_memory(error_out);
    int status = fill_cache(cache, settings, error_out);
    if (status) {
        free_cache(cache);
        return status;
    }
    sdi_mutex_init(&cache->mutex);
    *cache_out = &cache->cache;
    return SHOPDATA_OK;
}

static void redis_close(sdi_cache *base)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_redis_subscription_end(cache->subscription);
    if (cache->servers.server)
        sdi_redis_server_free(cache->servers.server);
    else
        sdi_redis_cluster_free(&cache->servers.cluster);
    sdi_mutex_destroy(&cache->mutex);
    free_cache(cache);
}

static void redis_abandon(sdi_cache *base)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_redis_subscription_abandon(cache->subscription);
    if (cache->servers.server)
        sdi_redis_server_abandon(cache->servers.server);
    else
        sdi_redis_cluster_abandon(&cache->servers.cluster);
    free_cache(cache);
}

static void redis_trouble(sdi_cache *base, sdi_buffer *out)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_lock(&cache->mutex);
    sdi_buffer_text(out, cache->trouble.text);
    sdi_unlock(&cache->mutex);
}

/* The gauge shows the worst breaker. A run that succeeds where all was well changes nothing. */
static void show_breaker(redis_cache *cache, int outcome)
{
    sdi_redis_servers *servers = &cache->servers;
    if (outcome == SDI_REDIS_DONE && atomic_load(&cache->cache.breaker_state) == SDI_BREAKER_CLOSED)
        return;
    enum sdi_breaker_state state =
        servers->server ? sdi_breaker_state(&servers->server->breaker) : sdi_redis_cluster_breaker(&servers->cluster);
    sdi_cache_show_breaker(&cache->cache, state);
}

static void report(redis_cache *cache, int outcome, const sdi_redis_trouble *trouble)
{
    show_breaker(cache, outcome);
    if (outcome == SDI_REDIS_DONE || outcome == SDI_REDIS_NO_MEMORY || outcome == SDI_REDIS_SPARED)
        return;
    int fault = outcome == SDI_REDIS_DEMOTED ? SDI_CACHE_FAULT_REJECTED : outcome;
    sdi_lock(&cache->mutex);
    cache->trouble = *trouble;
    sdi_unlock(&cache->mutex);
    sdi_cache_failed(&cache->cache, (enum sdi_cache_fault)fault, NULL, *trouble->text ? trouble->text : NULL);
}

static bool redis_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_redis_trouble trouble = {""};
    int64_t begun = sdi_now(), limit = sdi_deadline_within(deadline, cache->settings.timeout_ms);
    int outcome = sdi_redis_batch_run(&cache->servers, operations, count, limit, limit < deadline, &trouble);
    report(cache, outcome, &trouble);
    if (outcome != SDI_REDIS_SPARED)
        sdi_observe(base->metrics, SDI_M_CACHE_SECONDS, 0, sdi_now() - begun);
    return outcome == SDI_REDIS_DONE;
}

/* Of a cluster's servers each would have a watermark of its own. */
static bool redis_carries(const sdi_cache *base)
{
    return ((const redis_cache *)base)->servers.server != NULL;
}

static bool redis_listen(sdi_cache *base, const sdi_cache_listener *listener)
{
    redis_cache *cache = (redis_cache *)base;
    cache->subscription = sdi_redis_subscription_begin((sdi_redis_access){&cache->settings, cache->tls}, listener);
    return cache->subscription != NULL;
}

static void redis_rouse(sdi_cache *base)
{
    sdi_redis_subscription_rouse(((redis_cache *)base)->subscription);
}

const sdi_cache_backend sdi_redis_backend = {
    .name = "redis",
    .marks = true,
    .open = redis_open,
    .close = redis_close,
    .run = redis_run,
    .abandon = redis_abandon,
    .trouble = redis_trouble,
    .carries = redis_carries,
    .listen = redis_listen,
    .rouse = redis_rouse,
};
