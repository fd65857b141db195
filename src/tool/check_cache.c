#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "cache/operation.h"
#include "tool/check.h"

enum { KEY_MAX = 128, TTL_MS = 10000 };

static bool run(sdi_cache *cache, sdi_cache_op *operation, const sdi_cache_settings *settings)
{
    return sdi_cache_run(cache, operation, 1, sdi_deadline_in(settings->connect_timeout_ms + settings->timeout_ms));
}

static bool holds(sdi_cache *cache, sdi_slice key, const sdi_buffer *wanted, const sdi_cache_settings *settings)
{
    sdi_cache_op get = {.verb = SDI_CACHE_GET, .key = key};
    bool held = run(cache, &get, settings) && get.found && get.length == wanted->length &&
                !memcmp(get.block, wanted->data, wanted->length);
    sdi_cache_unset(&get, 1);
    return held;
}

/* A message without tags, which says nothing to whoever hears it. */
static bool publishes(sdi_cache *cache, const sdi_cache_settings *settings)
{
    char channel[KEY_MAX];
    snprintf(channel, sizeof channel, "%s:changes", settings->key_prefix);
    sdi_cache_op publish = {.verb = SDI_CACHE_PUBLISH, .key = sdi_slice_of(channel)};
    return run(cache, &publish, settings);
}

/* What a reader and then a writer do: placeholder, fence, a later write's fence. */
static const char *fence_fault(sdi_cache *cache, sdi_slice key, const sdi_cache_settings *settings)
{
    sdi_point floor = {.era = {.system = 1, .timeline = 1}, .lsn = 100, .flush = 100};
    sdi_change write = {.point = {.era = {.system = 1, .timeline = 1}, .lsn = 200, .flush = 200}};
    sdi_buffer placeholder = SDI_BUFFER_INIT, fence = SDI_BUFFER_INIT, later = SDI_BUFFER_INIT;
    sdi_fence_placeholder(sdi_nonce(), &placeholder);
    sdi_fence_encode(&floor, false, &fence);
    sdi_fence_merge((sdi_slice){fence.data, fence.length}, &write, &later);
    sdi_slice placed = {placeholder.data, placeholder.length};
    sdi_cache_op add = {.verb = SDI_CACHE_ADD, .key = key, .value = placed, .ttl_ms = TTL_MS};
    sdi_cache_op swap = {.verb = SDI_CACHE_SWAP, .key = key, .expected = placed, .ttl_ms = TTL_MS};
    sdi_cache_op merge = {.verb = SDI_CACHE_MERGE, .key = key, .change = &write, .ttl_ms = TTL_MS};
    swap.value = (sdi_slice){fence.data, fence.length};
    const char *fault = NULL;
    if (!run(cache, &add, settings) || add.found)
        fault = "a placeholder cannot be put";
    else if (!run(cache, &swap, settings) || !swap.found)
        fault = "a fence cannot be put where the placeholder stands";
    else if (!run(cache, &merge, settings) || !holds(cache, key, &later, settings))
        fault = "a write cannot move the fence";
    else if (sdi_cache_carries(cache) && !publishes(cache, settings))
        fault = "a write cannot be published";
    sdi_buffer_free(&placeholder);
    sdi_buffer_free(&fence);
    sdi_buffer_free(&later);
    return fault;
}

static void check_fence(sdi_cache *cache, const sdi_cache_settings *settings, sdi_report *report)
{
    char text[KEY_MAX];
    sdi_buffer trouble = SDI_BUFFER_INIT;
    snprintf(text, sizeof text, "%.60s:check:%016llx", settings->key_prefix, (unsigned long long)sdi_nonce());
    sdi_slice key = sdi_slice_of(text);
    const char *fault = fence_fault(cache, key, settings);
    sdi_cache_trouble(cache, &trouble);
    if (fault)
        sdi_report_problem(report,
                           "the server must be a primary, have room, and allow this user keys, scripts and channels",
                           "%s%s%s", fault, trouble.length ? ": " : "", trouble.length ? trouble.data : "");
    else
        sdi_report_good(report, "a fence was put, moved and read back");
    sdi_cache_run(cache, &(sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = key}, 1,
                  sdi_deadline_in(settings->timeout_ms));
    sdi_buffer_free(&trouble);
}

static void check_round_trip(sdi_cache *cache, const sdi_cache_settings *settings, sdi_report *report)
{
    sdi_cache_op get = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("shopdata:check")};
    if (!run(cache, &get, settings)) /* the first one connects */
        return;
    sdi_cache_unset(&get, 1);
    int64_t begin = sdi_now();
    bool answered = run(cache, &get, settings);
    double ms = (double)(sdi_now() - begin) / 1000;
    sdi_cache_unset(&get, 1);
    if (answered)
        sdi_report_good(report, "a round trip takes %.2f ms (cache.timeout is %lld ms)", ms,
                        (long long)settings->timeout_ms);
}

static void check_shared(const sdi_settings *settings, sdi_report *report)
{
    shopdata_error *error = NULL;
    sdi_cache *cache = NULL;
    sdi_metrics *metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    int status = metrics ? sdi_cache_open(&settings->cache, metrics, &cache, &error) : sdi_no_memory(&error);
    if (status != SHOPDATA_OK) {
        sdi_report_problem(report, "mend the section [cache]", "%s", shopdata_error_message(error));
        shopdata_error_free(error);
    } else {
        check_round_trip(cache, &settings->cache, report);
        check_fence(cache, &settings->cache, report);
        sdi_check_local(settings, metrics, report);
    }
    sdi_cache_close(cache);
    sdi_metrics_free(metrics);
}

static void show_title(const char *kind, const sdi_cache_settings *settings)
{
    sdi_buffer where = SDI_BUFFER_INIT;
    for (size_t i = 0; i < settings->address_count; i++) {
        sdi_buffer_text(&where, i ? ", " : "");
        sdi_address_show(&where, &settings->addresses[i]);
    }
    sdi_report_title("cache %s: %s", kind, where.data ? where.data : "");
    sdi_buffer_free(&where);
}

void sdi_check_cache(const sdi_settings *settings, sdi_report *report)
{
    switch (settings->cache.kind) {
    case SDI_CACHE_NONE:
        sdi_report_title("cache");
        sdi_report_note(report, "cache.kind = redis", "there is none: every read asks the database");
        return;
    case SDI_CACHE_MEMORY:
        sdi_report_title("cache memory");
        sdi_report_note(report, "a cache that all processes share, where there is more than one process",
                        "each process has its own: what one writes, the others see when the TTL is over");
        return;
    case SDI_CACHE_REDIS:
        show_title("redis", &settings->cache);
        sdi_check_redis(&settings->cache, report);
        break;
    case SDI_CACHE_MEMCACHED:
        show_title("memcached", &settings->cache);
        sdi_check_memcached(&settings->cache, report);
        break;
    }
    check_shared(settings, report);
}
