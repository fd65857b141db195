#include <string.h>

#include "base/clock.h"
#include "base/proving.h"
#include "client/core.h"
#include "client/unfinished.h"

enum { AT_ONCE = 256 };

/* What cannot be remembered cannot be told: nothing that is in the cache now is trusted. */
void sdi_untold_forgotten(sdi_core *core)
{
    int64_t life_ms = core->settings->entry_life_ms;
    atomic_store(&core->unfinished.distrusted_until, sdi_deadline_in(life_ms));
    SDI_LOG(core->log, SDI_LOG_CACHE_DISTRUSTED, SDI_NUMBER(life_ms / 1000));
}

static size_t count_waiting(const sdi_unfinished *unfinished)
{
    return unfinished->fences.used + unfinished->spares;
}

static void note_waiting(sdi_unfinished *unfinished)
{
    atomic_store(&unfinished->untold, count_waiting(unfinished));
}

/* Puts keys into the map; false if not all are in it: telling one twice does no harm. The lock is held. */
static bool keep_each(sdi_unfinished *unfinished, const sdi_buffer *keys)
{
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        if (unfinished->fences.used >= SDI_UNTOLD_MAX ||
            !sdi_map_set(&unfinished->fences, sdi_slice_of(keys->data + at), unfinished))
            return false;
    return true;
}

/* Takes the buffer; needs no memory. The lock is held. */
static void keep_spare(sdi_core *core, sdi_buffer *keys)
{
    sdi_unfinished *unfinished = &core->unfinished;
    if (unfinished->spares == SDI_UNTOLD_SPARE) {
        sdi_untold_forgotten(core);
        return;
    }
    unfinished->spare[unfinished->spares++] = *keys;
    *keys = (sdi_buffer)SDI_BUFFER_INIT;
}

void sdi_untold_keep(sdi_core *core, sdi_buffer *keys)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    if (!keep_each(unfinished, keys))
        keep_spare(core, keys);
    note_waiting(unfinished);
    sdi_unlock(&unfinished->lock);
    sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)atomic_load(&unfinished->untold));
}

/* Takes some of the keys that wait, in one buffer; empty where there is no memory. The lock is held. */
static sdi_buffer take_some(sdi_unfinished *unfinished)
{
    size_t cursor = 0, count = 0;
    sdi_slice key;
    sdi_buffer keys = SDI_BUFFER_INIT;
    if (unfinished->spares)
        return unfinished->spare[--unfinished->spares];
    while (count++ < AT_ONCE && sdi_map_next(&unfinished->fences, &cursor, &key) &&
           sdi_buffer_reserve(&keys, key.length + 1)) {
        sdi_buffer_append(&keys, key.data, key.length + 1);
        sdi_map_remove(&unfinished->fences, key);
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
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_buffer keys = take_some(unfinished);
    sdi_unlock(&unfinished->lock);
    SDI_STEP(drain);
    bool told = keys.length && tell(core, &keys, deadline);
    sdi_lock(&unfinished->lock);
    if (!told && keys.length && !keep_each(unfinished, &keys))
        keep_spare(core, &keys);
    sdi_buffer_free(&keys);
    return told;
}

static bool drain(sdi_core *core, int64_t deadline)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    bool mine = !unfinished->telling, some = count_waiting(unfinished) > 0;
    if (mine) {
        unfinished->telling = true;
        while (count_waiting(unfinished) && tell_some(core, deadline))
            ;
        unfinished->telling = false;
        note_waiting(unfinished);
    }
    size_t waiting = count_waiting(unfinished);
    sdi_unlock(&unfinished->lock);
    if (mine)
        sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)waiting);
    if (mine && some && !waiting)
        sdi_log_bare(core->log, SDI_LOG_UNFENCED_TOLD);
    return mine && !waiting;
}

bool sdi_untold_none(sdi_core *core, int64_t deadline)
{
    sdi_unfinished *unfinished = &core->unfinished;
    int64_t until = atomic_load(&unfinished->distrusted_until);
    bool told = atomic_load(&unfinished->untold) == 0 || drain(core, deadline);
    return told && (!until || sdi_now() >= until);
}
