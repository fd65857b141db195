#include "client/settle.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/fencing.h"

bool sdi_is_pending(const sdi_read *read)
{
    size_t kind = read->result && !shopdata_result_rows(read->result) ? 1 : 0;
    return read->fences_read && (read->crowded || (read->demanded[kind] && read->demand[kind].pending.count));
}

/* The oldest that this read has to know the end of. */
static uint64_t oldest(const sdi_read *read)
{
    return read->demand[1].pending.count ? read->demand[1].pending.list[0].xid : 0;
}

static bool may_wait(const sdi_core *core, const sdi_read *read)
{
    return sdi_is_pending(read) && sdi_read_looks(read) && !read->missing && !read->crowded && !read->mixed_eras &&
           !read->old && oldest(read) > atomic_load(&core->waited_in_vain);
}

/* Who was not pending at the first look, though the fence stood, had not committed when this read began: others may not
 * do without his write, this one may. */
static void keep_owed(sdi_read *read, const sdi_pendings *owed)
{
    for (size_t kind = 0; kind < 2; kind++) {
        sdi_pendings *pending = &read->demand[kind].pending;
        uint32_t kept = 0;
        for (uint32_t i = 0, at = 0; i < pending->count; i++) {
            while (at < owed->count && owed->list[at].xid < pending->list[i].xid)
                at++;
            if (at < owed->count && owed->list[at].xid == pending->list[i].xid)
                pending->list[kept++] = pending->list[i];
        }
        pending->count = kept;
    }
}

/* Says whether there is still something to wait for. */
static bool look_again(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline)
{
    bool waits = false;
    for (size_t i = 0; i < count; i++) {
        sdi_read *read = &reads[i];
        sdi_pendings owed = read->demand[1].pending;
        if (!may_wait(core, read))
            continue;
        if (!sdi_lookup(core, read, 1, deadline))
            return false;
        if (read->state == SDI_READ_OPEN && read->demanded[1] && !read->crowded)
            keep_owed(read, &owed);
        waits |= may_wait(core, read);
    }
    return waits;
}

static void note_vain(sdi_core *core, uint64_t xid)
{
    uint64_t before = atomic_load(&core->waited_in_vain);
    while (xid > before && !atomic_compare_exchange_weak(&core->waited_in_vain, &before, xid))
        ;
}

void sdi_settle_await(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline)
{
    enum { PAUSE_US = 500, PAUSE_MAX_US = 4000 };
    int64_t until = sdi_deadline_within(deadline, core->settings->route.wait_for_replica_ms), pause = PAUSE_US;
    bool waits = false;
    for (size_t i = 0; i < count; i++)
        waits |= may_wait(core, &reads[i]);
    if (!waits || core->settings->node_count < 2)
        return;
    for (; waits && !sdi_passed(until); pause = pause * 2 < PAUSE_MAX_US ? pause * 2 : PAUSE_MAX_US) {
        sdi_sleep(pause);
        waits = look_again(core, reads, count, deadline);
    }
    for (size_t i = 0; i < count; i++)
        if (may_wait(core, &reads[i]))
            note_vain(core, oldest(&reads[i]));
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
        sdi_cache_op *operation = sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_MERGE);
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
