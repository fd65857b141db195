/* settle.h - transactions that a read met pending in its fences: they may commit at any moment, or their writer died
 * behind COMMIT. Whoever reads from the primary sees which of them have finished, and tells all others by settling
 * them.
 */
#ifndef SDI_CLIENT_SETTLE_H
#define SDI_CLIENT_SETTLE_H

#include "client/batch.h"
#include "client/lookup.h"
#include "postgres/moment.h"

/* sdi_is_pending: does the answer to this read (with or without rows, as far as that is known) have to show the end of
 * transactions that no replica can tell of? */
bool sdi_is_pending(const sdi_read *read);
/* sdi_settle_await waits a moment for what reads met pending, while replicas could answer then: most writers are about
 * to return, and a tag that is written all the time would send every read to the primary. At most
 * route.wait_for_replica, and not for a transaction that has been waited for in vain, nor for older ones. */
void sdi_settle_await(sdi_core *core, sdi_read *reads, size_t count, int64_t deadline);
/* sdi_settle_find notes which of those that the read met have finished by the moment that its answer was read at. */
void sdi_settle_find(sdi_read *read, const sdi_moment *moment);
/* sdi_settle_add adds the operations that settle them: one for each tag that has any. sdi_settle_free forgets them, and
 * counts them if the cache was `told`. */
void sdi_settle_add(sdi_core *core, sdi_batch *batch, const sdi_read *read);
void sdi_settle_free(sdi_core *core, sdi_read *read, bool told);

#endif
