#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "postgres/link.h"

int sdi_pg_wait(const PGconn *pq, short events, int64_t deadline)
{
    struct pollfd socket = {.fd = PQsocket(pq), .events = events};
    if (socket.fd < 0) /* libpq has closed it; poll would wait for nothing */
        return POLLERR;
    /* Time is looked at before the socket: a server that never ends talking must not outlast the deadline. */
    while (sdi_now() < deadline) {
        int ready = poll(&socket, 1, sdi_poll_timeout(deadline));
        if (ready > 0)
            return socket.revents;
        if (ready < 0 && errno != EINTR)
            return POLLERR;
    }
    return 0;
}
