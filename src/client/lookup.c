#include "client/lookup.h"

#include "base/memory.h"
#include "base/random.h"
#include "client/fencing.h"
#include "fresh/entry.h"

/* A batch of operations being written: keys in one buffer, so that a few allocations serve all. */
typedef struct batch {
    sdi_cache_op *operations;
    size_t count;
    sdi_buffer keys;
    sdi_buffer values;
} batch;

static bool batch_make(batch *b, size_t most)
{
    *b = (batch){.operations = sdi_calloc(most, sizeof *b->operations)};
    return b->operations != NULL;
}

static void batch_free(batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        sdi_free(b->operations[i].block);
    sdi_free(b->operations);
    sdi_buffer_free(&b->keys);
    sdi_buffer_free(&b->values);
}

/* Keys and values are appended to growing buffers, so they are offsets until sdi_cache_run: see settle. */
static sdi_cache_op *add(batch *b, enum sdi_cache_verb verb, size_t key_begin)
{
    sdi_cache_op *operation = &b->operations[b->count++];
    operation->verb = verb;
    operation->key = (sdi_slice){(const char *)key_begin, b->keys.length - key_begin};
    return operation;
}

static void add_value(batch *b, sdi_cache_op *operation, size_t value_begin)
{
    operation->value = (sdi_slice){(const char *)value_begin, b->values.length - value_begin};
}

static void settle(sdi_slice *slice, const sdi_buffer *buffer)
{
    slice->data = buffer->data + (size_t)slice->data;
}

static bool run(sdi_core *core, batch *b, int64_t deadline)
{
    if (b->keys.failed || b->values.failed)
        return false;
    for (size_t i = 0; i < b->count; i++) {
        settle(&b->operations[i].key, &b->keys);
        if (b->operations[i].value.length)
            settle(&b->operations[i].value, &b->values);
        if (b->operations[i].expected.length)
            settle(&b->operations[i].expected, &b->values);
    }
    return b->count == 0 || sdi_cache_run(core->cache, b->operations, b->count, deadline);
}

static void add_fence(sdi_core *core, batch *b, const sdi_read *read, size_t tag, enum sdi_cache_verb verb)
{
    sdi_slice space;
    size_t begin = b->keys.length;
    if (sdi_core_space(core, &space, NULL))
        sdi_fence_key(space, sdi_tags_at(&read->tags, tag), &b->keys);
    add(b, verb, begin);
}

static void add_entry(batch *b, const sdi_read *read, enum sdi_cache_verb verb)
{
    size_t begin = b->keys.length;
    sdi_buffer_append(&b->keys, read->key.data, read->key.length);
    add(b, verb, begin);
}

/* --------------------------------------------------------------------------------------------------------- look up */

/* Of two eras the newer one's fence counts: an answer must contain that, and can never satisfy the other. */
static void demand(sdi_read *read, size_t kind, const sdi_point *point)
{
    sdi_point *sum = &read->demand[kind];
    if (!read->demanded[kind]) {
        *sum = *point;
    } else if (sdi_era_equal(point->era, sum->era)) {
        sdi_point_merge(sum, point);
    } else {
        read->mixed_eras = true;
        if (point->era.timeline > sum->era.timeline)
            *sum = *point;
    }
    read->demanded[kind] = true;
}

void sdi_demand_floor(sdi_read *read, const sdi_point *floor)
{
    demand(read, 0, floor);
    demand(read, 1, floor);
    read->whole[0] = read->whole[1] = true;
}

bool sdi_answer_passes(const sdi_read *read, const shopdata_result *answer, const sdi_stamp *stamp)
{
    size_t kind = shopdata_result_rows(answer) ? 0 : 1;
    return read->whole[kind] && read->demanded[kind] && !read->mixed_eras &&
           sdi_stamp_passes(stamp, &read->demand[kind]);
}

static void take_fences(sdi_read *read, const sdi_cache_op *fences)
{
    read->missing = 0;
    read->mixed_eras = false;
    for (size_t kind = 0; kind < 2; kind++) {
        read->whole[kind] = true;
        read->demanded[kind] = false;
    }
    for (size_t i = 0; i < read->tags.count; i++) {
        sdi_point point;
        sdi_slice record = {fences[i].found ? fences[i].block : NULL, fences[i].found ? fences[i].length : 0};
        bool stands = sdi_fence_decode(record, &point) == SDI_FENCE_POINT;
        if (!stands)
            read->missing |= (uint64_t)1 << i;
        for (size_t kind = i < read->tags.required ? 0 : 1; kind < 2; kind++) {
            read->whole[kind] &= stands;
            if (stands)
                demand(read, kind, &point);
        }
    }
    read->fences_read = true;
}

