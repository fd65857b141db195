/* contests.h - who is held against whom. */
#ifndef BENCH_CONTESTS_H
#define BENCH_CONTESTS_H

#include "measure.h"
#include "world.h"

enum { BENCH_CONTESTS = 19, BENCH_CURVES_MAX = 36 };

/* bench_contests_set fills contests[BENCH_CONTESTS]. */
void bench_contests_set(bench_world *world, bench_contest *contests);

/* bench_curves_set fills curves, BENCH_CURVES_MAX at most: ours and the raw clients over 1, 2, 4... to `most`
 * threads, at most world->crowd. How many. */
size_t bench_curves_set(bench_world *world, unsigned most, bench_contest *curves);

#endif
