/* mark.h - committing a write. In strict mode its fences are marked before COMMIT is sent, so that it is known of even
 * if its writer dies the moment after; without the mark nothing is written. */
#ifndef SDI_CLIENT_MARK_H
#define SDI_CLIENT_MARK_H

#include "client/core.h"

/* What stands in the fences of a write that is about to commit. */
typedef struct sdi_mark {
    bool made;
    sdi_era era;
    sdi_pending pending;
} sdi_mark;

/* What is run to commit: steps, of which the last three are the question for the xid (sdi_xid_command), COMMIT, and the
 * question for the moment behind it. */
typedef struct sdi_committing {
    sdi_core *core;
    sdi_pg_connection *connection;
    sdi_pg_command *steps;
    size_t count;
    const sdi_buffer *keys; /* of the fences, each ended by a zero byte */
    int64_t deadline;
    /* out */
    sdi_mark mark;
    int refused; /* negative: COMMIT was not sent, though no step was rejected; the transaction is still open */
} sdi_committing;

/* sdi_commit_run is sdi_pg_run of the steps: in one round trip, or, where fences have to be marked, up to the xid, then
 * the mark, then the rest. */
int sdi_commit_run(sdi_committing *committing, shopdata_error **error_out);
/* sdi_mark_withdraw: the transaction did not commit, and never will. What cannot be told is left to readers. */
void sdi_mark_withdraw(sdi_core *core, const sdi_buffer *keys, sdi_mark *mark);

#endif
