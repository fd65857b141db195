/* host.h - the machine that generates the load, and how much of it is used: by this process, and by all. */
#ifndef LOAD_HOST_H
#define LOAD_HOST_H

#include "json.h"

/* At one moment: two of them tell what happened in between. */
typedef struct load_usage {
    int64_t now_ns;
    double cpu_s;             /* of this process, user and system */
    double machine_s, idle_s; /* of all processors, since the machine started; 0 where /proc does not tell */
} load_usage;

load_usage load_host_usage(void);
/* load_host_cores: so many may this process use. load_host_memory: bytes that it has resident now. */
unsigned load_host_cores(void);
uint64_t load_host_memory(void);
/* Between two moments: how many cores this process used on average; how busy all cores were, 0 to 1. */
double load_host_cpu_cores(const load_usage *before, const load_usage *after);
double load_host_machine_busy(const load_usage *before, const load_usage *after);
void load_host_write(load_json *json);

#endif
