#include "stampedes.h"

#include <stdlib.h>

bool load_stampedes_open(load_stampedes *stampedes, uint64_t count)
{
    stampedes->count = count;
    stampedes->answered_ns = calloc(count + 1, sizeof *stampedes->answered_ns);
    stampedes->readers = calloc(count + 1, sizeof *stampedes->readers);
    return stampedes->answered_ns && stampedes->readers;
}

void load_stampedes_close(load_stampedes *stampedes)
{
    free(stampedes->answered_ns);
    free(stampedes->readers);
    stampedes->answered_ns = NULL;
    stampedes->readers = NULL;
}

/* Two that are first at the same moment are one after the other here: who loses the exchange is no longer first. */
load_stampede load_stampedes_miss(load_stampedes *stampedes, int64_t key, int64_t began_ns, int64_t ended_ns)
{
    if (key < 1 || (uint64_t)key > stampedes->count)
        return (load_stampede){true, 1};
    uint64_t answered = atomic_load(&stampedes->answered_ns[key]);
    while (answered <= (uint64_t)began_ns)
        if (atomic_compare_exchange_weak(&stampedes->answered_ns[key], &answered, (uint64_t)ended_ns)) {
            atomic_store(&stampedes->readers[key], 1);
            return (load_stampede){true, 1};
        }
    return (load_stampede){false, atomic_fetch_add(&stampedes->readers[key], 1) + 1};
}
