/* trace.h - recorded accesses: which things were asked for, in order, and maybe when. FORMAT.md tells the file. */
#ifndef LOAD_TRACE_H
#define LOAD_TRACE_H

#include <stdint.h>

#include "fault.h"

typedef struct load_trace {
    uint32_t *things; /* of each access: which of the distinct keys, in order of their first one */
    double *times;    /* of each access: seconds since the first; NULL: the file has none */
    uint64_t count, distinct;
} load_trace;

/* load_trace_read: a line that cannot be is told as PATH:LINE. load_trace_free also after a fault. */
bool load_trace_read(load_trace *trace, const char *path, load_fault *fault);
void load_trace_free(load_trace *trace);
/* load_trace_at: the thing of an access; after the last one the trace begins again. */
static inline uint32_t load_trace_at(const load_trace *trace, uint64_t access)
{
    return trace->things[access % trace->count];
}
/* load_trace_span: seconds until it begins again, one average gap after its last access. load_trace_time: seconds from
 * the first access to one. Both are of a trace with times. */
double load_trace_span(const load_trace *trace);
double load_trace_time(const load_trace *trace, uint64_t access);

#endif
