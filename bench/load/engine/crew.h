/* crew.h - the threads that send a phase's requests, and wait for their answers: in an open loop at the arrivals of a
 * schedule, in a closed one each when it is done thinking. */
#ifndef LOAD_CREW_H
#define LOAD_CREW_H

#include "mix.h"
#include "phase.h"
#include "schedule.h"
#include "shop.h"
#include "tally.h"

struct load_worker;

/* The last stretch in which a thread that was free overslept: what came due in it waited for no server. */
typedef struct load_pause {
    pthread_mutex_t lock;
    int64_t from_ns, to_ns;
} load_pause;

/* Set the first part; load_crew_start fills in the second. */
typedef struct load_crew {
    load_shop *shop;
    load_tally *tally;
    const load_mix *mix;
    const load_phase *phase;
    load_schedule *schedule; /* of an open loop */
    uint64_t seed, threads;
    int64_t patience_ns, begin_ns, end_ns;
    int done_fd; /* an eventfd, written to when the last thread is done */

    struct load_worker *workers;
    uint64_t started;
    load_pause pause;
    _Atomic uint64_t running, number; /* threads that are not done; of a closed loop: the next request's */
    _Atomic int stopping;
} load_crew;

/* load_crew_start: false if there is no memory, or no thread. load_crew_join waits for all, and frees. */
bool load_crew_start(load_crew *crew, load_fault *fault);
/* load_crew_stop: what is on its way is waited for; what has not been sent is not. */
void load_crew_stop(load_crew *crew);
void load_crew_join(load_crew *crew);

#endif
