#include "client/store.h"

#include "base/clock.h"
#include "client/batch.h"
#include "client/coherence.h"
#include "client/fencing.h"
#include "client/lease.h"
#include "client/settle.h"
#include "fresh/entry.h"
#include "model/policy.h"

static bool fills(const sdi_read *read)
{
    return read->cached && read->fences_read && read->missing;
}

static void add_placeholders(sdi_batch *batch, const sdi_read *read, sdi_span placeholder)
{
    for (size_t tag = 0; tag < read->tags.count; tag++) {
        if (!(read->missing >> tag & 1))
            continue;
        if (read->useless >> tag & 1)
            sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_REMOVE);
        sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_ADD)->ttl_ms = SDI_PLACEHOLDER_TTL_MS;
        sdi_batch_value(batch, placeholder);
    }
}

/* The answers to the claims, which stand before all placeholders. */
static void take_claims(sdi_core *core, sdi_read *reads, size_t count, const sdi_cache_op *answers)
{
    for (size_t i = 0; i < count; i++) {
        if (!sdi_lease_wanted(&reads[i]))
            continue;
        sdi_lease_claimed(core, &reads[i], answers);
        if (answers)
            answers += SDI_LEASE_CLAIM_OPS;
    }
}

bool sdi_claim(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, int64_t deadline)
{
    sdi_batch batch;
    if (!sdi_batch_make(&batch, sdi_read_operations(reads, count)))
        return false;
    sdi_fence_placeholder(nonce, &batch.values);
    sdi_span placeholder = sdi_batch_since(&batch, 0);
    for (size_t i = 0; i < count; i++)
        if (sdi_lease_wanted(&reads[i]))
            sdi_lease_add_claim(&batch, core, &reads[i], nonce);
    for (size_t i = 0; i < count; i++)
        if (fills(&reads[i]) && sdi_read_looks(&reads[i]))
            add_placeholders(&batch, &reads[i], placeholder);
    bool put = sdi_batch_run(&batch, core, deadline);
    take_claims(core, reads, count, put ? batch.operations : NULL);
    sdi_batch_free(&batch);
    return put;
}

/* A fence to be put in place of its placeholder. */
typedef struct installation {
    sdi_span placeholder, fence; /* fence.length 0: none */
    const sdi_point *floor;
} installation;

static void add_swaps(sdi_core *core, sdi_batch *batch, const sdi_read *read, const installation *install)
{
    for (size_t tag = 0; tag < read->tags.count; tag++) {
        if (!(read->missing >> tag & 1))
            continue;
        sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_SWAP)->ttl_ms = sdi_fence_ttl(core->settings);
        sdi_batch_expected(batch, install->placeholder);
        sdi_batch_value(batch, install->fence);
    }
}

static void drop(sdi_core *core, enum sdi_drop_reason reason)
{
    sdi_count(core->metrics, SDI_M_CACHE_FILLS_DROPPED, reason, 1);
}

/* The rows are counted as they are in memory: whoever reads the entry has to hold them. */
static bool put_entry(sdi_core *core, sdi_batch *batch, const sdi_read *read, int64_t expires_at)
{
    size_t begin = batch->values.length, length = read->result->rows_length;
    size_t most = sdi_policy_bytes_max(read->policy, core->settings->cache.max_entry_bytes);
    sdi_slice identity = {read->identity.data, read->identity.length};
    sdi_entry entry = {.stamp = read->stamp, .expires_at = expires_at};
    if (length > most)
        return false;
    size_t kept = sdi_entry_encode(read->result, &entry, identity, (size_t)read->policy->compress_over, &batch->values);
    if (batch->values.length - begin > most) {
        batch->values.length = begin;
        return false;
    }
    if (kept < length) {
        sdi_count(core->metrics, SDI_M_COMPRESSION_BYTES, SDI_COMPRESSION_IN, length);
        sdi_count(core->metrics, SDI_M_COMPRESSION_BYTES, SDI_COMPRESSION_OUT, kept);
    }
    return true;
}

/* Transactions whose end it does not show, and that its readers will ask for: it would be refused by all. */
static bool lacks_pending(const sdi_read *read, const installation *install)
{
    size_t kind = shopdata_result_rows(read->result) ? 0 : 1;
    uint64_t tags = kind || read->tags.required >= 64 ? UINT64_MAX : ((uint64_t)1 << read->tags.required) - 1;
    return (read->stamp.standby && (read->pending & tags)) ||
           (read->fences_read && read->demanded[kind] &&
            !sdi_stamp_settled(&read->stamp, &read->demand[kind].pending)) ||
           (install->floor && fills(read) && !sdi_stamp_settled(&read->stamp, &install->floor->pending));
}

