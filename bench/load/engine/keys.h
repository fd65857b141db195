/* keys.h - which products are asked for, and how often each. */
#ifndef LOAD_KEYS_H
#define LOAD_KEYS_H

#include <stdatomic.h>

#include "random.h"
#include "scatter.h"
#include "trace.h"
#include "zipf.h"

enum load_key_kind { LOAD_KEYS_ZIPF, LOAD_KEYS_UNIFORM, LOAD_KEYS_LATEST, LOAD_KEYS_HOTSPOT, LOAD_KEYS_TRACE };

typedef struct load_keys {
    enum load_key_kind kind;
    double exponent;               /* of zipf and latest */
    double hot_keys, hot_accesses; /* of hotspot: shares, 0 to 1 */
    uint64_t count;                /* keys are 1 .. count */
    load_scatter scatter;
    load_zipf zipf;
    const load_trace *trace;
    _Atomic uint64_t access; /* of the trace: the next one */
} load_keys;

/* load_keys_read reads "zipf:0.82", "uniform", "latest:0.82", "hotspot:0.2:0.8" or "trace". */
bool load_keys_read(load_keys *keys, const char *text, load_fault *fault);
/* load_keys_open makes ready to draw from so many; `trace` is for the kind of that name, else NULL. */
bool load_keys_open(load_keys *keys, uint64_t count, const load_trace *trace, load_fault *fault);
/* load_keys_draw: the next key; any thread may. */
int64_t load_keys_draw(load_keys *keys, load_random *random);
const char *load_keys_name(const load_keys *keys);

#endif
