/* ask.h - one question on a connection of its own, answered as hiredis' tree: for what is asked seldom. */
#ifndef SDI_CACHE_REDIS_ASK_H
#define SDI_CACHE_REDIS_ASK_H

#include <hiredis/hiredis.h>

#include "cache/redis/connection.h"

typedef struct sdi_redis_login {
    const char *user, *password; /* "" for none */
} sdi_redis_login;

/* sdi_redis_ask sends the words of `question` (ended by NULL) and returns the reply, for freeReplyObject; NULL with the
 * trouble told if there is none, or an error. */
redisReply *sdi_redis_ask(const sdi_redis_access *access, const sdi_address *address, sdi_redis_login login,
                          const char *const question[3], int64_t deadline, sdi_redis_trouble *trouble);

#endif
