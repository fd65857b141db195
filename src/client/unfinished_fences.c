#include <string.h>

#include "base/interrupt.h"
#include "base/proving.h"
#include "client/coherence.h"
#include "client/core.h"
#include "client/unfinished.h"

enum { AT_ONCE = 256 };

/* ---------------------------------------------------------------------------------------------------------- keeping */

/* The lock is held. */
static size_t count_waiting(const sdi_unfinished *unfinished)
{
    return unfinished->fences.used + unfinished->spares;
}

/* The lock is held. */
static void show(sdi_core *core)
{
    sdi_unfinished *unfinished = &core->unfinished;
    size_t waiting = count_waiting(unfinished);
    atomic_store(&unfinished->any, waiting || unfinished->forgotten);
    sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)waiting);
}

/* Of an older era nothing is owed: what of it outlived the promotion is in every answer of the newer one. The lock is
 * held. */
void sdi_untold_owe(sdi_unfinished *unfinished, const sdi_point *point)
{
    sdi_point *owed = &unfinished->owed;
    sdi_point own = *point;
    own.pending.count = 0; /* other transactions: the writes themselves are over */
    if (!sdi_era_equal(owed->era, own.era) && owed->era.timeline <= own.era.timeline)
        *owed = own;
    else if (sdi_era_equal(owed->era, own.era))
        sdi_point_merge(owed, &own);
}

/* The lock is held. */
static void owe(sdi_unfinished *unfinished, const sdi_point *point)
{
    if (point)
        sdi_untold_owe(unfinished, point);
    else
        unfinished->owed_unplaced = ++unfinished->unplaced;
}

/* What cannot be remembered cannot be told, nor be known by its tag. The lock is held. */
static void forget(sdi_core *core, size_t count)
{
    core->unfinished.forgotten = true;
    sdi_count(core->metrics, SDI_M_FENCES_FORGOTTEN, 0, count);
    SDI_LOG(core->log, SDI_LOG_FENCES_FORGOTTEN, SDI_NUMBER(count));
}

void sdi_untold_forget(sdi_core *core, const sdi_point *point)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    owe(unfinished, point);
    forget(core, 1);
    show(core);
    sdi_unlock(&unfinished->lock);
}

/* A number, as the map's value: who tells a key sees by it whether that was kept again meanwhile. The lock is held. */
static void *next_number(sdi_unfinished *unfinished)
{
    return (void *)++unfinished->kept;
}

/* Puts keys into the map, as far as there is room; false without memory for all of them: keeping one twice does no
 * harm. The lock is held. */
static bool keep_each(sdi_core *core, const sdi_buffer *keys)
{
    sdi_unfinished *unfinished = &core->unfinished;
    size_t forgotten = 0;
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1) {
        sdi_slice key = sdi_slice_of(keys->data + at);
        if (unfinished->fences.used >= SDI_UNTOLD_MAX && !sdi_map_get(&unfinished->fences, key))
            forgotten++;
        else if (!sdi_map_set(&unfinished->fences, key, next_number(unfinished)))
            return false;
    }
    if (forgotten)
        forget(core, forgotten);
    return true;
}

/* Takes the buffer; needs no memory. The lock is held. */
static void keep_spare(sdi_core *core, sdi_buffer *keys)
{
    sdi_unfinished *unfinished = &core->unfinished;
    if (unfinished->spares == SDI_UNTOLD_SPARE) {
        forget(core, 1);
        return;
    }
    unfinished->spare[unfinished->spares++] = *keys;
    *keys = (sdi_buffer)SDI_BUFFER_INIT;
}

void sdi_untold_keep(sdi_core *core, sdi_buffer *keys, const sdi_point *point)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    owe(unfinished, point);
    if (!keep_each(core, keys))
        keep_spare(core, keys);
    show(core);
    sdi_unlock(&unfinished->lock);
}

/* --------------------------------------------------------------------------------------------------------- reading */

