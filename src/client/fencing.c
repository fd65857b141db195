#include "client/fencing.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"

enum { FENCE_TTL_MIN_MS = 60000 };

int64_t sdi_fence_ttl(const sdi_settings *settings)
{
    int64_t life_ms = settings->entry_life_ms;
    return 2 * (life_ms > FENCE_TTL_MIN_MS ? life_ms : FENCE_TTL_MIN_MS);
}

bool sdi_fence_tags(const sdi_core *core, const sdi_plan *plan, const shopdata_param *params, size_t count,
                    sdi_tags *tags)
{
    if (!sdi_mode_fences(core->settings->cache.mode))
        return sdi_plan_keeps(plan, params, count);
    return sdi_plan_tags(plan, params, count, tags) && tags->count > 0;
}

void sdi_fence_keys(sdi_core *core, const sdi_tags *tags, sdi_buffer *keys)
{
    sdi_slice space;
    if (!sdi_core_space(core, &space, NULL))
        return;
    for (size_t i = 0; i < tags->count; i++) {
        sdi_fence_key(space, sdi_tags_at(tags, i), keys);
        sdi_buffer_char(keys, '\0');
    }
}

static size_t count_keys(const sdi_buffer *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < keys->length; i++)
        count += keys->data[i] == '\0';
    return count;
}

/* NULL without memory. */
static sdi_cache_op *make_operations(sdi_core *core, const sdi_buffer *keys, size_t count, const sdi_change *change)
{
    size_t i = 0;
    int64_t ttl_ms = sdi_fence_ttl(core->settings);
    sdi_cache_op *operations = sdi_calloc(count, sizeof *operations);
    if (!operations)
        return NULL;
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        operations[i++] = (sdi_cache_op){
            .verb = change ? SDI_CACHE_MERGE : SDI_CACHE_REMOVE,
            .key = sdi_slice_of(keys->data + at),
            .change = change,
            .ttl_ms = ttl_ms,
        };
    if (!SDI_RULE(writer_ends_placeholder))
        sdi_misfence_spare(core, operations, count);
    if (!SDI_RULE(writer_makes_no_fence))
        sdi_misfence_create(core, operations, count);
    return operations;
}

bool sdi_fence_run(sdi_core *core, const sdi_buffer *keys, const sdi_change *change, int64_t deadline,
                   enum sdi_fence_event event)
{
    size_t count = count_keys(keys);
    sdi_cache_op *operations = make_operations(core, keys, count, change);
    bool told = operations && sdi_cache_run(core->cache, operations, count, deadline);
    sdi_free(operations);
    if (told)
        sdi_count(core->metrics, SDI_M_FENCE_CHANGES, event, count);
    return told;
}

/* Leaves the keys that are still to be told. */
static void drop_told(sdi_buffer *keys, const sdi_cache_op *operations)
{
    size_t kept = 0;
    for (size_t at = 0, i = 0, length; at < keys->length; at += length, i++) {
        length = strlen(keys->data + at) + 1;
        if (operations[i].done)
            continue;
        memmove(keys->data + kept, keys->data + at, length);
        kept += length;
    }
    keys->length = kept;
}

/* A write that has happened must be told even when its caller's deadline is over, or he has no patience: the cache's
 * own timeout bounds it. */
static void tell(sdi_core *core, sdi_buffer *keys, size_t count, const sdi_change *change)
{
    sdi_cache_op *operations = make_operations(core, keys, count, change);
    if (!operations)
        return;
    sdi_interrupt_hold();
    if (sdi_cache_run(core->cache, operations, count, SDI_NEVER))
        keys->length = 0;
    else
        drop_told(keys, operations);
    sdi_interrupt_resume();
    sdi_free(operations);
}

static int keep(sdi_core *core, sdi_buffer *keys, const sdi_point *point)
{
    sdi_count(core->metrics, SDI_M_UNFENCED, 0, 1);
    SDI_LOG(core->log, SDI_LOG_WRITE_UNFENCED, SDI_NUMBER(count_keys(keys)));
    if (SDI_RULE(untold_kept))
        sdi_untold_keep(core, keys, point);
    return SHOPDATA_UNFENCED;
}

int sdi_fence(sdi_core *core, sdi_buffer *keys, const sdi_change *change)
{
    size_t count = count_keys(keys);
    const sdi_point *point = change ? &change->point : NULL;
    if (!core->cache || !count)
        return SHOPDATA_OK;
    if (!SDI_RULE(fence_before_return)) {
        sdi_untold_keep(core, keys, point);
        return SHOPDATA_OK;
    }
    tell(core, keys, count, change);
    size_t told = count - count_keys(keys);
    sdi_count(core->metrics, SDI_M_FENCE_CHANGES, change ? SDI_FENCES_MERGED : SDI_FENCES_DELETED, told);
    sdi_count(core->metrics, SDI_M_INVALIDATIONS, 0, told);
    return keys->length ? keep(core, keys, point) : SHOPDATA_OK;
}
