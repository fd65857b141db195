/* store.h - filling the shared cache: leases and placeholders before the database is asked, fences and entries after.
 */
#ifndef SDI_CLIENT_STORE_H
#define SDI_CLIENT_STORE_H

#include "client/lookup.h"

/* sdi_claim claims the leases that OPEN reads want (lease.h), which may make them AWAITED, and puts placeholders where
 * their fences are missing, all with one nonce. One round trip; false if it was not answered. */
bool sdi_claim(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, int64_t deadline);
/* sdi_store installs `floor` (may be NULL) where the placeholder with this nonce still stands, and stores the entries
 * of answers that the database has just given; leases are given back. One round trip; false if it was not answered, and
 * may still happen. */
bool sdi_store(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, const sdi_point *floor, int64_t deadline);

#endif
