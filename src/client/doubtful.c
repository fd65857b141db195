#include "client/doubtful.h"

#include "base/memory.h"
#include "client/core.h"
#include "client/fencing.h"

struct sdi_doubt {
    size_t node;
    sdi_pg_backend_id backend;
    sdi_buffer keys; /* of fences, each ended by a zero byte */
    sdi_doubt *next;
};

void sdi_doubtful_init(sdi_doubtful *doubtful)
{
    *doubtful = (sdi_doubtful){.first = NULL, .last = &doubtful->first};
    sdi_mutex_init(&doubtful->lock);
}

static void free_doubt(sdi_doubt *doubt)
{
    if (!doubt)
        return;
    sdi_buffer_free(&doubt->keys);
    sdi_free(doubt);
}

/* The lock is held. */
static sdi_doubt *unlink_at(sdi_doubtful *doubtful, sdi_doubt **link)
{
    sdi_doubt *doubt = *link;
    if (!doubt)
        return NULL;
    *link = doubt->next;
    if (!doubt->next)
        doubtful->last = link;
    doubtful->count--;
    return doubt;
}

void sdi_doubtful_free(sdi_doubtful *doubtful)
{
    while (doubtful->first)
        free_doubt(unlink_at(doubtful, &doubtful->first));
    sdi_mutex_destroy(&doubtful->lock);
}

static void append(sdi_doubtful *doubtful, sdi_doubt *doubt)
{
    sdi_doubt *oldest = NULL;
    doubt->next = NULL;
    sdi_lock(&doubtful->lock);
    if (doubtful->count == SDI_DOUBTFUL_MAX)
        oldest = unlink_at(doubtful, &doubtful->first);
    *doubtful->last = doubt;
    doubtful->last = &doubt->next;
    doubtful->count++;
    sdi_unlock(&doubtful->lock);
    free_doubt(oldest);
}

void sdi_doubt_keep(sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys)
{
    if (!core->cache || !keys->length)
        return;
    sdi_doubt *doubt = sdi_calloc(1, sizeof *doubt);
    if (doubt)
        sdi_buffer_append(&doubt->keys, keys->data, keys->length);
    if (!doubt || doubt->keys.failed) {
        free_doubt(doubt);
        sdi_unfenced_distrust(core);
        return;
    }
    doubt->node = node;
    doubt->backend = *backend;
    append(&core->doubtful, doubt);
}

static sdi_doubt *take_of(sdi_doubtful *doubtful, size_t node)
{
    sdi_lock(&doubtful->lock);
    sdi_doubt **link = &doubtful->first;
    while (*link && (*link)->node != node)
        link = &(*link)->next;
    sdi_doubt *doubt = unlink_at(doubtful, link);
    sdi_unlock(&doubtful->lock);
    return doubt;
}

void sdi_doubt_settle(sdi_core *core, size_t node, sdi_pg_connection *by, int64_t deadline)
{
    sdi_doubt *doubt;
    while ((doubt = take_of(&core->doubtful, node))) {
        if (sdi_pg_terminate(by, &doubt->backend, deadline, NULL) < 0) {
            append(&core->doubtful, doubt);
            return;
        }
        sdi_fence(core, &doubt->keys, NULL);
        free_doubt(doubt);
    }
}
