/* zipf.h - Zipf's law: rank k of n is asked for with a probability proportional to 1 / k^s. */
#ifndef LOAD_ZIPF_H
#define LOAD_ZIPF_H

#include "random.h"

/* Numbers that a draw needs, of n and s: nothing grows with n. */
typedef struct load_zipf {
    double count, exponent;
    double top, bottom; /* what the integral of the hat is at its two ends */
    double sure;        /* a rank this close over the real number drawn is taken without a look at the hat */
} load_zipf;

/* load_zipf_new: for 1 to 2^52 ranks and an exponent of 0 or more. */
load_zipf load_zipf_new(int64_t count, double exponent);
/* load_zipf_draw is a rank, from 1 to `count`, with its exact probability: by rejection-inversion (W. Hoermann and
 * G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM TOMACS 6, 1996).
 * It takes the same time for any count: 1.1 attempts on average at the most. */
int64_t load_zipf_draw(const load_zipf *zipf, load_random *random);

#endif
