/* phase.h - a stretch of time with one kind of load: how much of it, and in an open or a closed loop. */
#ifndef LOAD_PHASE_H
#define LOAD_PHASE_H

#include "json.h"
#include "rate.h"
#include "schedule.h"

enum { LOAD_PHASE_NAME = 64, LOAD_PHASE_RATE = 1024 };

typedef struct load_phase {
    char name[LOAD_PHASE_NAME];
    unsigned number; /* 1, 2... in this run */
    bool measured;
    double seconds;
    double start_unix_s; /* 0: at once */
    bool is_open;
    /* of an open loop */
    enum load_arrivals arrivals;
    char rate_text[LOAD_PHASE_RATE]; /* empty: the trace's times */
    load_rate rate;
    /* of a closed one */
    uint64_t clients; /* 0: as many as there are threads */
    double think_us;
    bool think_is_constant;
} load_phase;

/* load_phase_read reads "measure seconds=60 rate=5000"; with `follows_trace` arrivals come at the trace's times. */
bool load_phase_read(load_phase *phase, const char *text, bool follows_trace, uint64_t threads, load_fault *fault);
/* load_phase_write writes its fields, for `phase` and `result`. */
void load_phase_write(const load_phase *phase, load_json *json);

#endif
