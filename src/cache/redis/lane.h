/* lane.h - a connection that carries the requests of many threads (combine.h): batch by batch, each one write and one
 * wait. */
#ifndef SDI_CACHE_REDIS_LANE_H
#define SDI_CACHE_REDIS_LANE_H

#include "cache/redis/connection.h"
#include "cache/redis/request.h"

struct sdi_redis_server;

/* What is sent behind every batch is answered into `replies`. */
typedef struct sdi_redis_lane {
    struct sdi_redis_server *server;
    sdi_redis_connection connection;
    bool fresh;  /* connected for this batch */
    bool failed; /* the batch could not be sent */
    sdi_redis_replies replies;
    sdi_redis_reply expected[2];
    sdi_buffer role; /* INFO replication, asked along where the connection was not used for a while */
} sdi_redis_lane;

/* What a combiner does on an sdi_redis_lane with an sdi_redis_request. */
extern const sdi_combine_way sdi_redis_way;

#endif
