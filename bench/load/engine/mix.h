/* mix.h - a workload: how often each interaction is. */
#ifndef LOAD_MIX_H
#define LOAD_MIX_H

#include "fault.h"
#include "interactions.h"
#include "json.h"
#include "random.h"

typedef struct load_mix {
    const char *name; /* the workload's, or the file's */
    double percent[LOAD_INTERACTIONS];
    double up_to[LOAD_INTERACTIONS]; /* running sum, of which the last is 1 */
} load_mix;

/* load_mix_read: one of the workloads, or a file of a user's own; what cannot be is told as FILE:LINE: NAME: ... */
bool load_mix_read(load_mix *mix, const char *name, load_fault *fault);
enum load_interaction load_mix_draw(const load_mix *mix, load_random *random);
bool load_mix_writes(const load_mix *mix); /* anything at all */
void load_mix_write(const load_mix *mix, load_json *json);

#endif
