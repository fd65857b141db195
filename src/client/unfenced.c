#include "client/unfenced.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "client/core.h"

enum { AT_ONCE = 256 };

void sdi_unfenced_init(sdi_unfenced *unfenced)
{
    sdi_mutex_init(&unfenced->lock);
    unfenced->keys = (sdi_map)SDI_MAP_INIT;
    unfenced->spares = 0;
    unfenced->draining = false;
    atomic_init(&unfenced->waiting, 0);
    atomic_init(&unfenced->distrusted_until, 0);
}

void sdi_unfenced_free(sdi_unfenced *unfenced)
{
    sdi_map_free(&unfenced->keys);
    while (unfenced->spares)
        sdi_buffer_free(&unfenced->spare[--unfenced->spares]);
    sdi_mutex_destroy(&unfenced->lock);
}

/* What cannot be remembered cannot be told: nothing that is in the cache now is trusted. */
void sdi_unfenced_distrust(sdi_core *core)
{
    int64_t life_ms = core->settings->entry_life_ms;
    atomic_store(&core->unfenced.distrusted_until, sdi_deadline_in(life_ms));
    SDI_LOG(core->log, SDI_LOG_CACHE_DISTRUSTED, SDI_NUMBER(life_ms / 1000));
}

static size_t count_waiting(const sdi_unfenced *unfenced)
{
    return unfenced->keys.used + unfenced->spares;
}

static void note_waiting(sdi_unfenced *unfenced)
{
    atomic_store(&unfenced->waiting, count_waiting(unfenced));
}

/* Puts keys into the map; false if not all are in it: telling one twice does no harm. The lock is held. */
static bool keep_each(sdi_unfenced *unfenced, const sdi_buffer *keys)
{
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        if (unfenced->keys.used >= SDI_UNFENCED_MAX ||
            !sdi_map_set(&unfenced->keys, sdi_slice_of(keys->data + at), unfenced))
            return false;
    return true;
}

/* Takes the buffer; needs no memory. The lock is held. */
static void keep_spare(sdi_core *core, sdi_buffer *keys)
{
    sdi_unfenced *unfenced = &core->unfenced;
    if (unfenced->spares == SDI_UNFENCED_SPARE) {
        sdi_unfenced_distrust(core);
        return;
    }
    unfenced->spare[unfenced->spares++] = *keys;
    *keys = (sdi_buffer)SDI_BUFFER_INIT;
}

void sdi_unfenced_keep(sdi_core *core, sdi_buffer *keys)
{
    sdi_unfenced *unfenced = &core->unfenced;
    sdi_lock(&unfenced->lock);
    if (!keep_each(unfenced, keys))
        keep_spare(core, keys);
    note_waiting(unfenced);
    sdi_unlock(&unfenced->lock);
    sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)atomic_load(&unfenced->waiting));
}

/* Takes some of the keys that wait, in one buffer; empty where there is no memory. The lock is held. */
static sdi_buffer take_some(sdi_unfenced *unfenced)
{
    size_t cursor = 0, count = 0;
    sdi_slice key;
    sdi_buffer keys = SDI_BUFFER_INIT;
    if (unfenced->spares)
        return unfenced->spare[--unfenced->spares];
    while (count++ < AT_ONCE && sdi_map_next(&unfenced->keys, &cursor, &key) &&
           sdi_buffer_reserve(&keys, key.length + 1)) {
        sdi_buffer_append(&keys, key.data, key.length + 1);
        sdi_map_remove(&unfenced->keys, key);
    }
    return keys;
}

static bool tell(sdi_core *core, const sdi_buffer *keys, int64_t deadline)
{
    sdi_cache_op removals[AT_ONCE];
    for (size_t at = 0; at < keys->length;) {
        size_t count = 0;
        for (; count < AT_ONCE && at < keys->length; count++, at += strlen(keys->data + at) + 1)
            removals[count] = (sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = sdi_slice_of(keys->data + at)};
        if (!sdi_cache_run(core->cache, removals, count, deadline))
            return false;
    }
    return true;
}

/* The lock is held, and let go while the cache is told. A key kept again meanwhile is told twice: no harm. */
static bool tell_some(sdi_core *core, int64_t deadline)
{
    sdi_unfenced *unfenced = &core->unfenced;
    sdi_buffer keys = take_some(unfenced);
    sdi_unlock(&unfenced->lock);
    bool told = keys.length && tell(core, &keys, deadline);
    sdi_lock(&unfenced->lock);
    if (!told && keys.length && !keep_each(unfenced, &keys))
        keep_spare(core, &keys);
    sdi_buffer_free(&keys);
    return told;
}

static bool drain(sdi_core *core, int64_t deadline)
{
    sdi_unfenced *unfenced = &core->unfenced;
    sdi_lock(&unfenced->lock);
    bool mine = !unfenced->draining, some = count_waiting(unfenced) > 0;
    if (mine) {
        unfenced->draining = true;
        while (count_waiting(unfenced) && tell_some(core, deadline))
            ;
        unfenced->draining = false;
        note_waiting(unfenced);
    }
    size_t waiting = count_waiting(unfenced);
    sdi_unlock(&unfenced->lock);
    if (mine)
        sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)waiting);
    if (mine && some && !waiting)
        sdi_log_bare(core->log, SDI_LOG_UNFENCED_TOLD);
    return mine && !waiting;
}

bool sdi_unfenced_none(sdi_core *core, int64_t deadline)
{
    sdi_unfenced *unfenced = &core->unfenced;
    int64_t until = atomic_load(&unfenced->distrusted_until);
    bool told = atomic_load(&unfenced->waiting) == 0 || drain(core, deadline);
    return told && (!until || sdi_now() >= until);
}
