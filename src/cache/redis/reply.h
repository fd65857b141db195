/* reply.h - Redis replies, straight into the operations that wait for them: no tree of replies is built, and what was
 * not asked for is refused before room is made for it. */
#ifndef SDI_CACHE_REDIS_REPLY_H
#define SDI_CACHE_REDIS_REPLY_H

#include <hiredis/read.h>

#include "cache/backend.h"
#include "cache/redis/outcome.h"

enum sdi_redis_expect {
    SDI_REDIS_EXPECT_OK,     /* +OK */
    SDI_REDIS_EXPECT_NUMBER, /* an integer, whatever it is */
    SDI_REDIS_EXPECT_FLAG,   /* an integer that says whether it was done, or was there */
    SDI_REDIS_EXPECT_VALUES, /* an array of as many strings or nils as there are operations */
    SDI_REDIS_EXPECT_SHA,    /* the name of a loaded script, into `text` */
    SDI_REDIS_EXPECT_TEXT,   /* a string, whatever it says, into `info` */
};

/* What a server answers: to the command, or that it is to be sent again. The commands behind it were carried out. */
enum sdi_redis_verdict {
    SDI_REDIS_TAKEN,
    SDI_REDIS_NOSCRIPT, /* with the script's text */
    SDI_REDIS_MOVED,    /* to `target`, as all of its slot from now on */
    SDI_REDIS_ASK,      /* to `target`, this once */
    SDI_REDIS_AGAIN,    /* a moment later */
    SDI_REDIS_REFUSED,  /* never, if `mild` */
};

typedef struct sdi_redis_reply {
    enum sdi_redis_expect expect;
    sdi_cache_op *operations;
    size_t count;
    char *text;
    sdi_buffer *info;
    /* out */
    enum sdi_redis_verdict verdict;
    char *target; /* MOVED, ASK: "SLOT HOST:PORT", to be freed */
} sdi_redis_reply;

/* The replies to one request; those to what was sent behind it on the same connection follow. */
typedef struct sdi_redis_replies {
    struct sdi_redis_replies *next;
    sdi_redis_reply *list;
    size_t count, done;
    size_t value_max;           /* bytes of one value */
    const char *epoch;          /* values of another are none */
    sdi_redis_trouble *trouble; /* gets what the server said last against it */
    bool mild;                  /* an error is no reason to stop, unless the server was demoted */
    bool foreign;               /* a value of another epoch was there */
    bool refused;               /* a command was */
    int outcome;                /* SDI_REDIS_DONE as long as nothing is wrong */
} sdi_redis_replies;

extern redisReplyObjectFunctions sdi_redis_reply_functions;

/* sdi_redis_expect is the reply to the command that sdi_redis_format made of these. */
sdi_redis_reply sdi_redis_expect(sdi_cache_op *operations, size_t count);
/* sdi_redis_take reads what has come, and moves *replies on behind what is complete. False: no more is to be read: all
 * is, and *replies NULL; or (*replies)->outcome tells why. */
bool sdi_redis_take(redisReader *reader, sdi_redis_replies **replies, const char *bytes, size_t length);

#endif
