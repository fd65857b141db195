/* stale.h - old answers: an entry whose time is up, or that a write may have overtaken, put aside while a new answer is
 * fetched, and served in its place as the policy allows, or at once as the session does (model/policy.h).
 *
 * Where the fences pass an old answer breaks no promise. One that they refuse may lack writes that have returned since
 * it was read; never the session's own, and never of an era that is over, where what it shows may have been lost. */
#ifndef SDI_CLIENT_STALE_H
#define SDI_CLIENT_STALE_H

#include "client/lookup.h"

/* sdi_stale_allowed: may this session have an answer of this stamp, which the fences refuse? */
bool sdi_stale_allowed(sdi_core *core, const sdi_read *read, const sdi_stamp *stamp);
/* sdi_stale_ms is how long ago, in milliseconds, a write may have overtaken an answer that was kept: its age, if the
 * fences refuse it, or there are none. */
int64_t sdi_stale_ms(const sdi_read *read, const shopdata_result *answer, bool overtaken);
/* sdi_stale_keep puts an answer aside, in place of one from an earlier look. It is the read's from then on. */
void sdi_stale_keep(sdi_read *read, shopdata_result *answer, const sdi_stamp *stamp, bool overtaken);

/* sdi_stale_serve makes the old answer the read's; false if there is none. */
enum sdi_stale_cause { SDI_STALE_REFRESHING, SDI_STALE_UNAVAILABLE, SDI_STALE_TOLERATED };
bool sdi_stale_serve(sdi_core *core, sdi_read *read, enum sdi_stale_cause cause);

#endif
