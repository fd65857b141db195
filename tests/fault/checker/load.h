/* load.h - what a process does: threads that read and write at random and judge each answer. */
#ifndef SDI_TESTS_FAULT_LOAD_H
#define SDI_TESTS_FAULT_LOAD_H

#include "shared.h"
#include "way.h"

typedef struct load_options {
    const way *by;
    way_options of;
    size_t threads;
    unsigned writes;  /* in a thousand calls, while it is busy */
    unsigned forgets; /* in a thousand calls: fences are deleted, as if a row had been written by others */
} load_options;

/* load runs until the shared memory says stop. */
void load(shared *all, size_t slot_number, const load_options *options);
/* observe reads versions at the primary, past everything, until then; observe_diary that of one diary, 0 if the primary
 * does not answer. */
void observe(shared *all, size_t slot_number);
int64_t observe_diary(size_t row);

#endif
