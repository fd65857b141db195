/* batch.h - a batch of operations on one ring.
 *
 * What costs a round trip: all GET, SET, REMOVE and ADD of a batch share one, however many servers they go to, and the
 * first half of every SWAP and MERGE (reading what stands) travels along. Their second half (cas) is one more, shared
 * by all of the batch; each time that another process was faster, both halves are done again, a moment later.
 *
 * GETs side by side do not read one moment: no memcached does. None is needed: each is read after the caller came, so a
 * fence demands at least what had returned by then. */
#ifndef SDI_CACHE_MEMCACHED_BATCH_H
#define SDI_CACHE_MEMCACHED_BATCH_H

#include "cache/memcached/gather.h"
#include "cache/memcached/ring.h"

/* sdi_memcached_batch runs the operations until the deadline; false as backend.h says. A GET that only servers in
 * trouble could answer is a miss while others are well: a fence that is missing demands a new one, and nothing old
 * passes. `blamed`: see ring.h. */
bool sdi_memcached_batch(sdi_memcached_ring *ring, sdi_gather *gather, sdi_cache_op *operations, size_t count,
                         int64_t deadline, bool blamed);

#endif
