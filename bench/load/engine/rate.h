/* rate.h - how many arrivals a second there are, over time: parts that hold or grow evenly, one after the other. */
#ifndef LOAD_RATE_H
#define LOAD_RATE_H

#include "fault.h"

enum { LOAD_RATE_PARTS = 64 };

#define LOAD_RATE_HIGHEST 1e7

typedef struct load_rate_part {
    double from, to; /* arrivals a second, at its beginning and at its end */
    double seconds;
} load_rate_part;

typedef struct load_rate {
    load_rate_part parts[LOAD_RATE_PARTS];
    size_t count;
} load_rate;

/* load_rate_read reads "5000", "100..5000", "1000@10,2000@10,2000..500" for so many seconds: a part is a rate or two,
 * and its seconds; parts without seconds share what the others leave. */
bool load_rate_read(load_rate *rate, const char *text, double seconds, load_fault *fault);
/* load_rate_expected is how many arrivals there are on average until a moment. */
double load_rate_expected(const load_rate *rate, double moment);

/* A walk along the rate: the moments at which the average reaches ever higher counts. Begin with all zero. */
typedef struct load_rate_walk {
    size_t part;
    double moment, count; /* where that part begins, and how many arrivals have been there */
} load_rate_walk;

/* load_rate_reach gives the moment at which the average reaches `count`, which never gets smaller from call to call.
 * False: it does not, within the seconds of the rate. */
bool load_rate_reach(const load_rate *rate, load_rate_walk *walk, double count, double *moment_out);

#endif
