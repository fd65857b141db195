/* watch.c - one thread a node asks it regularly where it stands. So a role, a lag or a recovery is known before a
 * caller needs it; a caller who meets a fault wakes the watcher at once. */
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "client/core.h"
#include "model/catalog_version.h"

enum { STACK_SIZE = 256 * 1024, JITTER_PERCENT = 20 };

static int64_t look_timeout(const sdi_core *core)
{
    return sdi_deadline_in(core->settings->pool.connect_timeout_ms);
}

static bool connect_to(sdi_core *core, size_t node, sdi_pg_connection **connection, shopdata_error **error)
{
    const sdi_settings *settings = core->settings;
    if (*connection)
        return true;
    if (sdi_pg_connect(settings->nodes[node].conninfo, settings->pool.prepared, look_timeout(core), connection, error))
        return false;
    if (sdi_core_meet(core, *connection))
        return true;
    sdi_pg_close(*connection);
    *connection = NULL;
    sdi_fail(error, SHOPDATA_ERR_UNAVAILABLE,
             "its connection string leads to another database, role or search_path than those before");
    SDI_LOG(core->log, SDI_LOG_NODE_FOREIGN, SDI_TEXT(sdi_router_name(core->router, node)),
            SDI_TEXT(shopdata_error_message(*error)));
    return false;
}

/* The version is asked before the moment, so whoever has come so far has what the version tells of. */
static void compare_catalog(sdi_core *core, sdi_pg_connection *connection, const sdi_moment *seen)
{
    if (seen->standby || seen->era.timeline < sdi_router_timeline(core->router) || !sdi_core_catalog_due(core))
        return;
    sdi_moment moment;
    sdi_hash128 version;
    int64_t begin = sdi_now();
    sdi_pg_command asks[] = {{.sql = sdi_catalog_version_question()}, sdi_moment_command()};
    int status = sdi_pg_read(connection, asks, 2, (size_t)core->settings->max_result_bytes, look_timeout(core), NULL);
    if (status == SHOPDATA_OK && asks[0].outcome == SDI_PG_DONE && asks[1].outcome == SDI_PG_DONE &&
        sdi_catalog_version_read(asks[0].result, &version) && sdi_moment_read(connection, asks[1].result, &moment))
        sdi_core_catalog(core, version, &moment);
    sdi_core_catalog_asked(core, sdi_now() - begin);
    sdi_pg_commands_free(asks, 2);
}

static bool look_at(sdi_core *core, size_t node, sdi_pg_connection *connection, shopdata_error **error)
{
    sdi_moment moment = {0};
    sdi_point point;
    uint64_t unplaced = sdi_unplaced_last(core, node);
    int64_t asked_at = sdi_now();
    sdi_pg_command ask = sdi_moment_command();
    size_t most = (size_t)core->settings->max_result_bytes;
    int status = sdi_pg_read(connection, &ask, 1, most, look_timeout(core), error);
    if (status == SHOPDATA_OK && ask.outcome != SDI_PG_DONE)
        sdi_pg_command_failure(&ask, error);
    bool told = status == SHOPDATA_OK && ask.outcome == SDI_PG_DONE && sdi_moment_read(connection, ask.result, &moment);
    moment.asked_at = asked_at;
    if (told) /* before callers hear of the node, and make plans */
        compare_catalog(core, connection, &moment);
    told = told && sdi_router_observe(core->router, node, &moment);
    sdi_pg_commands_free(&ask, 1);
    if (told)
        sdi_coherence_timeline(core, (sdi_era){moment.era.system, sdi_router_timeline(core->router)});
    bool deposed = moment.era.timeline < sdi_router_timeline(core->router); /* later writes went past it */
    if (told && !deposed && sdi_moment_floor(&moment, &point))
        sdi_place(core, unplaced, &point);
    return told;
}

static void drop(sdi_pg_connection **connection)
{
    sdi_pg_close(*connection);
    *connection = NULL;
}

static void look(sdi_core *core, size_t node, sdi_pg_connection **connection)
{
    sdi_pool *pool = sdi_router_pool(core->router, node);
    shopdata_error *error = NULL;
    if (connect_to(core, node, connection, &error) && look_at(core, node, *connection, &error)) {
        size_t ended = sdi_pool_reap(pool, *connection, look_timeout(core));
        sdi_count(core->metrics, SDI_M_CANCELS, 0, ended);
        sdi_doubtful_settle(core, node, *connection, look_timeout(core));
        if (sdi_pg_broken(*connection)) /* over the catalog: no word against the node */
            drop(connection);
        return;
    }
    drop(connection);
    sdi_router_failed(core->router, node, error ? shopdata_error_message(error) : "it did not tell where it stands");
    shopdata_error_free(error);
    sdi_pool_give_up(pool);
    sdi_pool_reap(pool, NULL, sdi_now());
}

static int64_t next_look(const sdi_core *core)
{
    return sdi_now() + sdi_jitter(core->settings->route.poll_interval_ms * 1000, JITTER_PERCENT);
}

static void *watch(void *argument)
{
    sdi_watcher *watcher = argument;
    sdi_core *core = watcher->core;
    sdi_pg_connection *connection = NULL;
    do {
        if (sdi_router_may_probe(core->router, watcher->node))
            look(core, watcher->node, &connection);
        sdi_untold_tell(core, SDI_TELL_ALL, sdi_deadline_in(core->settings->cache.timeout_ms));
    } while (sdi_router_await(core->router, watcher->node, next_look(core)));
    sdi_pg_close(connection);
    return NULL;
}

int sdi_watch(sdi_core *core, shopdata_error **error_out)
{
    size_t count = sdi_router_nodes(core->router);
    core->watchers = sdi_calloc(count, sizeof *core->watchers);
    if (!core->watchers)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < count; i++) {
        sdi_watcher *watcher = &core->watchers[i];
        watcher->core = core;
        watcher->node = i;
        watcher->started = sdi_thread_start(&watcher->thread, STACK_SIZE, watch, watcher);
        if (!watcher->started)
            return sdi_fail(error_out, SHOPDATA_ERR_NO_MEMORY,
                            "no thread to watch node %s: the system's limit is reached",
                            sdi_router_name(core->router, i));
    }
    return SHOPDATA_OK;
}

void sdi_unwatch(sdi_core *core)
{
    if (!core->watchers)
        return;
    sdi_router_stop(core->router);
    for (size_t i = 0; i < sdi_router_nodes(core->router); i++)
        if (core->watchers[i].started)
            pthread_join(core->watchers[i].thread, NULL);
}