static size_t policy_number(const sdi_core *core, const sdi_read *read)
{
    return (size_t)(read->policy - core->settings->policies);
}

static void miss(sdi_core *core, const sdi_read *read, enum sdi_miss_reason reason)
{
    size_t label = sdi_metric_pair(SDI_M_CACHE_MISSES, policy_number(core, read), reason);
    sdi_count(core->metrics, SDI_M_CACHE_MISSES, label, 1);
}

static void hit(sdi_core *core, sdi_read *read, shopdata_result *answer, const sdi_stamp *stamp)
{
    sdi_count(core->metrics, SDI_M_CACHE_HITS, policy_number(core, read), 1);
    if (!shopdata_result_rows(answer))
        sdi_count(core->metrics, SDI_M_CACHE_NEGATIVE_HITS, policy_number(core, read), 1);
    read->result = answer;
    read->stamp = *stamp;
    read->stamped = true;
    read->state = SDI_READ_DONE;
}

/* Takes the block out of the operation if it becomes an answer. */
static void judge_entry(sdi_core *core, sdi_read *read, sdi_cache_op *entry)
{
    shopdata_result *answer;
    sdi_stamp stamp;
    if (!entry->found) {
        miss(core, read, SDI_MISS_ABSENT);
        return;
    }
    sdi_slice identity = {read->identity.data, read->identity.length};
    enum sdi_entry_state state =
        sdi_entry_open(entry->block, entry->headroom, entry->length, identity, &answer, &stamp);
    if (state != SDI_ENTRY_GOOD) {
        miss(core, read, state == SDI_ENTRY_FOREIGN ? SDI_MISS_FOREIGN : SDI_MISS_DAMAGED);
        return;
    }
    entry->block = NULL;
    if (sdi_answer_passes(read, answer, &stamp)) {
        hit(core, read, answer, &stamp);
        return;
    }
    bool whole = read->whole[shopdata_result_rows(answer) ? 0 : 1];
    miss(core, read, whole ? SDI_MISS_FENCE_REFUSED : SDI_MISS_FENCE_MISSING);
    shopdata_result_free(answer);
}

/* Entry and fence of an era that is over still pass each other, but what came after went past them: a promotion may
 * have lost what they contain, and who has not heard of it may have made the fence. */
static void refuse_old_era(sdi_read *read, uint32_t timeline)
{
    for (size_t kind = 0; kind < 2; kind++)
        if (read->demanded[kind] && read->demand[kind].era.timeline < timeline)
            read->mixed_eras = true;
}

static void judge(sdi_core *core, sdi_read *read, sdi_cache_op *operations)
{
    take_fences(read, operations + 1);
    refuse_old_era(read, sdi_router_timeline(core->router));
    judge_entry(core, read, operations);
}

static bool looks(const sdi_read *read)
{
    return read->cached && read->state == SDI_READ_OPEN && !(read->flags & SHOPDATA_PRIMARY);
}

static size_t operations_of(const sdi_read *reads, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += reads[i].cached ? 1 + 2 * reads[i].tags.count : 0;
    return total;
}

bool sdi_lookup(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline)
{
    batch b;
    if (!batch_make(&b, operations_of(reads, count)))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!looks(&reads[i]))
            continue;
        add_entry(&b, &reads[i], SDI_CACHE_GET);
        b.operations[b.count - 1].headroom = sizeof(shopdata_result);
        for (size_t tag = 0; tag < reads[i].tags.count; tag++)
            add_fence(core, &b, &reads[i], tag, SDI_CACHE_GET);
    }
    bool answered = run(core, &b, deadline);
    sdi_cache_op *at = b.operations;
    for (size_t i = 0; i < count; i++) {
        if (!looks(&reads[i]))
            continue;
        if (answered)
            judge(core, &reads[i], at);
        else
            miss(core, &reads[i], SDI_MISS_UNAVAILABLE);
        at += 1 + reads[i].tags.count;
    }
    batch_free(&b);
    return answered;
}

/* ------------------------------------------------------------------------------------------------------------ fill */

static bool fills(const sdi_read *read)
{
    return read->cached && read->fences_read && read->missing;
}

bool sdi_placehold(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, int64_t deadline)
{
    batch b;
    if (!batch_make(&b, operations_of(reads, count)))
        return false;
    sdi_fence_placeholder(nonce, &b.values);
    for (size_t i = 0; i < count; i++) {
        for (size_t tag = 0; fills(&reads[i]) && looks(&reads[i]) && tag < reads[i].tags.count; tag++) {
            if (!(reads[i].missing >> tag & 1))
                continue;
            add_fence(core, &b, &reads[i], tag, SDI_CACHE_ADD);
            b.operations[b.count - 1].value = (sdi_slice){(const char *)0, b.values.length};
            b.operations[b.count - 1].ttl_ms = SDI_PLACEHOLDER_TTL_MS;
        }
    }
    bool put = run(core, &b, deadline);
    batch_free(&b);
    return put;
}

