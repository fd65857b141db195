/* peek.h - what this process keeps of answers, handed out without a round. */
#ifndef SDI_CLIENT_PEEK_H
#define SDI_CLIENT_PEEK_H

#include "client/coherence.h"
#include "client/session.h"

/* sdi_local_hit is the answer of a call whose plan is made, if it is kept here and good for the session; the caller's.
 * NULL says no more than that: also of a call that is wrong. *looked_out: it was looked for, and the miss counted if it
 * `counts`. */
shopdata_result *sdi_local_hit(shopdata_session *session, const shopdata_call *call, bool counts, bool *looked_out);
/* sdi_local_hits: are all of them kept? Then results_out are the caller's, else NULL; no miss is counted. */
bool sdi_local_hits(shopdata_session *session, const shopdata_call *calls, size_t count, shopdata_result **results_out);

#endif
