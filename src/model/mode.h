/* mode.h - the modes of `[cache] mode`: what is done so that a cached answer is no older than promised.
 *
 *   ttl      Tags have no fences. An answer hangs on nothing and a write bumps nothing, so an entry is good until its
 *            time is up, for all but a session that wrote what it lacks. Replicas answer within route.max_lag.
 *   fenced   Every tag has a fence (fence.h): an answer contains every write that had returned before it was read.
 *   strict   The same, of every write that had become visible before, also if its writer died before he could tell: he
 *            marks the fences before he commits.
 *
 * All that the code does differently follows from the questions below. */
#ifndef SDI_MODEL_MODE_H
#define SDI_MODEL_MODE_H

#include <stdbool.h>

enum sdi_mode { SDI_MODE_TTL, SDI_MODE_FENCED, SDI_MODE_STRICT };

/* sdi_mode_fences: do tags have fences? */
static inline bool sdi_mode_fences(enum sdi_mode mode)
{
    return mode != SDI_MODE_TTL;
}

/* sdi_mode_marks: are fences marked before a write commits, and only those trusted that know who was running? */
static inline bool sdi_mode_marks(enum sdi_mode mode)
{
    return mode == SDI_MODE_STRICT;
}

#endif
