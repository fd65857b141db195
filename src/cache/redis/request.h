/* request.h - operations for one server as they wait for their turn on a connection: commands, and what was answered.
 * It holds nothing of its caller's, who may have gone when the answer comes. */
#ifndef SDI_CACHE_REDIS_REQUEST_H
#define SDI_CACHE_REDIS_REQUEST_H

#include "base/combine.h"
#include "cache/redis/command.h"
#include "cache/redis/reply.h"

typedef struct sdi_redis_request {
    sdi_combine_request shared; /* first */
    sdi_redis_commands commands;
    sdi_redis_replies replies; /* to each command; of its operations only the outputs count */
    sdi_cache_op *operations;  /* copies: of the caller's only verb and headroom are used */
    size_t operation_count;
    bool writes;               /* something that a replica refuses for sure: no script, which may find nothing to do */
    bool adds;                 /* a placeholder */
    int64_t not_before;        /* a connection that was made before is no good; 0: any is */
    int outcome;               /* SDI_REDIS_UNTRIED, or how it ended */
    int64_t again;             /* it may be sent once more, on a connection made after this moment; 0: it may not */
    sdi_redis_trouble trouble; /* why */
} sdi_redis_request;

/* sdi_redis_request_new makes one with room for so many commands, with so many operations in all; NULL without memory.
 */
sdi_redis_request *sdi_redis_request_new(size_t commands, size_t operations);
void sdi_redis_request_free(sdi_redis_request *request);
/* sdi_redis_request_add adds an operation, or `count` GETs, as a command. `spelled`: a script as text. `asking`: to a
 * cluster's server that is about to get the slot. */
void sdi_redis_request_add(sdi_redis_request *request, const sdi_cache_op *operations, size_t count, bool spelled,
                           bool asking);
/* sdi_redis_request_hand_over moves the outputs of the operations of a reply to the caller's. */
void sdi_redis_request_hand_over(const sdi_redis_reply *reply, sdi_cache_op *operations);

#endif
