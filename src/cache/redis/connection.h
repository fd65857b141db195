/* connection.h - one connection to a Redis server, and never longer than the deadline. */
#ifndef SDI_CACHE_REDIS_CONNECTION_H
#define SDI_CACHE_REDIS_CONNECTION_H

#include <hiredis/read.h>

#include "base/buffer.h"
#include "cache/backend.h"
#include "cache/redis/command.h"
#include "cache/redis/reply.h"
#include "cache/redis/transport.h"

typedef struct sdi_redis_connection {
    sdi_redis_transport transport;
    bool busy;
    bool heard; /* something of the last round trip's replies has come */
    redisReader *reader;
    sdi_redis_shas shas;
    sdi_buffer out;
    sdi_redis_trouble trouble; /* why the last step failed */
} sdi_redis_connection;

/* sdi_redis_connect opens and greets (AUTH, SELECT, the scripts). `tls` NULL is plain. */
int sdi_redis_connect(sdi_redis_connection *connection, const sdi_cache_settings *settings, const sdi_redis_tls *tls,
                      int64_t deadline);
/* sdi_redis_disconnect may be called twice. */
void sdi_redis_disconnect(sdi_redis_connection *connection);
/* sdi_redis_exchange sends connection->out and reads the replies. After anything but SDI_REDIS_DONE the connection is
 * of no more use: what it would read next is unknown. */
int sdi_redis_exchange(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline);

#endif
