#include "client/flight.h"

#include "base/memory.h"

struct sdi_flight {
    char *key;
    size_t key_length;
    unsigned aboard;
    bool landed;
    shopdata_result *answer;
    sdi_landing landing;
};

void sdi_flights_init(sdi_flights *flights)
{
    sdi_mutex_init(&flights->lock);
    sdi_condition_init(&flights->landed);
    flights->flying = (sdi_map)SDI_MAP_INIT;
}

void sdi_flights_free(sdi_flights *flights)
{
    sdi_map_free(&flights->flying);
    sdi_mutex_destroy(&flights->lock);
    sdi_condition_destroy(&flights->landed);
}

static sdi_flight *take_off(sdi_flights *flights, sdi_slice key)
{
    sdi_flight *flight = sdi_calloc(1, sizeof *flight);
    if (!flight)
        return NULL;
    flight->key = sdi_memdup0(key.data, key.length);
    flight->key_length = key.length;
    if (flight->key && sdi_map_set(&flights->flying, key, flight))
        return flight;
    sdi_free(flight->key);
    sdi_free(flight);
    return NULL;
}

sdi_flight *sdi_flight_board(sdi_flights *flights, sdi_slice key, bool *leads_out)
{
    sdi_lock(&flights->lock);
    sdi_flight *flight = sdi_map_get(&flights->flying, key);
    *leads_out = !flight;
    if (!flight)
        flight = take_off(flights, key);
    if (flight)
        flight->aboard++;
    sdi_unlock(&flights->lock);
    return flight;
}

/* The lock is held. The last one out frees it. */
static void leave(sdi_flight *flight)
{
    if (--flight->aboard)
        return;
    shopdata_result_free(flight->answer);
    sdi_free(flight->key);
    sdi_free(flight);
}

void sdi_flight_land(sdi_flights *flights, sdi_flight *flight, shopdata_result *answer, const sdi_landing *landing)
{
    sdi_lock(&flights->lock);
    sdi_map_remove(&flights->flying, (sdi_slice){flight->key, flight->key_length});
    flight->landed = true;
    if (answer) {
        flight->answer = shopdata_result_retain(answer);
        flight->landing = *landing;
    }
    if (flight->aboard > 1)
        sdi_wake_all(&flights->landed);
    leave(flight);
    sdi_unlock(&flights->lock);
}

shopdata_result *sdi_flight_wait(sdi_flights *flights, sdi_flight *flight, int64_t deadline, sdi_landing *landing_out)
{
    sdi_lock(&flights->lock);
    while (!flight->landed && sdi_wait(&flights->landed, &flights->lock, deadline))
        ;
    shopdata_result *answer = shopdata_result_retain(flight->answer);
    if (answer)
        *landing_out = flight->landing;
    leave(flight);
    sdi_unlock(&flights->lock);
    return answer;
}
