#include "client/lookup.h"

#include "base/clock.h"
#include "base/proving.h"
#include "client/batch.h"
#include "client/coherence.h"
#include "client/lease.h"
#include "client/stale.h"
#include "fresh/entry.h"
#include "model/policy.h"

/* A read is large: what is mostly empty is left unset. */
void sdi_read_begin(sdi_read *read, const shopdata_call *call)
{
    memset(read, 0, offsetof(sdi_read, demand));
    sdi_point_reset(&read->demand[0]);
    sdi_point_reset(&read->demand[1]);
    sdi_stamp_reset(&read->stamp);
    sdi_buffer_lend(&read->tags.texts, read->tag_room, sizeof read->tag_room);
    sdi_buffer_lend(&read->tags.ends, read->end_room, sizeof read->end_room);
    sdi_buffer_lend(&read->identity, read->identity_room, sizeof read->identity_room);
    sdi_buffer_lend(&read->key, read->key_room, sizeof read->key_room);
    read->call = call;
}

/* Of two eras the newer one's fence counts: an answer must contain that, and can never satisfy the other. */
static void demand(sdi_read *read, size_t kind, const sdi_point *point)
{
    sdi_point *sum = &read->demand[kind];
    if (!read->demanded[kind]) {
        sdi_point_copy(sum, point);
    } else if (sdi_era_equal(point->era, sum->era)) {
        read->crowded |= !sdi_point_merge(sum, point);
    } else {
        read->mixed_eras = true;
        if (point->era.timeline > sum->era.timeline)
            sdi_point_copy(sum, point);
    }
    read->demanded[kind] = true;
}

void sdi_demand_floor(sdi_read *read, const sdi_sample *floor)
{
    sdi_point finished = floor->point;
    finished.pending.count = 0;
    demand(read, 0, &finished);
    demand(read, 1, &finished);
    read->whole[0] = read->whole[1] = true;
    read->floor = floor->number;
}

/* Where nothing but its age tells what an answer may lack, the session may want it younger than the policy does. */
static bool too_old(const sdi_read *read, const shopdata_result *answer)
{
    int64_t most_ms = read->session->max_staleness_ms;
    return most_ms && sdi_wall() - answer->read_at > most_ms * 1000;
}

/* Where no fence tells of writes, those of the session are known all the same. */
bool sdi_answer_passes(const sdi_read *read, const shopdata_result *answer, const sdi_stamp *stamp)
{
    if (!read->tags.count)
        return sdi_session_is_in(read->session, stamp) && !too_old(read, answer);
    size_t kind = shopdata_result_rows(answer) || !SDI_RULE(empty_by_table) ? 0 : 1;
    bool whole = read->whole[kind] || !SDI_RULE(missing_is_miss);
    return whole && read->demanded[kind] && !read->mixed_eras && !read->crowded &&
           sdi_stamp_passes(stamp, &read->demand[kind]);
}

/* Of a write that the cache was not told of, this fence or its absence says nothing: an answer must contain it all the
 * same, or, where its point is not known, or of an era that is over, what the primary has now. */
static bool demand_untold(sdi_read *read, size_t tag, const sdi_point *fence)
{
    sdi_token *token = &read->session->token;
    sdi_core *core = read->session->client->core;
    if (!token->tag_count && !token->all_tags)
        return true;
    bool untold = sdi_session_untold(read->session, sdi_tags_key(&read->tags, tag), fence);
    bool over = token->written.era.timeline < sdi_router_timeline(core->router);
    bool known = !untold || (token->wrote && !token->unknown && !over);
    for (size_t kind = tag < read->tags.required ? 0 : 1; kind < 2 && untold && known; kind++)
        demand(read, kind, &token->written);
    return known;
}

/* A fence whose floor does not know who was running is none for strict readers. */
static bool is_trusted(const sdi_read *read, sdi_slice record)
{
    return !sdi_mode_marks(read->session->client->core->settings->cache.mode) || sdi_fence_strict(record) ||
           !SDI_RULE(fence_of_mode);
}

/* Reads the fence of a tag; false if there is none, or if nobody knows what this process would have to add to it. */
static bool read_fence(sdi_read *read, size_t tag, const sdi_cache_op *found, const sdi_untold *untold,
                       sdi_point *point)
{
    uint64_t bit = (uint64_t)1 << tag;
    sdi_slice record = {found->found ? found->block : NULL, found->found ? found->length : 0};
    enum sdi_fence_kind kind = sdi_fence_decode(record, point);
    bool stands = kind == SDI_FENCE_POINT && is_trusted(read, record);
    if (!stands && kind != SDI_FENCE_MISSING && kind != SDI_FENCE_PLACEHOLDER)
        read->useless |= bit;
    stands &= !(read->untold & bit && untold->unplaced);
    if (!stands)
        read->missing |= bit;
    if (stands && point->pending.count)
        read->pending |= bit;
    return stands;
}

static void forget_fences(sdi_read *read, bool whole)
{
    read->missing = read->useless = read->pending = read->floor = 0;
    read->mixed_eras = read->crowded = false;
    for (size_t kind = 0; kind < 2; kind++) {
        read->whole[kind] = whole;
        read->demanded[kind] = false;
    }
}

