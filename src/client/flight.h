/* flight.h - single flight: of the callers in this process that miss the same key at once, one asks the database and
 * the others wait for his answer. A joiner takes it only if its stamp passes the fences that he himself read. */
#ifndef SDI_CLIENT_FLIGHT_H
#define SDI_CLIENT_FLIGHT_H

#include "base/lock.h"
#include "base/map.h"
#include "client/floor.h"
#include "model/result.h"
#include "model/stamp.h"

typedef struct sdi_flight sdi_flight;

/* What an answer certainly contains. */
typedef struct sdi_landing {
    sdi_stamp stamp;
    sdi_sample floor; /* number 0: nothing else is known */
} sdi_landing;

typedef struct sdi_flights {
    sdi_mutex lock;
    sdi_condition landed;
    sdi_map flying; /* key -> sdi_flight */
} sdi_flights;

void sdi_flights_init(sdi_flights *flights);
void sdi_flights_free(sdi_flights *flights);

/* sdi_flight_board joins the flight of a key, or opens it: *leads_out tells. NULL without memory: ask alone. */
sdi_flight *sdi_flight_board(sdi_flights *flights, sdi_slice key, bool *leads_out);
/* sdi_flight_land: the leader's answer (NULL if he has none) for all aboard; his own place ends. */
void sdi_flight_land(sdi_flights *flights, sdi_flight *flight, shopdata_result *answer, const sdi_landing *landing);
/* sdi_flight_wait: the answer (a reference of the caller's) and what it contains; NULL if there is none or the deadline
 * passed. The caller's place ends. */
shopdata_result *sdi_flight_wait(sdi_flights *flights, sdi_flight *flight, int64_t deadline, sdi_landing *landing_out);

#endif
