#include "client/lease.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

/* The mark of a lease that was given back lives as short as the cache can make it: memcached counts in seconds, so who
 * claims takes it over. */
enum { RELEASED_TTL_MS = 1 };
static const char RELEASED[] = "R";

static sdi_span put_nonce(sdi_batch *batch, uint64_t nonce)
{
    size_t begin = batch->values.length;
    sdi_buffer_printf(&batch->values, "L %016" PRIx64, nonce);
    return sdi_batch_since(batch, begin);
}

static sdi_span put_released(sdi_batch *batch)
{
    size_t begin = batch->values.length;
    sdi_buffer_text(&batch->values, RELEASED);
    return sdi_batch_since(batch, begin);
}

static sdi_cache_op *add(sdi_batch *batch, const sdi_core *core, const sdi_read *read, enum sdi_cache_verb verb)
{
    sdi_slice space;
    if (sdi_core_space(core, &space, NULL))
        sdi_lease_key(space, (sdi_slice){read->identity.data, read->identity.length}, &batch->keys);
    return sdi_batch_add(batch, verb);
}

bool sdi_lease_wanted(const sdi_read *read)
{
    return read->lease == SDI_LEASE_NONE && read->policy->lease_ms && sdi_read_looks(read);
}

void sdi_lease_add_claim(sdi_batch *batch, const sdi_core *core, sdi_read *read, uint64_t nonce)
{
    sdi_span mine = put_nonce(batch, nonce), released = put_released(batch);
    read->lease_nonce = nonce;
    add(batch, core, read, SDI_CACHE_ADD)->ttl_ms = read->policy->lease_ms;
    sdi_batch_value(batch, mine);
    add(batch, core, read, SDI_CACHE_SWAP)->ttl_ms = read->policy->lease_ms;
    sdi_batch_expected(batch, released);
    sdi_batch_value(batch, mine);
}

/* Without an answer it may stand all the same: then it is given back like any other. */
void sdi_lease_claimed(sdi_core *core, sdi_read *read, const sdi_cache_op *operations)
{
    bool mine = !operations || !operations[0].found || operations[1].found;
    sdi_count(core->metrics, SDI_M_LEASES, mine ? SDI_LEASES_TAKEN : SDI_LEASES_AWAITED, 1);
    read->lease = mine ? SDI_LEASE_HELD : SDI_LEASE_AWAITED;
    if (mine)
        return;
    read->lease_until = sdi_deadline_in(read->policy->lease_ms);
    read->state = SDI_READ_AWAITED;
}

void sdi_lease_add_look(sdi_batch *batch, const sdi_core *core, const sdi_read *read)
{
    add(batch, core, read, SDI_CACHE_GET);
}

/* A claim that was sent twice, over a connection that broke, finds itself: it is the read's own after all. */
void sdi_lease_seen(sdi_read *read, const sdi_cache_op *operation)
{
    char mine[32];
    sdi_slice found = {operation->block, operation->length};
    snprintf(mine, sizeof mine, "L %016" PRIx64, read->lease_nonce);
    if (!operation->found || sdi_slice_equal(found, sdi_slice_of(RELEASED)))
        read->lease = SDI_LEASE_OVER;
    else if (sdi_slice_equal(found, sdi_slice_of(mine)))
        read->lease = SDI_LEASE_HELD;
}

void sdi_lease_add_release(sdi_batch *batch, const sdi_core *core, sdi_read *read)
{
    if (read->lease != SDI_LEASE_HELD)
        return;
    sdi_span mine = put_nonce(batch, read->lease_nonce), released = put_released(batch);
    add(batch, core, read, SDI_CACHE_SWAP)->ttl_ms = RELEASED_TTL_MS;
    sdi_batch_expected(batch, mine);
    sdi_batch_value(batch, released);
    read->lease = SDI_LEASE_OVER;
}
