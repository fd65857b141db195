#include "cache/redis/redis.h"

#include "base/breaker.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cache/operation.h"
#include "cache/redis/pool.h"
#include "cache/trouble.h"

enum { VALUE_SLACK = 4096 }; /* what an entry's head and a fence may add to the largest answer */

typedef struct redis_cache {
    sdi_cache cache;
    sdi_cache_settings settings; /* its texts are our copies */
    sdi_metrics *metrics;
    sdi_redis_tls *tls; /* NULL: plain */
    sdi_breaker breaker;
    sdi_redis_pool pool;
    sdi_mutex mutex;
    sdi_redis_trouble trouble; /* of the last run that failed; under the mutex */
} redis_cache;

static void free_cache(redis_cache *cache)
{
    sdi_redis_tls_free(cache->tls);
    sdi_free((sdi_address *)cache->settings.addresses);
    sdi_free((char *)cache->settings.user);
    sdi_free((char *)cache->settings.password);
    sdi_free(cache);
}

static bool copy_settings(redis_cache *cache, const sdi_cache_settings *settings)
{
    cache->settings = *settings;
    cache->settings.addresses = sdi_addresses_copy(settings->addresses, settings->address_count);
    cache->settings.user = sdi_strdup(settings->user);
    cache->settings.password = sdi_strdup(settings->password);
    return cache->settings.addresses && cache->settings.user && cache->settings.password;
}

static int fill_cache(redis_cache *cache, const sdi_cache_settings *settings, shopdata_error **error_out)
{
    size_t connections = settings->connections > 0 ? (size_t)settings->connections : 1;
    if (!copy_settings(cache, settings))
        return sdi_no_memory(error_out);
    int status = settings->tls ? sdi_redis_tls_new(settings, &cache->tls, error_out) : SHOPDATA_OK;
    if (status)
        return status;
    return sdi_redis_pool_init(&cache->pool, connections) ? SHOPDATA_OK : sdi_no_memory(error_out);
}

static int redis_open(const sdi_cache_settings *settings, sdi_metrics *metrics, sdi_cache **cache_out,
                      shopdata_error **error_out)
{
    redis_cache *cache = sdi_calloc(1, sizeof *cache);
    int status = cache ? fill_cache(cache, settings, error_out) : sdi_no_memory(error_out);
    if (status) {
        if (cache)
            free_cache(cache);
        return status;
    }
    cache->cache.backend = &sdi_redis_backend;
    cache->metrics = metrics;
    sdi_mutex_init(&cache->mutex);
    sdi_breaker_init(&cache->breaker, settings->breaker_failures, settings->breaker_open_ms,
                     settings->breaker_open_max_ms);
    *cache_out = &cache->cache;
    return SHOPDATA_OK;
}

static void redis_close(sdi_cache *base)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_redis_pool_free(&cache->pool);
    sdi_breaker_destroy(&cache->breaker);
    sdi_mutex_destroy(&cache->mutex);
    free_cache(cache);
}

static void redis_abandon(sdi_cache *base)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_redis_pool_abandon(&cache->pool);
    free_cache(cache);
}

static void redis_trouble(sdi_cache *base, sdi_buffer *out)
{
    redis_cache *cache = (redis_cache *)base;
    sdi_lock(&cache->mutex);
    if (*cache->trouble.text) {
        sdi_address_show(out, &cache->settings.addresses[0]);
        sdi_buffer_printf(out, ": %s", cache->trouble.text);
    }
    sdi_unlock(&cache->mutex);
}

/* Formats the operations, and what is to come back for them; returns how many commands that is. */
static size_t format_all(sdi_redis_connection *connection, sdi_cache_op *operations, size_t count,
                         const sdi_redis_shas *shas, sdi_redis_reply *expected)
{
    size_t commands = 0;
    for (size_t i = 0, used; i < count; i += used) {
        used = sdi_redis_format(&connection->out, operations + i, count - i, shas);
        expected[commands++] = sdi_redis_expect(operations + i, used);
    }
    return commands;
}

/* One round trip. *unscripted is the first operation whose script the server did not know, `count` if there is none. */
static int round_trip(const redis_cache *cache, sdi_redis_connection *connection, sdi_cache_op *operations,
                      size_t count, const sdi_redis_shas *shas, int64_t deadline, size_t *unscripted)
{
    sdi_redis_reply *expected = sdi_malloc(count * sizeof *expected);
    if (!expected)
        return SDI_REDIS_NO_MEMORY;
    sdi_redis_replies replies = {
        .list = expected,
        .count = format_all(connection, operations, count, shas, expected),
        .value_max = (size_t)cache->settings.max_entry_bytes + VALUE_SLACK,
        .outcome = SDI_REDIS_DONE,
    };
    replies.unscripted = replies.count;
    int outcome = sdi_redis_exchange(connection, &replies, deadline);
    *unscripted =
        replies.unscripted == replies.count ? count : (size_t)(expected[replies.unscripted].operations - operations);
    sdi_free(expected);
    return outcome;
}

