#include "client/fencing.h"

#include <string.h>

#include "base/clock.h"
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

static void keep_all(sdi_core *core, sdi_buffer *keys, size_t count)
{
    if (SDI_RULE(untold_kept))
        sdi_untold_keep(core, keys);
    sdi_count(core->metrics, SDI_M_UNFENCED, 0, 1);
    SDI_LOG(core->log, SDI_LOG_WRITE_UNFENCED, SDI_NUMBER(count));
}

static void fill_operations(const sdi_core *core, const sdi_buffer *keys, const sdi_change *change,
                            sdi_cache_op *operations)
{
    size_t i = 0;
    int64_t ttl_ms = sdi_fence_ttl(core->settings);
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        operations[i++] = (sdi_cache_op){
            .verb = change ? SDI_CACHE_MERGE : SDI_CACHE_REMOVE,
            .key = sdi_slice_of(keys->data + at),
            .change = change,
            .ttl_ms = ttl_ms,
        };
}

bool sdi_fence_run(sdi_core *core, const sdi_buffer *keys, const sdi_change *change, int64_t deadline,
                   enum sdi_fence_event event)
{
    size_t count = count_keys(keys);
    sdi_cache_op *operations = sdi_calloc(count, sizeof *operations);
    if (!operations)
        return false;
    fill_operations(core, keys, change, operations);
    if (!SDI_RULE(writer_ends_placeholder))
        sdi_misfence_spare(core, operations, count);
    if (!SDI_RULE(writer_makes_no_fence))
        sdi_misfence_create(core, operations, count);
    bool told = sdi_cache_run(core->cache, operations, count, deadline);
    sdi_free(operations);
    if (told)
        sdi_count(core->metrics, SDI_M_FENCE_CHANGES, event, count);
    return told;
}

/* A write that has happened must be told even when its caller's deadline is over: the cache's own timeout bounds it. */
int sdi_fence(sdi_core *core, sdi_buffer *keys, const sdi_change *change)
{
    size_t count = count_keys(keys);
    if (!core->cache || !count)
        return SHOPDATA_OK;
    if (!SDI_RULE(fence_before_return)) {
        sdi_untold_keep(core, keys);
        return SHOPDATA_OK;
    }
    bool told = sdi_fence_run(core, keys, change, SDI_NEVER, change ? SDI_FENCES_MERGED : SDI_FENCES_DELETED);
    if (told)
        sdi_count(core->metrics, SDI_M_INVALIDATIONS, 0, count);
    else
        keep_all(core, keys, count);
    return told ? SHOPDATA_OK : SHOPDATA_UNFENCED;
}