void sdi_miss_fences(sdi_read *read)
{
    forget_fences(read, false);
    read->missing = UINT64_MAX;
    read->looked_at = sdi_wall();
}

static void take_fences(sdi_read *read, const sdi_cache_op *fences, const sdi_untold *untold)
{
    forget_fences(read, true);
    for (size_t i = 0; i < read->tags.count; i++) {
        sdi_point point;
        bool stands = read_fence(read, i, &fences[i], untold, &point);
        if (!demand_untold(read, i, stands ? &point : NULL)) {
            read->missing |= (uint64_t)1 << i;
            stands = false;
        }
        for (size_t kind = i < read->tags.required ? 0 : 1; kind < 2; kind++) {
            read->whole[kind] &= stands;
            if (stands)
                demand(read, kind, &point);
            if (stands && untold->pointed && read->untold >> i & 1)
                demand(read, kind, &untold->point);
        }
    }
    read->fences_read = read->tags.count > 0;
}

size_t sdi_read_policy(const sdi_core *core, const sdi_read *read)
{
    return (size_t)(read->policy - core->settings->policies);
}

/* Once a read, however often it looks. */
static void miss(sdi_core *core, sdi_read *read, enum sdi_miss_reason reason)
{
    if (read->missed)
        return;
    read->missed = true;
    size_t label = sdi_metric_pair(SDI_M_CACHE_MISSES, sdi_read_policy(core, read), reason);
    sdi_count(core->metrics, SDI_M_CACHE_MISSES, label, 1);
}

static void count_hit(sdi_core *core, const sdi_read *read, bool empty)
{
    if (read->lease == SDI_LEASE_AWAITED) {
        sdi_count(core->metrics, SDI_M_LEASES, SDI_LEASES_ANSWERED, 1);
        return;
    }
    sdi_count(core->metrics, SDI_M_CACHE_HITS, sdi_read_policy(core, read), 1);
    if (empty)
        sdi_count(core->metrics, SDI_M_CACHE_NEGATIVE_HITS, sdi_read_policy(core, read), 1);
}

static void hit(sdi_core *core, sdi_read *read, shopdata_result *answer, const sdi_stamp *stamp)
{
    count_hit(core, read, shopdata_result_rows(answer) == 0);
    read->result = answer;
    read->result->staleness_ms = sdi_stale_ms(read, answer, false);
    sdi_stamp_copy(&read->stamp, stamp);
    read->stamped = true;
    read->state = SDI_READ_DONE;
}

/* Takes the block out of the operation if it becomes an answer. */
static enum sdi_entry_state open_entry(const sdi_core *core, const sdi_read *read, sdi_cache_op *found,
                                       shopdata_result **answer, sdi_entry *entry)
{
    sdi_slice identity = {read->identity.data, read->identity.length};
    sdi_entry_block kept = {found->block, found->headroom, found->length,
                            (size_t)core->settings->cache.max_entry_bytes};
    enum sdi_entry_state state = sdi_entry_open(&kept, identity, answer, entry);
    found->block = kept.block;
    return state;
}

static enum sdi_miss_reason why_refused(const sdi_read *read, const shopdata_result *answer, bool passes)
{
    if (passes)
        return SDI_MISS_EXPIRED;
    if (!read->whole[shopdata_result_rows(answer) ? 0 : 1])
        return SDI_MISS_FENCE_MISSING;
    return read->untold ? SDI_MISS_UNTOLD : SDI_MISS_FENCE_REFUSED;
}

static void judge_answer(sdi_core *core, sdi_read *read, shopdata_result *answer, const sdi_entry *entry)
{
    bool passes = sdi_answer_passes(read, answer, &entry->stamp);
    bool goes_on = sdi_session_goes_on(read->session, &entry->stamp);
    sdi_policy_times times = {read->looked_at, answer->read_at, entry->expires_at};
    enum sdi_policy_use use =
        sdi_policy_use(read->policy, &times, passes, goes_on ? read->session->max_staleness_ms : 0);
    if (use == SDI_USE_FRESH) {
        hit(core, read, answer, &entry->stamp);
        sdi_coherence_keep(core, read, entry->expires_at);
        return;
    }
    miss(core, read, why_refused(read, answer, passes));
    bool keeps = use == SDI_USE_EXPIRED || (use >= SDI_USE_OVERTAKEN && sdi_stale_allowed(core, read, &entry->stamp));
    if (keeps)
        sdi_stale_keep(read, answer, &entry->stamp, use >= SDI_USE_OVERTAKEN);
    else
        shopdata_result_free(answer);
    if (keeps && use == SDI_USE_TOLERATED)
        sdi_stale_serve(core, read, SDI_STALE_TOLERATED);
}

static void judge_entry(sdi_core *core, sdi_read *read, sdi_cache_op *found)
{
    shopdata_result *answer;
    sdi_entry entry;
    if (!found->found) {
        miss(core, read, SDI_MISS_ABSENT);
        return;
    }
    enum sdi_entry_state state = open_entry(core, read, found, &answer, &entry);
    if (state == SDI_ENTRY_GOOD)
        judge_answer(core, read, answer, &entry);
    else
        miss(core, read, state == SDI_ENTRY_FOREIGN ? SDI_MISS_FOREIGN : SDI_MISS_DAMAGED);
}