void sdi_untold_look(sdi_core *core, sdi_untold *untold_out)
{
    sdi_unfinished *unfinished = &core->unfinished;
    untold_out->any = atomic_load(&unfinished->any) && SDI_RULE(untold_demanded);
    untold_out->all = untold_out->unplaced = untold_out->pointed = false;
    if (!untold_out->any)
        return;
    uint32_t timeline = sdi_router_timeline(core->router);
    sdi_lock(&unfinished->lock);
    untold_out->all = unfinished->forgotten;
    untold_out->unplaced = unfinished->owed_unplaced > unfinished->placed;
    untold_out->pointed = sdi_era_known(unfinished->owed.era) && unfinished->owed.era.timeline >= timeline;
    untold_out->point = unfinished->owed;
    sdi_unlock(&unfinished->lock);
}

static bool holds(const sdi_buffer *keys, sdi_slice key)
{
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        if (sdi_slice_equal(sdi_slice_of(keys->data + at), key))
            return true;
    return false;
}

bool sdi_untold_waits(sdi_core *core, sdi_slice key)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    bool waits = sdi_map_get(&unfinished->fences, key) != NULL;
    for (size_t i = 0; i < unfinished->spares && !waits; i++)
        waits = holds(&unfinished->spare[i], key);
    sdi_unlock(&unfinished->lock);
    return waits;
}

/* --------------------------------------------------------------------------------------------------------- telling */

/* Some of the fences that wait, on their way to the cache. They stay where they wait until they are told. */
typedef struct telling {
    sdi_cache_op removals[AT_ONCE + 1]; /* and the message about them */
    unsigned char message[AT_ONCE * SDI_CHANGED_TAG_BYTES];
    void *numbers[AT_ONCE];
    size_t count;
} telling;

/* Where the last telling ended the next one begins: some that cannot be told, because their server is gone, do not keep
 * the others waiting. The lock is held. */
static void take_some(sdi_unfinished *unfinished, telling *t)
{
    sdi_slice key;
    for (t->count = 0; t->count < AT_ONCE; t->count++) {
        t->numbers[t->count] = sdi_map_next(&unfinished->fences, &unfinished->cursor, &key);
        if (!t->numbers[t->count])
            break;
        t->removals[t->count] = (sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = key};
    }
    if (t->count < AT_ONCE)
        unfinished->cursor = 0;
}

/* The lock is held. */
static void drop_told(sdi_core *core, const telling *t, bool all)
{
    sdi_map *fences = &core->unfinished.fences;
    for (size_t i = 0; i < t->count; i++) {
        if (!all && !t->removals[i].done)
            continue;
        sdi_count(core->metrics, SDI_M_FENCES_RETRIED, 0, 1);
        if (sdi_map_get(fences, t->removals[i].key) == t->numbers[i])
            sdi_map_remove(fences, t->removals[i].key);
    }
}

/* The lock is held, and let go while the cache is told. Keys stay put meanwhile: only who tells removes any. */
static void tell_some(sdi_core *core, int64_t deadline)
{
    telling t;
    sdi_unfinished *unfinished = &core->unfinished;
    while (unfinished->spares && keep_each(core, &unfinished->spare[unfinished->spares - 1]))
        sdi_buffer_free(&unfinished->spare[--unfinished->spares]);
    take_some(unfinished, &t);
    if (!t.count)
        return;
    sdi_unlock(&unfinished->lock);
    SDI_STEP(drain);
    size_t messages = sdi_coherence_publish(core, t.removals, t.count, t.message);
    bool all = sdi_cache_run(core->cache, t.removals, t.count + messages, deadline);
    sdi_lock(&unfinished->lock);
    if (all || !messages || t.removals[t.count].done)
        drop_told(core, &t, all);
}

static void tell(sdi_core *core, enum sdi_telling how_much, int64_t deadline)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    bool mine = !unfinished->telling && count_waiting(unfinished) > 0, told = false;
    if (mine) {
        unfinished->telling = true;
        do
            tell_some(core, deadline);
        while (how_much == SDI_TELL_ALL && unfinished->cursor && !sdi_passed(deadline));
        unfinished->telling = false;
        told = count_waiting(unfinished) == 0;
        show(core);
    }
    sdi_unlock(&unfinished->lock);
    if (told)
        sdi_log_bare(core->log, SDI_LOG_UNFENCED_TOLD);
}

void sdi_untold_tell(sdi_core *core, enum sdi_telling how_much, int64_t deadline)
{
    if (atomic_load(&core->unfinished.any))
        tell(core, how_much, deadline);
}
