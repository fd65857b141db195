#include "client/fencing.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/coherence.h"

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

/* What is done to fences, and what is published of it behind: no message may be heard before the fence has moved. */
typedef struct changing {
    sdi_cache_op *operations; /* one a fence, and the message's; NULL: no memory */
    size_t fences, count;
    unsigned char *message; /* in the same block */
} changing;

static changing make_changing(sdi_core *core, const sdi_buffer *keys, const sdi_change *change)
{
    size_t i = 0;
    changing c = {.fences = count_keys(keys)};
    int64_t ttl_ms = sdi_fence_ttl(core->settings);
    c.operations = sdi_calloc(1, (c.fences + 1) * sizeof *c.operations + c.fences * SDI_CHANGED_TAG_BYTES);
    if (!c.operations)
        return c;
    c.message = (unsigned char *)(c.operations + c.fences + 1);
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        c.operations[i++] = (sdi_cache_op){
            .verb = change ? SDI_CACHE_MERGE : SDI_CACHE_REMOVE,
            .key = sdi_slice_of(keys->data + at),
            .change = change,
            .ttl_ms = ttl_ms,
        };
    c.count = c.fences + sdi_coherence_publish(core, c.operations, c.fences, c.message);
    if (!SDI_RULE(writer_ends_placeholder))
        sdi_misfence_spare(core, c.operations, c.fences);
    if (!SDI_RULE(writer_makes_no_fence))
        sdi_misfence_create(core, c.operations, c.fences);
    return c;
}

bool sdi_fence_run(sdi_core *core, const sdi_buffer *keys, const sdi_change *change, int64_t deadline,
                   enum sdi_fence_event event)
{
    changing c = make_changing(core, keys, change);
    bool told = c.operations && sdi_cache_run(core->cache, c.operations, c.count, deadline);
    sdi_coherence_changed(core, c.message, c.fences);
    sdi_free(c.operations);
    if (told)
        sdi_count(core->metrics, SDI_M_FENCE_CHANGES, event, c.fences);
    return told;
}

/* Leaves the keys that are still to be told: all of them, if others may not have heard. */
static void drop_told(sdi_buffer *keys, const changing *c)
{
    size_t kept = 0;
    if (c->count > c->fences && !c->operations[c->fences].done)
        return;
    for (size_t at = 0, i = 0, length; at < keys->length; at += length, i++) {
        length = strlen(keys->data + at) + 1;
        if (c->operations[i].done)
            continue;
        memmove(keys->data + kept, keys->data + at, length);
        kept += length;
    }
    keys->length = kept;
}

/* A write that has happened must be told even when its caller's deadline is over, or he has no patience: the cache's
 * own timeout bounds it. */
static void tell(sdi_core *core, sdi_buffer *keys, changing *c)
{
    if (!c->operations)
        return;
    sdi_interrupt_hold();
    if (sdi_cache_run(core->cache, c->operations, c->count, SDI_NEVER))
        keys->length = 0;
    else
        drop_told(keys, c);
    sdi_interrupt_resume();
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
    const sdi_point *point = change ? &change->point : NULL;
    if (!core->cache || !keys->length)
        return SHOPDATA_OK;
    if (!SDI_RULE(fence_before_return)) {
        sdi_untold_keep(core, keys, point);
        return SHOPDATA_OK;
    }
    changing c = make_changing(core, keys, change);
    tell(core, keys, &c);
    size_t told = c.fences - count_keys(keys);
    sdi_count(core->metrics, SDI_M_FENCE_CHANGES, change ? SDI_FENCES_MERGED : SDI_FENCES_DELETED, told);
    sdi_count(core->metrics, SDI_M_INVALIDATIONS, 0, told);
    int status = keys->length ? keep(core, keys, point) : SHOPDATA_OK;
    sdi_coherence_changed(core, c.message, c.fences); /* behind both: who asks from now on finds what they left */
    sdi_free(c.operations);
    return status;
}
