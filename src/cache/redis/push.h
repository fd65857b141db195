/* push.h - what a server says to a connection that listens (RESP3): answers, and messages that nobody asked for in
 * between. hiredis reads RESP2 only in some of its versions. */
#ifndef SDI_CACHE_REDIS_PUSH_H
#define SDI_CACHE_REDIS_PUSH_H

#include <stddef.h>

#include "base/slice.h"

enum { SDI_REDIS_PUSH_PARTS = 3, SDI_REDIS_PUSH_MAX = 1 << 20 };

/* One answer or message. The parts lie in the bytes that were read. */
typedef struct sdi_redis_push {
    char type;                             /* '>' a message; '+', '-', ':' and the like an answer */
    sdi_slice parts[SDI_REDIS_PUSH_PARTS]; /* the first scalars in it */
    size_t count;                          /* of them that are there */
} sdi_redis_push;

/* sdi_redis_push_read reads the first that the bytes begin with, and returns how many of them it takes: 0 if it is not
 * whole yet, SIZE_MAX if it cannot be one, or is larger than SDI_REDIS_PUSH_MAX. */
size_t sdi_redis_push_read(const char *bytes, size_t length, sdi_redis_push *push_out);

#endif
