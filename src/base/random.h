/* random.h - random numbers: quick ones for jitter and choices, and names nobody else picks. */
#ifndef SDI_BASE_RANDOM_H
#define SDI_BASE_RANDOM_H

#include <stdint.h>

/* sdi_random is a quick generator of this thread; not for secrets. */
uint64_t sdi_random(void);
/* sdi_random_below is even over 0 .. limit-1; 0 for limit 0. */
uint64_t sdi_random_below(uint64_t limit);
/* sdi_jitter spreads `value` evenly over value * (1 - percent/100) .. value * (1 + percent/100). */
int64_t sdi_jitter(int64_t value, unsigned percent);
/* sdi_jitter_most is the largest that sdi_jitter makes of it. */
int64_t sdi_jitter_most(int64_t value, unsigned percent);
/* sdi_nonce comes from the kernel: no two processes, forked ones included, get the same. */
uint64_t sdi_nonce(void);

#endif
