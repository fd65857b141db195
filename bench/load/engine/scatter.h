/* scatter.h - a permutation of 0 .. count - 1 that looks random: neighbours in popularity are no neighbours in the
 * table, where they would share pages. It depends on the count alone, so that all processes have the same hot keys. */
#ifndef LOAD_SCATTER_H
#define LOAD_SCATTER_H

#include <stdint.h>

typedef struct load_scatter {
    uint64_t count;
    unsigned half_bits;
} load_scatter;

load_scatter load_scatter_new(uint64_t count);
uint64_t load_scatter_at(const load_scatter *scatter, uint64_t rank);

#endif
