#include <poll.h>

#include "base/poll.h"
#include "postgres/link.h"

int sdi_pg_wait(const PGconn *pq, short events, int64_t deadline)
{
    struct pollfd socket = {.fd = PQsocket(pq), .events = events};
    if (socket.fd < 0) /* libpq has closed it; poll would wait for nothing */
        return POLLERR;
    int ready = sdi_poll(&socket, 1, deadline);
    return ready > 0 ? socket.revents : ready < 0 ? POLLERR : 0;
}
