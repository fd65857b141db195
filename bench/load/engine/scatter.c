#include "scatter.h"

#include "random.h"

enum { ROUNDS = 4 };

load_scatter load_scatter_new(uint64_t count)
{
    load_scatter scatter = {.count = count, .half_bits = 1};
    while (scatter.half_bits < 32 && (UINT64_C(1) << (2 * scatter.half_bits)) < count)
        scatter.half_bits++;
    return scatter;
}

/* A Feistel network permutes all numbers of twice half_bits, whatever its rounds compute. */
static uint64_t permute(uint64_t number, unsigned half_bits)
{
    uint64_t mask = (UINT64_C(1) << half_bits) - 1, left = number >> half_bits, right = number & mask;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        uint64_t mixed = load_random_mix(right + round * UINT64_C(0x9e3779b97f4a7c15)) & mask, before = right;
        right = left ^ mixed;
        left = before;
    }
    return left << half_bits | right;
}

/* Those are up to four times as many as there are ranks: what falls outside is permuted on, until it comes back inside,
 * as it must: its cycle began there. */
uint64_t load_scatter_at(const load_scatter *scatter, uint64_t rank)
{
    do
        rank = permute(rank, scatter->half_bits);
    while (rank >= scatter->count);
    return rank;
}
