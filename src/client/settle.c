#include "client/settle.h"

#include "base/memory.h"
#include "base/proving.h"
#include "client/fencing.h"

bool sdi_is_pending(const sdi_read *read)
{
    size_t kind = read->result && !shopdata_result_rows(read->result) ? 1 : 0;
    return read->fences_read && (read->crowded || (read->demanded[kind] && read->demand[kind].pending.count));
}

/* `demand` for an answer without rows is of all tags. */
void sdi_settle_find(sdi_read *read, const sdi_moment *moment)
{
    sdi_pendings settled;
    const sdi_point *met = &read->demand[1];
    if (!read->pending || read->settle || !read->demanded[1] || !sdi_era_equal(met->era, moment->era))
        return;
    sdi_moment_settles(moment, &met->pending, &settled);
    if (settled.count == 0)
        return;
    read->settle = sdi_calloc(1, sizeof *read->settle);
    if (!read->settle) /* the next who meets them will do it */
        return;
    if (sdi_moment_floor(moment, &read->settle->point))
        read->settle->settled = settled;
    else
        sdi_settle_free(NULL, read, false);
    if (!SDI_RULE(settle_position) && read->settle)
        read->settle->point = (sdi_point){.era = moment->era};
}

void sdi_settle_add(sdi_core *core, sdi_batch *batch, const sdi_read *read)
{
    for (size_t tag = 0; read->settle && tag < read->tags.count; tag++) {
        if (!(read->pending >> tag & 1))
            continue;
        sdi_cache_op *operation = sdi_batch_fence(batch, core, sdi_tags_at(&read->tags, tag), SDI_CACHE_MERGE);
        operation->change = read->settle;
        operation->ttl_ms = sdi_fence_ttl(core->settings);
    }
}

void sdi_settle_free(sdi_core *core, sdi_read *read, bool told)
{
    if (read->settle && told) {
        sdi_count(core->metrics, SDI_M_PENDING_SETTLED, 0, read->settle->settled.count);
        sdi_count(core->metrics, SDI_M_FENCE_CHANGES, SDI_FENCES_SETTLED,
                  (uint64_t)__builtin_popcountll(read->pending));
    }
    sdi_free(read->settle);
    read->settle = NULL;
}
