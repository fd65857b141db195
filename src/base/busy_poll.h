/* busy_poll.h - looks for an answer for a moment before sleeping until it comes.
 *
 * A thread that sleeps gives its core up, and a core without work sleeps too: to wake up takes tens of microseconds,
 * about as long as a server nearby takes to answer. Where the answers of one are not that quick, or enough threads look
 * already, nobody looks; only now and then, to see whether it has become quicker. Nor does anybody in a crowd: its
 * cores do not sleep. Thread safe, without locks. */
#ifndef SDI_BASE_BUSY_POLL_H
#define SDI_BASE_BUSY_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One for each server. */
typedef struct sdi_busy_poll {
    int32_t places;         /* for threads that look; 0: nobody does */
    _Atomic int32_t taken;  /* of them */
    _Atomic int64_t recent; /* microseconds that the last eight answers took that were looked for: a moving sum */
    _Atomic uint32_t slept; /* since somebody looked last */
} sdi_busy_poll;

/* sdi_busy_poll_init: half of the cores may look, the others have the work; a single core has no time for it. */
void sdi_busy_poll_init(sdi_busy_poll *poll, bool on);
/* sdi_busy_poll_begin: is it worth looking? If so, end with sdi_busy_poll_end. */
bool sdi_busy_poll_begin(sdi_busy_poll *poll);
/* sdi_busy_poll_is_crowded: with so many who wait for answers of this server, looking is not worth it. */
bool sdi_busy_poll_is_crowded(const sdi_busy_poll *poll, size_t waiting);
/* sdi_busy_poll_again, asked after a look in vain: false once it has taken too long since `since`. */
bool sdi_busy_poll_again(int64_t since);
void sdi_busy_poll_end(sdi_busy_poll *poll);
/* sdi_busy_poll_learn: after sdi_busy_poll_end, how long the answer took in the end, also if it was slept for. */
void sdi_busy_poll_learn(sdi_busy_poll *poll, int64_t took_us);

#endif
