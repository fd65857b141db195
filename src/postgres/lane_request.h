/* lane_request.h - one caller's reads on a lane (lanes.h), with copies of all that they need. Internal to the room. */
#ifndef SDI_POSTGRES_LANE_REQUEST_H
#define SDI_POSTGRES_LANE_REQUEST_H

#include "base/combine.h"
#include "postgres/lanes.h"

typedef struct sdi_lane_request {
    sdi_combine_request base; /* first: it is what the combiner knows */
    bool primary;
    int status; /* 0, negative, or SDI_LANES_ALONE */
    shopdata_error *error;
    sdi_lanes_answer answer;
    int64_t took; /* microseconds of the batch for each of its commands */
    size_t count;
    sdi_pg_command commands[]; /* behind them in the block: parameters, then texts */
} sdi_lane_request;

/* sdi_lane_request_new copies the commands; NULL without memory. Free it with sdi_lane_request_free. */
sdi_lane_request *sdi_lane_request_new(const sdi_pg_command *commands, size_t count);
void sdi_lane_request_free(sdi_lane_request *request);
/* sdi_lane_request_bytes: the parameters' and SQL's bytes, that are copied. */
size_t sdi_lane_request_bytes(const sdi_pg_command *commands, size_t count);

#endif
