/* bottleneck.h - is what was measured the servers' doing, or the generator's own? */
#ifndef LOAD_BOTTLENECK_H
#define LOAD_BOTTLENECK_H

#include <stdint.h>

#include "json.h"

typedef struct load_strain {
    double cpu_cores, cores;          /* used by this process on average, and how many it may use */
    double machine_busy;              /* 0 to 1 */
    double seconds, strained_seconds; /* how long it was; of that with no processor to spare */
    uint64_t sent;                    /* requests */
    uint64_t late_busy, late_free, dropped;
    uint64_t threads;
} load_strain;

enum load_bottleneck { LOAD_BOTTLENECK_NONE, LOAD_BOTTLENECK_CPU, LOAD_BOTTLENECK_WAKE_UP, LOAD_BOTTLENECK_THREADS };

/* load_bottleneck_strains: does a stretch of time in which so much was used leave no processor to spare? */
bool load_bottleneck_strains(double cpu_cores, double cores, double machine_busy);
enum load_bottleneck load_bottleneck_of(const load_strain *strain);
/* load_bottleneck_write writes its name, and a sentence on why. */
void load_bottleneck_write(const load_strain *strain, load_json *json);

#endif
