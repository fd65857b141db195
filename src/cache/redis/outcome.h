/* outcome.h - how a step ended, and why, in one line for a log. */
#ifndef SDI_CACHE_REDIS_OUTCOME_H
#define SDI_CACHE_REDIS_OUTCOME_H

#include "model/metrics.h"

/* An sdi_cache_fault, or one of these. */
enum {
    SDI_REDIS_DONE = SDI_CACHE_FAULTS,
    SDI_REDIS_NO_MEMORY,
    SDI_REDIS_DEMOTED, /* a replica, where the primary should be */
    SDI_REDIS_SPARED,  /* nothing was tried: a circuit breaker is open */
    SDI_REDIS_UNTRIED, /* nothing was, yet */
};

/* Printable, without secrets; room of its own, because it is also told when memory is out. */
typedef struct sdi_redis_trouble {
    char text[256];
} sdi_redis_trouble;

/* sdi_redis_tell writes it and returns `outcome`, so that it can be returned on. */
int sdi_redis_tell(sdi_redis_trouble *trouble, int outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
