/* round.h - a batch of reads under way: what read.c takes through the tiers. Internal to its files. */
#ifndef SDI_CLIENT_ROUND_H
#define SDI_CLIENT_ROUND_H

#include "client/lookup.h"

typedef struct sdi_round {
    shopdata_session *session;
    sdi_core *core;
    sdi_read *reads;
    size_t count;
    int64_t begin, deadline;
    uint64_t nonce;   /* of the placeholders and leases; 0: none yet, or one that the cache did not confirm */
    sdi_sample floor; /* the last one */
    size_t failed;    /* the read that the server rejected; SIZE_MAX: none */
} sdi_round;

/* sdi_round_prepare: of every call its plan and policy, and, if it is cached, its key and tags. */
int sdi_round_prepare(sdi_round *r, shopdata_error **error_out);
/* sdi_round_ask asks the database for all OPEN reads and makes them DONE. */
int sdi_round_ask(sdi_round *r, shopdata_error **error_out);
sdi_pg_command sdi_read_command(const sdi_read *read);
/* sdi_count_answer counts a read that was answered. */
void sdi_count_answer(sdi_core *core, const shopdata_result *result, int64_t took);

#endif