/* Runs all, and from the first operation whose script was unknown on once more, with the scripts' text. What stood
 * behind it has run already, too early, and that does no harm: SET, REMOVE and MERGE end the same, GET reads again. The
 * answers of ADD and SWAP may be too shy: an ADD finds its own placeholder (take_nil's "something was there" is never
 * taken back), a SWAP what a later operation of the batch made of its key. The caller then stores nothing; never the
 * other way round. */
static int run_connected(const redis_cache *cache, sdi_redis_connection *connection, sdi_cache_op *operations,
                         size_t count, int64_t deadline)
{
    static const sdi_redis_shas none;
    size_t again;
    int outcome = round_trip(cache, connection, operations, count, &connection->shas, deadline, &again);
    if (outcome != SDI_REDIS_DONE || again == count)
        return outcome;
    size_t left = count - again;
    outcome = round_trip(cache, connection, operations + again, left, &none, deadline, &again);
    return outcome == SDI_REDIS_DONE && again < left ? SDI_CACHE_FAULT_REJECTED : outcome;
}

/* A server that was restarted, or that closes idle connections, is met by one more try on a fresh connection, if
 * nothing of the replies had come. The commands may have run all the same. SET, REMOVE and MERGE end the same when
 * repeated; an ADD or a SWAP that ran before is then answered as if another had been there first: the caller stores
 * nothing, and what stands is what he wanted to stand. Never the other way round. */
static int run_retrying(const redis_cache *cache, sdi_redis_connection *connection, sdi_cache_op *operations,
                        size_t count, int64_t deadline)
{
    if (sdi_redis_transport_is_quiet(&connection->transport)) {
        int outcome = run_connected(cache, connection, operations, count, deadline);
        if (outcome != SDI_CACHE_FAULT_LOST || connection->heard)
            return outcome;
    }
    sdi_redis_disconnect(connection);
    sdi_cache_unset(operations, count);
    int outcome = sdi_redis_connect(connection, &cache->settings, cache->tls, deadline);
    return outcome == SDI_REDIS_DONE ? run_connected(cache, connection, operations, count, deadline) : outcome;
}

static void show_breaker(redis_cache *cache)
{
    sdi_cache_show_breaker(&cache->cache, sdi_breaker_state(&cache->breaker));
}

/* `blamed`: the server had the time that the settings give it; a caller's own short deadline is no fault of its. */
static void report(redis_cache *cache, int outcome, bool blamed)
{
    if (outcome == SDI_REDIS_DONE) {
        bool paused = sdi_breaker_state(&cache->breaker) != SDI_BREAKER_CLOSED;
        sdi_breaker_succeeded(&cache->breaker);
        if (paused)
            show_breaker(cache);
        return;
    }
    if (outcome == SDI_REDIS_NO_MEMORY)
        return;
    sdi_cache_failed(&cache->cache, (enum sdi_cache_fault)outcome, NULL, NULL);
    if ((outcome != SDI_CACHE_FAULT_TIMEOUT || blamed) && sdi_breaker_failed(&cache->breaker, sdi_now()))
        show_breaker(cache);
}

static void keep_trouble(redis_cache *cache, const sdi_redis_trouble *trouble)
{
    sdi_lock(&cache->mutex);
    cache->trouble = *trouble;
    sdi_unlock(&cache->mutex);
}

static bool redis_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    redis_cache *cache = (redis_cache *)base;
    int64_t begun = sdi_now();
    if (!sdi_breaker_allows(&cache->breaker, begun))
        return false;
    int64_t limit = sdi_deadline_within(deadline, cache->settings.timeout_ms);
    sdi_redis_connection *connection = sdi_redis_pool_take(&cache->pool, limit);
    if (!connection) { /* the others' runs tell how the server is */
        sdi_cache_failed(&cache->cache, SDI_CACHE_FAULT_TIMEOUT, NULL, "all connections to it stayed in use");
        return false;
    }
    int outcome = run_retrying(cache, connection, operations, count, limit);
    if (outcome != SDI_REDIS_DONE) {
        keep_trouble(cache, &connection->trouble);
        sdi_redis_disconnect(connection);
        sdi_cache_unset(operations, count);
    }
    sdi_redis_pool_give(&cache->pool, connection);
    report(cache, outcome, limit < deadline);
    sdi_observe(cache->metrics, SDI_M_CACHE_SECONDS, 0, sdi_now() - begun);
    return outcome == SDI_REDIS_DONE;
}

const sdi_cache_backend sdi_redis_backend = {
    .name = "redis",
    .open = redis_open,
    .close = redis_close,
    .run = redis_run,
    .abandon = redis_abandon,
    .trouble = redis_trouble,
};
