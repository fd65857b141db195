/* store.h - filling the shared cache: placeholders before the database is asked, fences and entries after. */
#ifndef SDI_CLIENT_STORE_H
#define SDI_CLIENT_STORE_H

#include "client/lookup.h"

/* sdi_placehold puts placeholders where fences of OPEN reads are missing, all with one nonce. */
bool sdi_placehold(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, int64_t deadline);
/* sdi_store installs `floor` (may be NULL) where the placeholder with this nonce still stands, and stores the entries
 * of answers that the database has just given. One round trip; nothing depends on its success. */
void sdi_store(sdi_core *core, sdi_read *reads, size_t count, uint64_t nonce, const sdi_point *floor, int64_t deadline);

#endif
