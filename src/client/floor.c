#include "client/floor.h"

#include "base/clock.h"
#include "base/proving.h"
#include "client/ask.h"

void sdi_floor_init(sdi_floor *floor)
{
    *floor = (sdi_floor){0};
    sdi_mutex_init(&floor->lock);
    sdi_condition_init(&floor->sampled);
}

void sdi_floor_free(sdi_floor *floor)
{
    sdi_mutex_destroy(&floor->lock);
    sdi_condition_destroy(&floor->sampled);
}

/* False if more runs than can be pending. */
static bool add_running(const sdi_core *core, const sdi_moment *moment, sdi_point *point)
{
    return !sdi_mode_marks(core->settings->cache.mode) || !SDI_RULE(running_pending) ||
           sdi_moment_pending(moment, &point->pending);
}

static bool read_moment(sdi_core *core, size_t node, sdi_pg_connection *connection, sdi_pg_command *ask,
                        sdi_point *point, bool *whole)
{
    sdi_moment moment;
    if (ask->outcome != SDI_PG_DONE || !sdi_moment_read(connection, ask->result, &moment))
        return false;
    bool known = sdi_router_observe(core->router, node, &moment) && !moment.standby && sdi_moment_floor(&moment, point);
    *whole = known && add_running(core, &moment, point);
    return known;
}

static int ask_primary(sdi_core *core, int64_t deadline, sdi_point *point, bool *whole)
{
    size_t node;
    sdi_pg_connection *connection;
    if (!sdi_router_primary(core->router, &node))
        return SHOPDATA_ERR_UNAVAILABLE;
    int status = sdi_ask_take(core, node, deadline, &connection, NULL);
    if (status != SHOPDATA_OK)
        return status;
    sdi_pool_expendable(sdi_router_pool(core->router, node), connection);
    sdi_count(core->metrics, SDI_M_FENCES_SAMPLED, 0, 1);
    sdi_pg_command ask = sdi_moment_command();
    status = sdi_pg_read(connection, &ask, 1, (size_t)core->settings->max_result_bytes, deadline, NULL);
    bool known = status == SHOPDATA_OK && read_moment(core, node, connection, &ask, point, whole);
    sdi_pg_commands_free(&ask, 1);
    sdi_ask_give(core, node, connection, status);
    return known || status != SHOPDATA_OK ? status : SHOPDATA_ERR_UNAVAILABLE;
}

/* The lock is held, and let go while the primary is asked. */
static void sample(sdi_core *core, int64_t deadline)
{
    sdi_floor *floor = &core->floor;
    sdi_sample got = {.number = ++floor->sent};
    sdi_unlock(&floor->lock);
    int status = ask_primary(core, deadline, &got.point, &got.whole);
    sdi_lock(&floor->lock);
    floor->answered = floor->sent;
    floor->status = status;
    if (status == SHOPDATA_OK)
        floor->last = got;
    sdi_wake_all(&floor->sampled);
}

int sdi_floor_sample(sdi_core *core, int64_t deadline, sdi_sample *sample_out)
{
    sdi_floor *floor = &core->floor;
    sdi_lock(&floor->lock);
    uint64_t mine = floor->sent + (SDI_RULE(placeholder_first) || !floor->sent);
    while (floor->answered < mine) {
        if (floor->sent == floor->answered)
            sample(core, deadline);
        else if (!sdi_wait(&floor->sampled, &floor->lock, deadline))
            break;
    }
    int status = floor->answered >= mine ? floor->status : SHOPDATA_ERR_TIMEOUT;
    if (status == SHOPDATA_OK)
        *sample_out = floor->last;
    sdi_unlock(&floor->lock);
    return status;
}

uint64_t sdi_floor_next(sdi_core *core)
{
    sdi_lock(&core->floor.lock);
    uint64_t next = core->floor.sent + 1;
    sdi_unlock(&core->floor.lock);
    return next;
}
