#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "client/core.h"
#include "client/fencing.h"
#include "client/unfinished.h"

struct sdi_doubtful {
    size_t node;
    sdi_pg_backend_id backend;
    sdi_buffer keys; /* of fences, each ended by a zero byte */
    sdi_doubtful *next;
};

static void free_doubtful(sdi_doubtful *doubtful)
{
    if (!doubtful)
        return;
    sdi_buffer_free(&doubtful->keys);
    sdi_free(doubtful);
}

/* The lock is held. */
static sdi_doubtful *unlink_at(sdi_unfinished *unfinished, sdi_doubtful **link)
{
    sdi_doubtful *doubtful = *link;
    if (!doubtful)
        return NULL;
    *link = doubtful->next;
    if (!doubtful->next)
        unfinished->last = link;
    unfinished->doubtful--;
    return doubtful;
}

void sdi_unfinished_init(sdi_unfinished *unfinished)
{
    *unfinished = (sdi_unfinished){.last = &unfinished->first};
    sdi_mutex_init(&unfinished->lock);
}

void sdi_unfinished_free(sdi_unfinished *unfinished)
{
    while (unfinished->first)
        free_doubtful(unlink_at(unfinished, &unfinished->first));
    while (unfinished->spares)
        sdi_buffer_free(&unfinished->spare[--unfinished->spares]);
    sdi_map_free(&unfinished->fences);
    sdi_mutex_destroy(&unfinished->lock);
}

static void append(sdi_core *core, sdi_doubtful *doubtful)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_doubtful *oldest = NULL;
    doubtful->next = NULL;
    sdi_lock(&unfinished->lock);
    if (unfinished->doubtful == SDI_DOUBTFUL_MAX)
        oldest = unlink_at(unfinished, &unfinished->first);
    *unfinished->last = doubtful;
    unfinished->last = &doubtful->next;
    unfinished->doubtful++;
    sdi_unlock(&unfinished->lock);
    if (oldest && oldest->keys.length)
        sdi_untold_forget(core, NULL);
    free_doubtful(oldest);
}

/* Also one without fences to tell of: its write cannot be placed until it is gone. */
static void keep(sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys)
{
    sdi_doubtful *doubtful = sdi_calloc(1, sizeof *doubtful);
    if (doubtful)
        sdi_buffer_append(&doubtful->keys, keys->data, keys->length);
    if (!doubtful || doubtful->keys.failed) {
        free_doubtful(doubtful);
        sdi_untold_forget(core, NULL);
        return;
    }
    doubtful->node = node;
    doubtful->backend = *backend;
    append(core, doubtful);
}

/* A backend whose client is gone goes on all the same, until it has something to say. */
static bool end_now(sdi_core *core, size_t node, const sdi_pg_backend_id *backend)
{
    enum { END_MS = 500 };
    sdi_pool *pool = sdi_router_pool(core->router, node);
    sdi_pg_connection *by;
    int64_t deadline = sdi_deadline_in(END_MS);
    if (sdi_pool_take(pool, deadline, &by, NULL) != SHOPDATA_OK)
        return false;
    bool gone = sdi_pg_terminate(by, backend, deadline, NULL) == SHOPDATA_OK;
    if (gone)
        sdi_count(core->metrics, SDI_M_CANCELS, 0, sdi_pool_reap(pool, by, deadline));
    sdi_pool_give(pool, by);
    return gone;
}

void sdi_doubtful_end(sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys)
{
    sdi_interrupt_hold();
    if (!end_now(core, node, backend))
        keep(core, node, backend, keys);
    sdi_interrupt_resume();
}

bool sdi_is_doubtful(const sdi_unfinished *unfinished, size_t node)
{
    const sdi_doubtful *at = unfinished->first;
    while (at && at->node != node)
        at = at->next;
    return at != NULL;
}

static sdi_doubtful *take_of(sdi_unfinished *unfinished, size_t node)
{
    sdi_lock(&unfinished->lock);
    sdi_doubtful **link = &unfinished->first;
    while (*link && (*link)->node != node)
        link = &(*link)->next;
    sdi_doubtful *doubtful = unlink_at(unfinished, link);
    sdi_unlock(&unfinished->lock);
    return doubtful;
}

void sdi_doubtful_settle(sdi_core *core, size_t node, sdi_pg_connection *by, int64_t deadline)
{
    sdi_doubtful *doubtful;
    while ((doubtful = take_of(&core->unfinished, node))) {
        if (sdi_pg_terminate(by, &doubtful->backend, deadline, NULL) < 0) {
            append(core, doubtful);
            return;
        }
        sdi_fence(core, &doubtful->keys, NULL);
        free_doubtful(doubtful);
    }
}
