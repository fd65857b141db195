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
    bool busy;
    bool heard;               /* something of the last round trip's replies has come */
    int64_t since;            /* when it was connected */
    sdi_busy_poll *busy_poll; /* of its server; NULL: answers are slept for */
    int64_t used;             /* when it was last */
    sdi_buffer role;          /* INFO replication, asked along where it was not used for a while */
    redisReader *reader;
    sdi_redis_greeting greeting;
    sdi_buffer out;
    size_t sent;               /* of `out` */
    char name[96];             /* the address */
    sdi_redis_trouble trouble; /* why the last step failed */
} sdi_redis_connection;

/* One connection's share of a round trip. */
typedef struct sdi_redis_exchange {
    sdi_redis_connection *connection;
    sdi_redis_replies replies;
    bool over;
} sdi_redis_exchange;

/* sdi_redis_connect opens and greets (greeting.h). */
int sdi_redis_connect(sdi_redis_connection *connection, const sdi_redis_access *access, const sdi_address *address,
                      int64_t deadline);
/* sdi_redis_disconnect may be called twice. */
void sdi_redis_disconnect(sdi_redis_connection *connection);
/* sdi_redis_exchange_all sends each connection's `out`, all before any reply is awaited, and reads the replies; each
 * replies.outcome tells how it went. After anything but SDI_REDIS_DONE the connection is of no more use: what it would
 * read next is unknown. `waited` has room for as many. */
void sdi_redis_exchange_all(sdi_redis_exchange *exchanges, struct pollfd *waited, size_t count, int64_t deadline);
/* sdi_redis_exchange_one does that with one, and returns the outcome. */
int sdi_redis_exchange_one(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline);

#endif
