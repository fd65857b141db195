#include "client/core.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

static bool make_metrics(sdi_core *core)
{
    const sdi_settings *settings = core->settings;
    const char *nodes[SDI_NODES_MAX], *policies[SDI_POLICIES_MAX];
    for (size_t i = 0; i < settings->node_count; i++)
        nodes[i] = settings->nodes[i].name;
    for (size_t i = 0; i < settings->policy_count; i++)
        policies[i] = settings->policies[i].name;
    core->metrics =
        sdi_metrics_new((sdi_names){nodes, settings->node_count}, (sdi_names){policies, settings->policy_count});
    return core->metrics != NULL;
}

static void init_parts(sdi_core *core)
{
    sdi_mutex_init(&core->lock);
    sdi_flights_init(&core->flights);
    sdi_floor_init(&core->floor);
    sdi_unfinished_init(&core->unfinished);
}

static int fill_core(sdi_core *core, shopdata_error **error_out)
{
    if (!make_metrics(core) || !(core->log = sdi_log_new(&core->settings->log, core->metrics)))
        return sdi_no_memory(error_out);
    core->router = sdi_router_new(core->settings, core->metrics, core->log);
    if (!core->router)
        return sdi_no_memory(error_out);
    core->async =
        sdi_async_new((size_t)core->settings->async.threads, (size_t)core->settings->pool.size, core->metrics);
    if (!core->async)
        return sdi_no_memory(error_out);
    sdi_gauge(core->metrics, SDI_M_CACHE_KIND, core->settings->cache.kind, 1);
    int status = sdi_cache_open(&core->settings->cache, core->metrics, &core->cache, error_out);
    sdi_cache_log(core->cache, core->log);
    if (status == SHOPDATA_OK)
        status = sdi_coherence_begin(core, error_out);
    return status == SHOPDATA_OK ? sdi_watch(core, error_out) : status;
}

int sdi_core_new(sdi_settings *settings, sdi_core **core_out, shopdata_error **error_out)
{
    sdi_core *core = sdi_calloc(1, sizeof *core);
    if (!core) {
        sdi_settings_free(settings);
        return sdi_no_memory(error_out);
    }
    core->settings = settings;
    core->local_seed = sdi_nonce();
    init_parts(core);
    int status = fill_core(core, error_out);
    if (status == SHOPDATA_OK)
        *core_out = core;
    else
        sdi_core_free(core);
    return status;
}

static void free_parts(sdi_core *core)
{
    sdi_log_free(core->log);
    sdi_metrics_free(core->metrics);
    sdi_flights_free(&core->flights);
    sdi_floor_free(&core->floor);
    sdi_unfinished_free(&core->unfinished);
    sdi_coherence_free(&core->coherence);
    sdi_mutex_destroy(&core->lock);
    sdi_free(core->identity);
    sdi_buffer_free(&core->space);
    sdi_buffer_free(&core->fences);
    sdi_free(core->watchers);
    sdi_free(core);
}

/* A worker may be the last one to hold the client: lines are delivered by the application's threads only. */
void sdi_core_free(sdi_core *core)
{
    sdi_settings *settings = core->settings;
    bool by_worker = sdi_async_free(core->async);
    sdi_unwatch(core);
    sdi_router_free(core->router);
    sdi_cache_close(core->cache);
    if (!by_worker)
        sdi_log_deliver(core->log);
    free_parts(core);
    sdi_settings_free(settings);
}

/* The parent's other threads do not exist here, and may have held any lock at the moment of the fork: what has locks of
 * theirs is left behind, once: a few kilobytes, or, where one was just reading it, what the parent kept of answers. */
sdi_settings *sdi_core_abandon(sdi_core *core)
{
    sdi_router_abandon(core->router);
    sdi_cache_abandon(core->cache);
    sdi_coherence_abandon(&core->coherence);
    return core->settings;
}

static bool learn(sdi_core *core, const char *identity)
{
    sdi_buffer database = SDI_BUFFER_INIT;
    core->identity = sdi_strdup(identity);
    sdi_buffer_append(&database, identity, strcspn(identity, "\n"));
    if (!database.failed)
        sdi_key_space(core->settings->cache.key_prefix, database.data, &core->space);
    sdi_fence_key((sdi_slice){core->space.data, core->space.length}, (sdi_slice){"", 0}, &core->fences);
    bool learnt = core->identity && !database.failed && !core->space.failed && !core->fences.failed;
    sdi_buffer_free(&database);
    if (!learnt) {
        sdi_free(core->identity);
        core->identity = NULL;
        sdi_buffer_free(&core->space);
        sdi_buffer_free(&core->fences);
    }
    atomic_store_explicit(&core->met, learnt, memory_order_release);
    return learnt;
}

