/* concurrent.h - many threads write and read at once. */
#ifndef SDI_TESTS_DIFFERENTIAL_CONCURRENT_H
#define SDI_TESTS_DIFFERENTIAL_CONCURRENT_H

#include "grammar.h"

typedef struct concurrent_sums {
    size_t reads, hits, writes, versions, stops, compared;
} concurrent_sums;

/* concurrent_play plays one trial until `deadline` at most; false, with everything printed, if an answer was wrong. */
bool concurrent_play(const grammar *of, const char *cache, uint64_t seed, int64_t deadline, concurrent_sums *sums);
void concurrent_print(const concurrent_sums *sums);

#endif
