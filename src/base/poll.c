#include "base/poll.h"

#include <errno.h>

#include "base/clock.h"
#include "base/interrupt.h"

int sdi_poll(struct pollfd *polled, size_t count, int64_t deadline)
{
    /* Time is looked at before the sockets: a server that never ends talking must not outlast the deadline. */
    for (int64_t now = sdi_now(); now < deadline && !sdi_interrupted(); now = sdi_now()) {
        int ready = poll(polled, (nfds_t)count, sdi_poll_timeout(sdi_interrupt_until(deadline), now));
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return ready;
        sdi_interrupt_ask(ready < 0);
    }
    return 0;
}
