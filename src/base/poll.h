/* poll.h - waits for sockets. */
#ifndef SDI_BASE_POLL_H
#define SDI_BASE_POLL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* sdi_poll is poll(2) until the deadline (clock.h): how many are ready; 0 when it has passed, or the call was
 * interrupted (interrupt.h); -1 and errno, which is never EINTR. */
int sdi_poll(struct pollfd *polled, size_t count, int64_t deadline);

#endif
