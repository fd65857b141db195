#include "client/unfenced.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/memory.h"
#include "client/core.h"

enum { AT_ONCE = 256 };

void sdi_unfenced_init(sdi_unfenced *unfenced)
{
    sdi_mutex_init(&unfenced->lock);
    unfenced->keys = (sdi_map)SDI_MAP_INIT;
    unfenced->draining = false;
    atomic_init(&unfenced->waiting, 0);
    atomic_init(&unfenced->distrusted_until, 0);
}

void sdi_unfenced_free(sdi_unfenced *unfenced)
{
    sdi_map_free(&unfenced->keys);
    sdi_mutex_destroy(&unfenced->lock);
}

/* What cannot be remembered cannot be told: nothing that is in the cache now is trusted. */
static void distrust(sdi_core *core)
{
    int64_t life_ms = core->settings->entry_life_ms;
    atomic_store(&core->unfenced.distrusted_until, sdi_deadline_in(life_ms));
    SDI_LOG(core->log, SDI_LOG_CACHE_DISTRUSTED, SDI_NUMBER(life_ms / 1000));
}

void sdi_unfenced_keep(sdi_core *core, sdi_slice key)
{
    sdi_unfenced *unfenced = &core->unfenced;
    sdi_lock(&unfenced->lock);
    if (unfenced->keys.used >= SDI_UNFENCED_MAX || !sdi_map_set(&unfenced->keys, key, unfenced))
        distrust(core);
    atomic_store(&unfenced->waiting, unfenced->keys.used);
    sdi_unlock(&unfenced->lock);
    sdi_gauge(core->metrics, SDI_M_UNFENCED_PENDING, 0, (double)atomic_load(&unfenced->waiting));
}

/* Copies some of the keys that wait; the lock is held. */
static size_t copy_some(const sdi_unfenced *unfenced, char **keys, sdi_cache_op *removals)
{
    size_t cursor = 0, count = 0;
    sdi_slice key;
    while (count < AT_ONCE && sdi_map_next(&unfenced->keys, &cursor, &key)) {
        keys[count] = sdi_memdup0(key.data, key.length);
        if (!keys[count])
            break;
        removals[count] = (sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = {keys[count], key.length}};
        count++;
    }
    return count;
}

/* The lock is held, and let go while the cache is told. A key kept again meanwhile is told twice: no harm. */
static bool tell_some(sdi_core *core, int64_t deadline)
{
    sdi_unfenced *unfenced = &core->unfenced;
    char *keys[AT_ONCE];
    sdi_cache_op removals[AT_ONCE];
    size_t count = copy_some(unfenced, keys, removals);
    for (size_t i = 0; i < count; i++)
        sdi_map_remove(&unfenced->keys, removals[i].key);
    sdi_unlock(&unfenced->lock);
    bool told = count && sdi_cache_run(core->cache, removals, count, deadline);
    sdi_lock(&unfenced->lock);
    for (size_t i = 0; i < count; i++) {
        if (!told && !sdi_map_set(&unfenced->keys, removals[i].key, unfenced))
            distrust(core);
        sdi_free(keys[i]);
    }
    return told;
}

static bool drain(sdi_core *core, int64_t deadline)
{
    sdi_unfenced *unfenced = &core->unfenced;
    sdi_lock(&unfenced->lock);
    bool mine = !unfenced->draining, some = unfenced->keys.used > 0;
    if (mine) {
        unfenced->draining = true;
        while (unfenced->keys.used && tell_some(core, deadline))
            ;
        unfenced->draining = false;
        atomic_store(&unfenced->waiting, unfenced->keys.used);
    }
    size_t waiting = unfenced->keys.used;
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
    if (until && sdi_now() < until)
        return false;
    return atomic_load(&unfenced->waiting) == 0 || drain(core, deadline);
}
