/* batch.h - runs operations on the servers that have their keys: all that go to one server in one pipeline, all
 * pipelines before any answer is awaited; and once more, inside the deadline, what a server asks to be sent again.
 *
 * Order. The operations on one key run in order, also when some of them are repeated: from the first that is, all later
 * ones of its slot (without a cluster: all later ones) are. They may have run already, too early. That does no harm:
 * SET, REMOVE and MERGE end the same, GET reads again; the answers of ADD and SWAP may be too shy: an ADD finds its own
 * placeholder, a SWAP what it put itself, or what a later operation of the batch made of its key. The caller then
 * stores nothing, and what stands is what he wanted to stand; never the other way round. */
#ifndef SDI_CACHE_REDIS_BATCH_H
#define SDI_CACHE_REDIS_BATCH_H

#include "cache/redis/cluster.h"
#include "cache/redis/primary.h"

/* Where the batches go. */
typedef struct sdi_redis_servers {
    sdi_redis_access access;
    sdi_redis_primary primary;
    sdi_redis_server *server; /* NULL: a cluster */
    sdi_redis_cluster cluster;
} sdi_redis_servers;

/* sdi_redis_batch_run: SDI_REDIS_DONE, or how it failed, with the trouble told. `own`: the deadline is the servers'
 * (the settings' timeout) and not an earlier one of the caller's, which were no fault of theirs. */
int sdi_redis_batch_run(sdi_redis_servers *servers, sdi_cache_op *operations, size_t count, int64_t deadline, bool own,
                        sdi_redis_trouble *trouble);

#endif
