/* reply.h - Redis replies, straight into the operations that wait for them: no tree of replies is built, and what was
 * not asked for is refused before room is made for it. */
#ifndef SDI_CACHE_REDIS_REPLY_H
#define SDI_CACHE_REDIS_REPLY_H

#include <hiredis/read.h>

#include "cache/backend.h"
#include "cache/redis/outcome.h"

enum sdi_redis_expect {
    SDI_REDIS_EXPECT_OK,     /* +OK */
    SDI_REDIS_EXPECT_ADDED,  /* +OK, or nil where something was there */
    SDI_REDIS_EXPECT_NUMBER, /* an integer, whatever it is */
    SDI_REDIS_EXPECT_FLAG,   /* an integer that says whether it was done */
    SDI_REDIS_EXPECT_VALUES, /* an array of as many strings or nils as there are operations */
    SDI_REDIS_EXPECT_SHA,    /* the name of a loaded script */
};

typedef struct sdi_redis_reply {
    enum sdi_redis_expect expect;
    sdi_cache_op *operations;
    size_t count;
    char *sha;
} sdi_redis_reply;

typedef struct sdi_redis_replies {
    sdi_redis_reply *list;
    size_t count, done;
    size_t value_max;           /* bytes of one value */
    int outcome;                /* SDI_REDIS_DONE as long as nothing is wrong */
    sdi_redis_trouble *trouble; /* what a server said that refused; may be NULL */
    size_t unscripted;          /* the first reply that was NOSCRIPT; `count` if none was */
} sdi_redis_replies;

extern redisReplyObjectFunctions sdi_redis_reply_functions;

/* sdi_redis_expect is the reply to the command that sdi_redis_format made of so many operations. */
sdi_redis_reply sdi_redis_expect(sdi_cache_op *operations, size_t count);
/* sdi_redis_take reads what has come. False: no more is to be read, replies->outcome tells why. */
bool sdi_redis_take(redisReader *reader, sdi_redis_replies *replies, const char *bytes, size_t length);

#endif
