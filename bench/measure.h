/* measure.h - two ways of doing one thing, compared fairly: in turns, many times, for a short while each.
 *
 * What else the machine does changes from second to second, so figures taken one after the other cannot be compared.
 * Both sides of a contest run within one round of a few milliseconds, and the ratio is taken in each round by itself.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_THREADS_MAX = 256, BENCH_ROUNDS_MAX = 1000 };
enum bench_who { BENCH_OURS, BENCH_BARE, BENCH_SIDES };
/* What a ratio is of: the time of a call, ours / bare; or calls a second, of each thread, ours / bare. */
enum bench_ratio_of { BENCH_TIME, BENCH_SPEED };

/* A side does its one thing when called: true if it went well. `self` serves all threads, numbered from 0. Figures are
 * of one of the `each` things that a call does: what takes less than looking at the clock is done many times a call. */
typedef struct bench_side {
    const char *what;
    bool (*call)(void *self, unsigned thread, uint64_t number);
    void *self;
    unsigned threads, each; /* 0: as many as the contest says; 1 */
    uint64_t calls, errors;
} bench_side;

typedef struct bench_contest {
    const char *name;
    unsigned threads;
    enum bench_ratio_of ratio_of;
    const char *missing;                          /* not NULL: why it cannot be measured */
    bench_side sides[BENCH_SIDES];                /* the second may have no `call`: there is nothing to compare with */
    double rates[BENCH_SIDES][BENCH_ROUNDS_MAX];  /* calls a second, of all threads, in each round */
    double micros[BENCH_SIDES][BENCH_ROUNDS_MAX]; /* the median call, in each round */
    double tails[BENCH_SIDES][BENCH_ROUNDS_MAX];  /* what 99 of 100 calls took at most, in each round */
    size_t rounds;
} bench_contest;

/* The middle of many values, and between which bounds eight in ten of them lie. */
typedef struct bench_spread {
    double p10, median, p90;
} bench_spread;

/* bench_measure lets the contests run in turns for about `seconds`. False if threads could not be made. */
bool bench_measure(bench_contest *contests, size_t count, double seconds);

/* bench_ratio: what contest->ratio_of says. With one thread on both sides by the median call, else by all calls. */
bench_spread bench_ratio(const bench_contest *contest);
/* How long a call of one side takes, as its thread sees it. The median call of each round: a mean would tell how often
 * the machine took the processor away. */
bench_spread bench_micros(const bench_contest *contest, enum bench_who who);
bench_spread bench_tail(const bench_contest *contest, enum bench_who who);
bench_spread bench_rate(const bench_contest *contest, enum bench_who who);
unsigned bench_threads(const bench_contest *contest, enum bench_who who);

/* bench_complain tells on stderr what went wrong, the first few times: more would bury it. */
void bench_complain(const char *what, const char *why);

/* bench_random is a number that looks random and is the same for the same thread and call: both sides get one stream.
 */
uint64_t bench_random(unsigned thread, uint64_t number);

#endif
