/* schedule.h - when requests arrive in an open loop: one schedule for all threads, that takes no notice of how the
 * servers are. A free thread takes the next arrival; one that finds it overdue is late, and what it waits for in vain
 * is not lost: the latency counts from the intended time. (A generator that sends when its last answer has come leaves
 * out the requests that would have waited: "coordinated omission".) */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include <pthread.h>

#include "random.h"
#include "rate.h"
#include "trace.h"

enum load_arrivals { LOAD_ARRIVALS_CONSTANT, LOAD_ARRIVALS_POISSON, LOAD_ARRIVALS_TRACE };

typedef struct load_schedule {
    pthread_mutex_t lock;
    enum load_arrivals arrivals;
    const load_rate *rate;
    load_rate_walk walk;
    const load_trace *trace;
    double speed;
    load_random random;
    double count;    /* where in the rate's count of arrivals the last one stands */
    uint64_t number; /* of the next one, from 0 */
    int64_t begin_ns, end_ns;
    int64_t last_ns; /* the last one taken */
} load_schedule;

/* load_schedule_init: from `begin_ns` for `seconds`, by the rate; or by the trace's times, `speed` times as fast. Both
 * must live as long. */
void load_schedule_init(load_schedule *schedule, enum load_arrivals arrivals, const load_rate *rate, load_random random,
                        int64_t begin_ns, double seconds);
void load_schedule_follow(load_schedule *schedule, const load_trace *trace, double speed);
void load_schedule_free(load_schedule *schedule);

typedef struct load_arrival {
    uint64_t number;
    int64_t at_ns;
} load_arrival;

/* load_schedule_next takes the next arrival; false when there is none. Any thread may. */
bool load_schedule_next(load_schedule *schedule, load_arrival *arrival_out);
/* load_schedule_stop: nothing arrives from now on. */
void load_schedule_stop(load_schedule *schedule, int64_t now_ns);
/* load_schedule_waiting is about how many arrivals are due and not taken. */
uint64_t load_schedule_waiting(load_schedule *schedule, int64_t now_ns);

#endif
