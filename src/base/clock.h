/* clock.h - time in microseconds. A deadline is a point of the monotonic clock (sdi_now); SDI_NEVER is no deadline. */
#ifndef SDI_BASE_CLOCK_H
#define SDI_BASE_CLOCK_H

#include <stdint.h>

#define SDI_NEVER INT64_MAX

/* sdi_now is the monotonic clock: for deadlines and durations. */
int64_t sdi_now(void);
/* sdi_uptime runs on while the machine is suspended, where sdi_now stands still: for how old something is that others
 * may have changed meanwhile. The two are not to be compared. */
int64_t sdi_uptime(void);
/* sdi_wall is the time of day since 1970: only for what another machine reads, such as an entry's age. */
int64_t sdi_wall(void);

/* sdi_deadline_in is the point `ms` milliseconds from now; negative means never. */
int64_t sdi_deadline_in(int64_t ms);
/* sdi_deadline_within is the earlier of `deadline` and `ms` milliseconds from now. */
int64_t sdi_deadline_within(int64_t deadline, int64_t ms);
/* sdi_poll_timeout is what poll(2) wants: milliseconds from `now` until the deadline, rounded up; -1 for never, 0 when
 * passed. */
int sdi_poll_timeout(int64_t deadline, int64_t now);

/* sdi_sleep pauses this thread for `us` microseconds, a few at most: what waits longer looks up in between. */
void sdi_sleep(int64_t us);

#endif
