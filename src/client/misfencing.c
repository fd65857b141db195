/* misfencing.c - what a writer must not do to fences; in proving builds alone (base/proving.h). */
#include "base/memory.h"
#include "client/fencing.h"

static enum sdi_fence_kind kind_of(sdi_core *core, sdi_slice key)
{
    sdi_point point;
    sdi_cache_op look = {.verb = SDI_CACHE_GET, .key = key};
    if (!sdi_cache_run(core->cache, &look, 1, SDI_NEVER))
        return SDI_FENCE_MISSING;
    enum sdi_fence_kind kind = sdi_fence_decode((sdi_slice){look.block, look.found ? look.length : 0}, &point);
    sdi_free(look.block);
    return kind;
}

/* A swap that expects nothing finds nothing. */
void sdi_misfence_spare(sdi_core *core, sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kind_of(core, operations[i].key) == SDI_FENCE_PLACEHOLDER)
            operations[i] = (sdi_cache_op){.verb = SDI_CACHE_SWAP, .key = operations[i].key};
}

void sdi_misfence_create(sdi_core *core, const sdi_cache_op *operations, size_t count)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    for (size_t i = 0; i < count; i++) {
        if (operations[i].verb != SDI_CACHE_MERGE)
            continue;
        sdi_buffer_clear(&record);
        sdi_fence_encode(&operations[i].change->point, false, &record);
        sdi_cache_op add = {.verb = SDI_CACHE_ADD,
                            .key = operations[i].key,
                            .value = {record.data, record.length},
                            .ttl_ms = operations[i].ttl_ms};
        sdi_cache_run(core->cache, &add, 1, SDI_NEVER);
    }
    sdi_buffer_free(&record);
}

bool sdi_misfence_meets(sdi_core *core, const sdi_cache_op *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kind_of(core, operations[i].key) == SDI_FENCE_POINT)
            return true;
    return false;
}
