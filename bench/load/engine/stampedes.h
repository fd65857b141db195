/* stampedes.h - how many readers find an answer missing from the caches at once. The first that does begins an expiry;
 * who began before the first one had its answer found it missing too, and belongs to the same. */
#ifndef LOAD_STAMPEDES_H
#define LOAD_STAMPEDES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of the questions of one statement, numbered 1 .. count. Others are taken for the only ones of their kind. */
typedef struct load_stampedes {
    uint64_t count;
    _Atomic uint64_t *answered_ns; /* of each question's last expiry: when its first reader had the answer */
    _Atomic uint32_t *readers;
} load_stampedes;

/* What happened at a read's end. */
typedef struct load_stampede {
    bool is_new;      /* it is the first of an expiry */
    uint32_t readers; /* of this expiry until now, this one included */
} load_stampede;

/* load_stampedes_open: false without memory. load_stampedes_close also after that. */
bool load_stampedes_open(load_stampedes *stampedes, uint64_t count);
void load_stampedes_close(load_stampedes *stampedes);
/* load_stampedes_miss: a server answered this question, which lasted from one moment to another. */
load_stampede load_stampedes_miss(load_stampedes *stampedes, int64_t key, int64_t began_ns, int64_t ended_ns);

#endif
