/* lease.h - single flight across processes. Whoever misses a key claims its lease in the shared cache and asks the
 * database; who finds it claimed waits until the entry is there, the lease is gone, or the policy's `lease` has passed
 * since he came.
 *
 * A lease saves work and decides nothing: an entry is judged by its fences, whoever stored it and when. So a lease may
 * be lost, taken twice, or left behind by a holder that died.
 *
 * It is a nonce under a key of its own. There is no "remove if it is mine" among the cache's verbs, so its holder swaps
 * it for a mark that lives for an instant: one that ran out, and was claimed by another since, is not touched. */
#ifndef SDI_CLIENT_LEASE_H
#define SDI_CLIENT_LEASE_H

#include "client/batch.h"
#include "client/lookup.h"

/* sdi_lease_wanted: should a lease be claimed before this read asks the database? */
bool sdi_lease_wanted(const sdi_read *read);

/* sdi_lease_add_claim adds SDI_LEASE_CLAIM_OPS operations. sdi_lease_claimed reads their answers (NULL: there were
 * none): the read HOLDS its lease, or is AWAITED. */
enum { SDI_LEASE_CLAIM_OPS = 2 };
void sdi_lease_add_claim(sdi_batch *batch, const sdi_core *core, sdi_read *read, uint64_t nonce);
void sdi_lease_claimed(sdi_core *core, sdi_read *read, const sdi_cache_op *operations);

/* sdi_lease_add_look adds one operation, sdi_lease_seen reads its answer: a lease that is gone is not waited for. */
void sdi_lease_add_look(sdi_batch *batch, const sdi_core *core, const sdi_read *read);
void sdi_lease_seen(sdi_read *read, const sdi_cache_op *operation);

/* sdi_lease_add_release gives a lease back that the read holds. */
void sdi_lease_add_release(sdi_batch *batch, const sdi_core *core, sdi_read *read);

#endif
