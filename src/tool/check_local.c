/* check_local.c - can a process hear of writes? It is tried as the library does it: a connection listens, and a message
 * comes back on it. */
#include <stdio.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/lock.h"
#include "client/coherence.h"
#include "tool/check.h"

enum { INTERVAL_MS = 5, PATIENCE_MS = 2000 };

/* What the listening thread found. */
typedef struct hearing {
    sdi_mutex mutex; /* guards the rest */
    sdi_condition changed;
    bool confirmed, heard, lost;
    char why[256];
} hearing;

static void note(hearing *h, bool *what)
{
    sdi_lock(&h->mutex);
    *what = true;
    sdi_wake_all(&h->changed);
    sdi_unlock(&h->mutex);
}

static void note_began(void *context)
{
    (void)context;
}

static void note_heard(void *context, sdi_slice message)
{
    hearing *h = context;
    (void)message;
    note(h, &h->heard);
}

static void note_confirmed(void *context, int64_t moment)
{
    hearing *h = context;
    (void)moment;
    note(h, &h->confirmed);
}

static bool is_wanted(void *context)
{
    (void)context;
    return true;
}

static void note_lost(void *context, const char *why)
{
    hearing *h = context;
    sdi_lock(&h->mutex);
    if (!h->lost)
        snprintf(h->why, sizeof h->why, "%s", why);
    sdi_unlock(&h->mutex);
    note(h, &h->lost);
}

/* False: it was lost first, or did not come in time. */
static bool await(hearing *h, const bool *what, int64_t deadline)
{
    sdi_lock(&h->mutex);
    while (!*what && !h->lost && sdi_wait(&h->changed, &h->mutex, deadline))
        continue;
    bool came = *what && !h->lost;
    sdi_unlock(&h->mutex);
    return came;
}

/* A message without tags says nothing to whoever else hears it. */
static bool try(sdi_cache *cache, const sdi_cache_settings *settings, const char *channel, hearing *h)
{
    int64_t deadline = sdi_deadline_in(settings->connect_timeout_ms + PATIENCE_MS);
    sdi_cache_op publish = {.verb = SDI_CACHE_PUBLISH, .key = sdi_slice_of(channel)};
    return await(h, &h->confirmed, deadline) && sdi_cache_run(cache, &publish, 1, deadline) &&
           await(h, &h->heard, deadline);
}

static void tell(const sdi_settings *settings, const char *channel, bool good, const hearing *h, sdi_report *report)
{
    if (good)
        sdi_report_good(report, "a process hears of the others' writes: what it keeps itself is %lld ms behind at most",
                        (long long)settings->local.coherence_ms);
    else
        sdi_report_problem(report,
                           "Redis or Valkey 6 or newer, its user with +ping +subscribe +publish and the "
                           "channel above; or local.coherence = 0ms, if nothing is to be kept in the processes",
                           "a process cannot hear of writes on the channel %s, so it keeps nothing itself: %s", channel,
                           *h->why ? h->why : "its own message did not come back");
}

static bool can_hear(sdi_cache *cache, const sdi_cache_settings *settings, const char *channel, hearing *h)
{
    sdi_cache_listener listener = {.context = h,
                                   .channel = channel,
                                   .interval_ms = INTERVAL_MS,
                                   .began = note_began,
                                   .heard = note_heard,
                                   .confirmed = note_confirmed,
                                   .wanted = is_wanted,
                                   .lost = note_lost};
    sdi_mutex_init(&h->mutex);
    sdi_condition_init(&h->changed);
    bool good = sdi_cache_listen(cache, &listener) && try(cache, settings, channel, h);
    sdi_cache_close(cache); /* and with it the listening */
    sdi_condition_destroy(&h->changed);
    sdi_mutex_destroy(&h->mutex);
    return good;
}

void sdi_check_local(const sdi_settings *settings, sdi_metrics *metrics, sdi_report *report)
{
    hearing h = {.why = ""};
    char channel[SDI_CACHE_KEY_MAX];
    enum sdi_coherence_kind kind;
    sdi_cache *cache;
    if (sdi_cache_open(&settings->cache, metrics, &cache, NULL) != SHOPDATA_OK)
        return;
    if (!sdi_coherence_kind(settings, cache, &kind) || kind != SDI_COHERENCE_HEARD) {
        sdi_cache_close(cache);
        return;
    }
    snprintf(channel, sizeof channel, "%s:changes", settings->cache.key_prefix);
    bool good = can_hear(cache, &settings->cache, channel, &h);
    tell(settings, channel, good, &h, report);
}