/* A fence of another era than the answer's passes no stamp any more: it is deleted, and made anew by the next who
 * misses. */
static bool outlived(const sdi_read *read)
{
    return read->fences_read && read->stamped &&
           (read->mixed_eras || (read->demanded[1] && !sdi_era_equal(read->demand[1].era, read->stamp.era)));
}

static void add_answer(sdi_core *core, sdi_batch *batch, sdi_read *read, const installation *install)
{
    size_t begin = batch->values.length;
    int64_t ttl_ms = sdi_policy_ttl(read->policy, shopdata_result_rows(read->result) == 0);
    if (ttl_ms == 0)
        return;
    if (!read->stamped) {
        drop(core, SDI_DROP_STALE);
        return;
    }
    if (lacks_pending(read, install)) {
        drop(core, SDI_DROP_PENDING);
        return;
    }
    if (!outlived(read))
        sdi_coherence_keep(core, read, 0);
    int64_t held_ms = sdi_policy_held(read->policy, ttl_ms);
    int64_t expires_at = held_ms > ttl_ms ? sdi_wall() + ttl_ms * 1000 : 0;
    if (!put_entry(core, batch, read, expires_at)) {
        drop(core, SDI_DROP_TOO_LARGE);
        return;
    }
    sdi_batch_key(batch, (sdi_slice){read->key.data, read->key.length}, SDI_CACHE_SET)->ttl_ms = held_ms;
    sdi_batch_value(batch, sdi_batch_since(batch, begin));
    sdi_observe(core->metrics, SDI_M_CACHE_ENTRY_BYTES, 0, (int64_t)(batch->values.length - begin));
    read->sent = true;
}

static void add_removals(sdi_batch *batch, const sdi_read *read)
{
    for (size_t tag = 0; tag < read->tags.count; tag++)
        sdi_batch_key(batch, sdi_tags_key(&read->tags, tag), SDI_CACHE_REMOVE);
}

static void add_stores(sdi_core *core, sdi_batch *batch, sdi_read *read, const installation *install)
{
    if (!read->cached || !read->unstored || read->state != SDI_READ_DONE)
        return;
    read->unstored = false;
    if (outlived(read))
        add_removals(batch, read);
    else if (install->fence.length && fills(read))
        add_swaps(core, batch, read, install);
    if (!outlived(read))
        sdi_settle_add(core, batch, read);
    add_answer(core, batch, read, install);
}

static void count_fills(sdi_core *core, sdi_read *reads, size_t count, bool kept)
{
    for (size_t i = 0; i < count; i++) {
        if (!reads[i].sent)
            continue;
        reads[i].sent = false;
        if (kept)
            sdi_count(core->metrics, SDI_M_CACHE_FILLS, sdi_read_policy(core, &reads[i]), 1);
        else
            drop(core, SDI_DROP_UNAVAILABLE);
    }
}

static installation put_texts(sdi_batch *batch, uint64_t nonce, const sdi_point *floor, bool strict)
{
    installation install = {.floor = floor};
    sdi_fence_placeholder(nonce, &batch->values);
    install.placeholder = sdi_batch_since(batch, 0);
    if (floor)
        sdi_fence_encode(floor, strict, &batch->values);
    install.fence = sdi_batch_since(batch, install.placeholder.length);
    return install;
}

bool sdi_store(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, const sdi_point *floor, int64_t deadline)
{
    sdi_batch batch;
    if (!sdi_batch_make(&batch, sdi_read_operations(reads, count)))
        return true;
    installation install = put_texts(&batch, nonce, floor, sdi_mode_marks(core->settings->cache.mode));
    for (size_t i = 0; i < count; i++)
        add_stores(core, &batch, &reads[i], &install);
    for (size_t i = 0; i < count; i++)
        sdi_lease_add_release(&batch, core, &reads[i]);
    bool kept = sdi_batch_run(&batch, core, deadline);
    count_fills(core, reads, count, kept);
    for (size_t i = 0; i < count; i++)
        sdi_settle_free(core, &reads[i], kept);
    sdi_batch_free(&batch);
    return kept;
}
