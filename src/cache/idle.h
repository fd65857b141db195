/* idle.h - what is free for the next thread: a stack, so that what was used last goes first and few stay warm. */
#ifndef SDI_CACHE_IDLE_H
#define SDI_CACHE_IDLE_H

#include "base/lock.h"

typedef struct sdi_idle {
    sdi_mutex mutex;
    sdi_condition freed;
    void **stack;
    size_t count;
} sdi_idle;

/* sdi_idle_init makes an empty one with room for `size`; false without memory. */
bool sdi_idle_init(sdi_idle *idle, size_t size);
/* sdi_idle_free accepts a zeroed one. What is on the stack is the caller's. */
void sdi_idle_free(sdi_idle *idle);
/* sdi_idle_abandon is that without locks, in a forked child. */
void sdi_idle_abandon(sdi_idle *idle);
/* sdi_idle_take waits for one; NULL when the deadline has passed. */
void *sdi_idle_take(sdi_idle *idle, int64_t deadline);
/* sdi_idle_give puts one back; `last`: to be taken after all others, because it lost its server. */
void sdi_idle_give(sdi_idle *idle, void *given, bool last);

#endif
