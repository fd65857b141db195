/* breaker.h - a circuit breaker: after some failures in a row nothing is tried for a pause, then one probe is. A probe
 * that fails doubles the pause. Pauses are jittered, so that many processes do not come back at the same moment.
 * Thread safe. Times are of sdi_now. */
#ifndef SDI_BASE_BREAKER_H
#define SDI_BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"

enum sdi_breaker_state { SDI_BREAKER_CLOSED, SDI_BREAKER_HALF_OPEN, SDI_BREAKER_OPEN };

typedef struct sdi_breaker {
    sdi_mutex mutex;        /* of what changes; where all is well it is not taken */
    _Atomic int state;      /* an sdi_breaker_state */
    int64_t failures;       /* in a row that open it */
    _Atomic int64_t failed; /* in a row so far */
    int64_t first_ms;       /* the first pause */
    int64_t longest_ms;     /* what doubling ends at */
    int64_t pause_ms;       /* the next pause */
    int64_t until;          /* open: end of the pause; half open: when the probe counts as lost */
} sdi_breaker;

void sdi_breaker_init(sdi_breaker *breaker, int64_t failures, int64_t open_ms, int64_t open_max_ms);
void sdi_breaker_destroy(sdi_breaker *breaker);

/* sdi_breaker_allows: closed: yes. Open: no. Pause over: to one caller, who is the probe. Who was allowed reports with
 * one of the two below; should a probe never report, another is allowed after one more pause. */
bool sdi_breaker_allows(sdi_breaker *breaker, int64_t now);
/* sdi_breaker_succeeded closes it. */
void sdi_breaker_succeeded(sdi_breaker *breaker);
/* sdi_breaker_failed is true when this failure opened it, a probe's too. While open (calls that began before) it counts
 * nothing: a burst of failures is one reason to pause, not many. */
bool sdi_breaker_failed(sdi_breaker *breaker, int64_t now);
enum sdi_breaker_state sdi_breaker_state(sdi_breaker *breaker);

#endif
