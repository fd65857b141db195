/* connection.h - one connection to a Redis server, and never longer than the deadline. */
#ifndef SDI_CACHE_REDIS_CONNECTION_H
#define SDI_CACHE_REDIS_CONNECTION_H

#include <hiredis/read.h>

#include "base/buffer.h"
#include "base/busy_poll.h"
#include "cache/backend.h"
#include "cache/redis/command.h"
#include "cache/redis/reply.h"
#include "cache/redis/socket.h"
#include "cache/redis/transport.h"

/* How one gets into any of the servers. */
typedef struct sdi_redis_access {
    const sdi_cache_settings *settings;
    const sdi_redis_tls *tls; /* NULL: plain */
} sdi_redis_access;

typedef struct sdi_redis_connection {
    sdi_redis_transport transport;
    bool heard;               /* something of the last round trip's replies has come */
    bool looked;              /* for them, before sleeping, or not to be */
    int64_t since;            /* when it was connected */
    sdi_busy_poll *busy_poll; /* of its server; NULL: answers are slept for */
    int64_t used;             /* when it was last */
    redisReader *reader;
    sdi_redis_greeting greeting;
    sdi_buffer out;
    size_t sent;                /* of `out` */
    sdi_redis_replies *replies; /* that are awaited; NULL: all have come */
    int outcome;                /* of the round trip, once it is over */
    char name[96];              /* the address */
    sdi_redis_trouble trouble;  /* why the last step failed */
} sdi_redis_connection;

/* sdi_redis_connect opens and greets (greeting.h). */
int sdi_redis_connect(sdi_redis_connection *connection, const sdi_redis_access *access, const sdi_address *address,
                      int64_t deadline);
/* sdi_redis_disconnect may be called twice. */
void sdi_redis_disconnect(sdi_redis_connection *connection);
/* A round trip: sdi_redis_begin sends `out`, or what goes of it without waiting; sdi_redis_go_on sends the rest and
 * reads the replies: true when it is over, and `outcome` tells how it went; false when time is up, and it may be called
 * again. After anything but SDI_REDIS_DONE the connection is of no more use: what it would read next is unknown. */
void sdi_redis_begin(sdi_redis_connection *connection, sdi_redis_replies *replies);
bool sdi_redis_go_on(sdi_redis_connection *connection, int64_t until);
/* sdi_redis_exchange does it all, and returns the outcome. */
int sdi_redis_exchange(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline);

#endif