static void add_swaps(sdi_core *core, batch *b, const sdi_read *read, size_t placeholder_length, size_t fence_length)
{
    for (size_t tag = 0; tag < read->tags.count; tag++) {
        if (!(read->missing >> tag & 1))
            continue;
        add_fence(core, b, read, tag, SDI_CACHE_SWAP);
        sdi_cache_op *swap = &b->operations[b->count - 1];
        swap->expected = (sdi_slice){(const char *)0, placeholder_length};
        swap->value = (sdi_slice){(const char *)placeholder_length, fence_length};
        swap->ttl_ms = sdi_fence_ttl(core->settings);
    }
}

static int64_t entry_ttl(const sdi_read *read)
{
    const sdi_policy_settings *policy = read->policy;
    int64_t ttl = shopdata_result_rows(read->result) ? policy->ttl_ms : policy->negative_ttl_ms;
    return sdi_jitter(ttl, (unsigned)policy->jitter);
}

static void add_answer(sdi_core *core, batch *b, sdi_read *read)
{
    size_t begin = b->values.length;
    sdi_slice identity = {read->identity.data, read->identity.length};
    if (!read->stamped) {
        sdi_count(core->metrics, SDI_M_CACHE_FILLS_DROPPED, SDI_DROP_STALE, 1);
        return;
    }
    sdi_entry_encode(read->result, &read->stamp, identity, &b->values);
    if (b->values.length - begin > (size_t)core->settings->cache.max_entry_bytes) {
        sdi_count(core->metrics, SDI_M_CACHE_FILLS_DROPPED, SDI_DROP_TOO_LARGE, 1);
        b->values.length = begin;
        return;
    }
    add_entry(b, read, SDI_CACHE_SET);
    add_value(b, &b->operations[b->count - 1], begin);
    b->operations[b->count - 1].ttl_ms = entry_ttl(read);
    sdi_observe(core->metrics, SDI_M_CACHE_ENTRY_BYTES, 0, (int64_t)(b->values.length - begin));
    read->sent = true;
}

/* A fence of another era than the answer's passes no stamp any more: it is deleted, and made anew by the next who
 * misses. */
static bool outlived(const sdi_read *read)
{
    return read->fences_read && read->stamped &&
           (read->mixed_eras || (read->demanded[1] && !sdi_era_equal(read->demand[1].era, read->stamp.era)));
}

static void add_removals(sdi_core *core, batch *b, const sdi_read *read)
{
    for (size_t tag = 0; tag < read->tags.count; tag++)
        add_fence(core, b, read, tag, SDI_CACHE_REMOVE);
}

static bool stores(const sdi_read *read)
{
    return read->cached && read->unstored && read->state == SDI_READ_DONE;
}

static void add_stores(sdi_core *core, batch *b, sdi_read *read, size_t placeholder_length, size_t fence_length)
{
    if (outlived(read))
        add_removals(core, b, read);
    else if (fence_length && fills(read))
        add_swaps(core, b, read, placeholder_length, fence_length);
    add_answer(core, b, read);
}

static void count_fills(sdi_core *core, sdi_read *reads, size_t count, bool kept)
{
    for (size_t i = 0; i < count; i++) {
        if (!reads[i].sent)
            continue;
        reads[i].sent = false;
        if (kept)
            sdi_count(core->metrics, SDI_M_CACHE_FILLS, policy_number(core, &reads[i]), 1);
        else
            sdi_count(core->metrics, SDI_M_CACHE_FILLS_DROPPED, SDI_DROP_UNAVAILABLE, 1);
    }
}

void sdi_store(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, const sdi_point *floor, int64_t deadline)
{
    batch b;
    if (!batch_make(&b, operations_of(reads, count)))
        return;
    sdi_fence_placeholder(nonce, &b.values);
    size_t placeholder_length = b.values.length;
    if (floor)
        sdi_fence_encode(floor, &b.values);
    size_t fence_length = b.values.length - placeholder_length;
    for (size_t i = 0; i < count; i++)
        if (stores(&reads[i])) {
            add_stores(core, &b, &reads[i], placeholder_length, fence_length);
            reads[i].unstored = false;
        }
    count_fills(core, reads, count, run(core, &b, deadline));
    batch_free(&b);
}
