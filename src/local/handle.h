/* handle.h - lends kept answers to callers without counting, and lets them go when nobody reads them any more.
 *
 * A count in the entry would be written by every hit, and its cache line go from core to core: hits on one key would
 * be slower with every thread. So a hit gets a handle, a result's head of its own on the entry's rows, out of the
 * stripe of the processor it runs on, and the stripe remembers it. Whoever wants to let go of entries *settles* first:
 * it passes through all stripes and counts, in their entries, the handles that are out (deferred reference counting).
 * It is a barrier too: looking an entry up and lending it happens under one stripe's lock, so that after the pass
 * nobody is left who found an entry before it was unlinked. */
#ifndef SDI_LOCAL_HANDLE_H
#define SDI_LOCAL_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/lock.h"
#include "local/kept.h"
#include "model/result.h"

typedef struct sdi_handle sdi_handle;

typedef struct sdi_stripe {
    _Alignas(128) sdi_mutex mutex; /* 128: processors fetch lines in pairs */
    sdi_handle *out;               /* lent and not counted */
    sdi_handle *spare;
    unsigned spare_count, spare_max;
} sdi_stripe;

/* Lives until it is closed and the last counted handle is back. */
typedef struct sdi_lender {
    atomic_uint references;
    unsigned generation; /* sdi_fork_generation: in a child only what was abandoned in order can be given back */
    unsigned stripe_count;
    sdi_stripe *stripes;
    void *memory;
} sdi_lender;

/* sdi_lender_new: about so many bytes are kept in spare handles. NULL without memory. */
sdi_lender *sdi_lender_new(size_t bytes);
size_t sdi_lender_bytes(const sdi_lender *lender);
/* sdi_lender_settle: what was unlinked before the call may be dropped after it. */
void sdi_lender_settle(sdi_lender *lender);
void sdi_lender_close(sdi_lender *lender);
/* sdi_lender_hold takes all locks, if it need not wait for any: nobody is left half way. */
bool sdi_lender_hold(sdi_lender *lender);
void sdi_lender_let_go(sdi_lender *lender);

/* Between these no entry that can be found goes away. */
sdi_stripe *sdi_lender_enter(sdi_lender *lender);
void sdi_lender_leave(sdi_stripe *stripe);
/* sdi_lend makes a result of it; only its rows are set. NULL without memory. */
shopdata_result *sdi_lend(sdi_lender *lender, sdi_stripe *stripe, sdi_kept *kept);

#endif