/* Entry and fence of an era that is over still pass each other, but what came after went past them: a promotion may
 * have lost what they contain, and who has not heard of it may have made the fence. */
static void refuse_old_era(sdi_read *read, uint32_t timeline)
{
    for (size_t kind = 0; kind < 2; kind++)
        if (read->demanded[kind] && read->demand[kind].era.timeline < timeline)
            read->mixed_eras = true;
}

static void meet_pending(sdi_core *core, sdi_read *read)
{
    if (read->pending && !read->met)
        sdi_count(core->metrics, SDI_M_PENDING_MET, 0, 1);
    read->met |= read->pending != 0;
}

/* How many operations a look takes. */
static size_t gets_of(const sdi_read *read)
{
    return 1 + read->tags.count + (read->lease == SDI_LEASE_AWAITED);
}

bool sdi_read_looks(const sdi_read *read)
{
    return read->cached && read->state == SDI_READ_OPEN && !(read->flags & SHOPDATA_PRIMARY);
}

/* Exactly as many as are needed: a hit's room is small then, which the allocator has at hand. */
static size_t gets_of_all(const sdi_read *reads, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += sdi_read_looks(&reads[i]) ? gets_of(&reads[i]) : 0;
    return total;
}

static void judge(sdi_core *core, sdi_read *read, sdi_cache_op *operations, const sdi_untold *untold)
{
    take_fences(read, operations + 1, untold);
    refuse_old_era(read, sdi_router_timeline(core->router));
    meet_pending(core, read);
    judge_entry(core, read, operations);
    if (read->lease == SDI_LEASE_AWAITED)
        sdi_lease_seen(read, operations + 1 + read->tags.count);
}

/* A read that goes on without the cache still gives its lease back. */
size_t sdi_read_operations(const sdi_read *reads, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += reads[i].cached ? 2 + 2 * reads[i].tags.count : reads[i].lease == SDI_LEASE_HELD;
    return total;
}

static void add_gets(const sdi_core *core, sdi_batch *batch, const sdi_read *read)
{
    sdi_batch_key(batch, (sdi_slice){read->key.data, read->key.length}, SDI_CACHE_GET)->headroom =
        sizeof(shopdata_result);
    for (size_t tag = 0; tag < read->tags.count; tag++)
        sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_GET);
    if (read->lease == SDI_LEASE_AWAITED)
        sdi_lease_add_look(batch, core, read);
}

/* Which of the read's tags have fences that could not be told. */
static void mark_untold(sdi_core *core, sdi_read *read, const sdi_untold *untold)
{
    read->untold = 0;
    if (!untold->any)
        return;
    for (size_t tag = 0; tag < read->tags.count; tag++)
        if (untold->all || sdi_untold_waits(core, sdi_tags_key(&read->tags, tag)))
            read->untold |= (uint64_t)1 << tag;
}

/* True if any of the reads hangs on what is untold. */
static bool add_looks(sdi_core *core, sdi_batch *batch, sdi_read *reads, size_t count, const sdi_untold *untold)
{
    int64_t now = sdi_wall();
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!sdi_read_looks(&reads[i]))
            continue;
        reads[i].looked_at = now;
        mark_untold(core, &reads[i], untold);
        any |= reads[i].untold != 0;
        add_gets(core, batch, &reads[i]);
    }
    return any;
}

static void judge_all(sdi_core *core, sdi_cache_op *operations, sdi_read *reads, size_t count, bool answered,
                      const sdi_untold *untold)
{
    for (size_t i = 0; i < count; i++) {
        if (!sdi_read_looks(&reads[i]))
            continue;
        sdi_cache_op *own = operations;
        operations += gets_of(&reads[i]);
        if (answered)
            judge(core, &reads[i], own, untold);
        else
            miss(core, &reads[i], SDI_MISS_UNAVAILABLE);
    }
}

/* Before anything is asked, of this process too: who writes keeps what he could not tell, and only then is it counted
 * as a change. */
static void note_moment(sdi_core *core, sdi_read *reads, size_t count)
{
    uint64_t moment = sdi_coherence_moment(core);
    for (size_t i = 0; i < count; i++)
        if (sdi_read_looks(&reads[i]))
            reads[i].moment = moment;
}

bool sdi_lookup(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline)
{
    sdi_batch batch;
    sdi_untold untold;
    if (!sdi_batch_make(&batch, gets_of_all(reads, count)))
        return false;
    note_moment(core, reads, count);
    sdi_untold_look(core, &untold);
    bool hanging = add_looks(core, &batch, reads, count, &untold);
    bool answered = sdi_batch_run(&batch, core, deadline);
    SDI_STEP(looked);
    judge_all(core, batch.operations, reads, count, answered, &untold);
    sdi_batch_free(&batch);
    if (answered && hanging)
        sdi_untold_tell(core, SDI_TELL_SOME, deadline);
    return answered;
}