bool sdi_core_meet(sdi_core *core, const sdi_pg_connection *connection)
{
    const char *identity = sdi_pg_identity(connection);
    sdi_lock(&core->lock);
    bool same = core->identity ? !strcmp(core->identity, identity) : learn(core, identity);
    sdi_unlock(&core->lock);
    return same;
}

bool sdi_core_space(const sdi_core *core, sdi_slice *space, const char **identity)
{
    if (!atomic_load_explicit(&core->met, memory_order_acquire))
        return false;
    *space = (sdi_slice){core->space.data, core->space.length};
    if (identity)
        *identity = core->identity;
    return true;
}

sdi_slice sdi_core_fences(const sdi_core *core)
{
    if (!atomic_load_explicit(&core->met, memory_order_acquire))
        return (sdi_slice){NULL, 0};
    return (sdi_slice){core->fences.data, core->fences.length};
}

void sdi_core_schema_changed(sdi_core *core)
{
    atomic_fetch_add(&core->schema, 1);
    sdi_log_bare(core->log, SDI_LOG_SCHEMA_CHANGED);
}

void sdi_raise(sdi_era *era, sdi_lsn *lsn, sdi_era other_era, sdi_lsn other)
{
    if (!sdi_era_known(other_era) || other == 0)
        return;
    bool newer_era = !sdi_era_known(*era) || other_era.timeline > era->timeline;
    if (newer_era || (sdi_era_equal(*era, other_era) && other > *lsn)) {
        *era = other_era;
        *lsn = other;
    }
}

bool sdi_core_catalog_due(sdi_core *core)
{
    int64_t interval = core->settings->route.catalog_interval_ms;
    sdi_lock(&core->lock);
    bool due = interval && sdi_now() >= core->catalog_next;
    sdi_unlock(&core->lock);
    return due;
}

/* A catalog so large that it takes long is asked for less often, so that a fiftieth of a core is enough. */
void sdi_core_catalog_asked(sdi_core *core, int64_t took_us)
{
    enum { SHARE = 50 };
    int64_t next = sdi_deadline_in(core->settings->route.catalog_interval_ms);
    sdi_lock(&core->lock);
    core->catalog_next = next > sdi_now() + SHARE * took_us ? next : sdi_now() + SHARE * took_us;
    sdi_unlock(&core->lock);
}

/* Nodes must have what the primary had flushed: more may never come to them, if it is lost now. A commit that did not
 * wait for its flush may be among the rest, so plans are made once more when that has been flushed too. */
static bool raise_catalog(sdi_core *core, bool news, const sdi_moment *moment)
{
    bool flushed = !news && core->catalog_unflushed && moment->flush >= core->catalog_unflushed;
    if (news)
        core->catalog_unflushed = moment->insert > moment->flush ? moment->insert : 0;
    else if (flushed)
        core->catalog_unflushed = 0;
    if (news || flushed)
        sdi_raise(&core->catalog_era, &core->catalog_lsn, moment->era, moment->flush);
    return flushed;
}

/* Plans that were made before the first one may be of what was there before it was asked. */
void sdi_core_catalog(sdi_core *core, sdi_hash128 version, const sdi_moment *moment)
{
    sdi_lock(&core->lock);
    bool first = !core->catalog_known;
    bool changed = !first && (version.low != core->catalog_version.low || version.high != core->catalog_version.high);
    bool flushed = raise_catalog(core, first || changed, moment);
    core->catalog_version = version;
    core->catalog_known = true;
    sdi_unlock(&core->lock);
    if (changed)
        sdi_core_schema_changed(core);
    else if (flushed || (first && atomic_load(&core->planned)))
        atomic_fetch_add(&core->schema, 1);
}

/* Without a primary nothing is cached that it did not know, and replicas should answer. */
void sdi_core_catalog_need(sdi_core *core, sdi_era *era, sdi_lsn *lsn)
{
    size_t primary;
    bool known = sdi_router_primary(core->router, &primary);
    sdi_last_write(core, era, lsn);
    sdi_lock(&core->lock);
    if (known)
        sdi_raise(era, lsn, core->catalog_era, core->catalog_lsn);
    sdi_unlock(&core->lock);
}
