/* plan.h - what a run is asked to do: its command line. */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include "keys.h"
#include "mix.h"
#include "phase.h"
#include "settings.h"

enum { LOAD_PLAN_PHASES = 64 };

typedef struct load_plan {
    load_settings settings;
    const char *label, *workload, *keys_text, *trace_path;
    const char *phases[LOAD_PLAN_PHASES];
    size_t phase_count;
    uint64_t seed, threads;
    double patience_s, trace_speed; /* 0: at a rate */
    bool reads_commands;
    load_mix mix;
    load_keys keys;
    load_trace trace;
} load_plan;

/* load_plan_read checks all that can be checked without a server. load_plan_free also after a fault. */
bool load_plan_read(load_plan *plan, int count, char **arguments, load_fault *fault);
void load_plan_free(load_plan *plan);
void load_plan_help(void);

#endif
