/* clock.h - the clocks: monotonic nanoseconds to measure with, seconds since 1970 to tell people. */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define LOAD_SECOND_NS INT64_C(1000000000)

static inline int64_t load_clock_read(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * LOAD_SECOND_NS + time.tv_nsec;
}

static inline int64_t load_now_ns(void)
{
    return load_clock_read(CLOCK_MONOTONIC);
}

static inline double load_unix_s(void)
{
    return (double)load_clock_read(CLOCK_REALTIME) / 1e9;
}

static inline struct timespec load_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / LOAD_SECOND_NS, .tv_nsec = ns % LOAD_SECOND_NS};
}

#endif
