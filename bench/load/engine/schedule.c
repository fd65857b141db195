#include "schedule.h"

#include "clock.h"

void load_schedule_init(load_schedule *schedule, enum load_arrivals arrivals, const load_rate *rate, load_random random,
                        int64_t begin_ns, double seconds)
{
    *schedule = (load_schedule){.arrivals = arrivals, .rate = rate, .random = random, .begin_ns = begin_ns};
    schedule->end_ns = begin_ns + (int64_t)(seconds * 1e9);
    schedule->last_ns = begin_ns;
    pthread_mutex_init(&schedule->lock, NULL);
}

void load_schedule_follow(load_schedule *schedule, const load_trace *trace, double speed)
{
    schedule->arrivals = LOAD_ARRIVALS_TRACE;
    schedule->trace = trace;
    schedule->speed = speed;
}

void load_schedule_free(load_schedule *schedule)
{
    pthread_mutex_destroy(&schedule->lock);
}

/* Arrivals at an even rate stand in the middle of their gaps. Those of a Poisson process have, counted by what is
 * expected until they come, exponential gaps of mean 1, however the rate changes. */
static bool next_moment(load_schedule *schedule, double *moment_out)
{
    if (schedule->arrivals == LOAD_ARRIVALS_TRACE) {
        *moment_out = load_trace_time(schedule->trace, schedule->number) / schedule->speed;
        return true;
    }
    if (schedule->arrivals == LOAD_ARRIVALS_POISSON)
        schedule->count += load_random_exponential(&schedule->random);
    else
        schedule->count = (double)schedule->number + 0.5;
    return load_rate_reach(schedule->rate, &schedule->walk, schedule->count, moment_out);
}

bool load_schedule_next(load_schedule *schedule, load_arrival *arrival_out)
{
    double moment;
    pthread_mutex_lock(&schedule->lock);
    bool is_there = schedule->last_ns < schedule->end_ns && next_moment(schedule, &moment);
    if (is_there) {
        schedule->last_ns = schedule->begin_ns + (int64_t)(moment * 1e9);
        *arrival_out = (load_arrival){schedule->number++, schedule->last_ns};
        is_there = schedule->last_ns < schedule->end_ns;
    } else
        schedule->last_ns = schedule->end_ns;
    pthread_mutex_unlock(&schedule->lock);
    return is_there;
}

void load_schedule_stop(load_schedule *schedule, int64_t now_ns)
{
    pthread_mutex_lock(&schedule->lock);
    if (now_ns < schedule->end_ns)
        schedule->end_ns = now_ns;
    pthread_mutex_unlock(&schedule->lock);
}

/* The arrivals that are expected until a moment: on average, whichever they are. */
static double expected(const load_schedule *schedule, int64_t at_ns)
{
    int64_t last = at_ns < schedule->end_ns ? at_ns : schedule->end_ns;
    double moment = (double)(last - schedule->begin_ns) / 1e9;
    if (schedule->arrivals == LOAD_ARRIVALS_TRACE)
        return moment * schedule->speed * (double)schedule->trace->count / load_trace_span(schedule->trace);
    return load_rate_expected(schedule->rate, moment);
}

uint64_t load_schedule_waiting(load_schedule *schedule, int64_t now_ns)
{
    pthread_mutex_lock(&schedule->lock);
    double waiting = expected(schedule, now_ns) - expected(schedule, schedule->last_ns);
    pthread_mutex_unlock(&schedule->lock);
    return waiting > 0 ? (uint64_t)waiting : 0;
}
