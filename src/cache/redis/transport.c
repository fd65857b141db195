#include "cache/redis/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache/redis/socket.h"
#include "cache/socket.h"

int sdi_redis_transport_open(sdi_redis_transport *transport, const sdi_address *address, const sdi_redis_tls *tls,
                             int64_t deadline, sdi_redis_trouble *trouble)
{
    *transport = (sdi_redis_transport){.send_waits = POLLOUT, .receive_waits = POLLIN};
    transport->fd = sdi_redis_socket_open(address, deadline, trouble);
    if (transport->fd < 0)
        return SDI_CACHE_FAULT_CONNECT;
    int outcome = tls ? sdi_redis_tls_begin(tls, transport->fd, address->host, deadline, &transport->ssl, trouble)
                      : SDI_REDIS_DONE;
    if (outcome != SDI_REDIS_DONE)
        sdi_redis_transport_close(transport);
    else if (!tls)
        transport->patience = sdi_socket_make_patient(transport->fd);
    return outcome;
}

void sdi_redis_transport_close(sdi_redis_transport *transport)
{
    int fd = transport->fd;
    sdi_redis_tls_end(transport->ssl);
    transport->ssl = NULL;
    transport->fd = -1; /* first: a child forked in between closes what stands here, which may be another's by then */
    if (fd >= 0)
        close(fd);
}

static ssize_t lost(const char *why, sdi_redis_trouble *trouble)
{
    return sdi_redis_tell(trouble, -1, "the connection was lost: %s", why);
}

ssize_t sdi_redis_transport_send(sdi_redis_transport *transport, const char *bytes, size_t length,
                                 sdi_redis_trouble *trouble)
{
    if (transport->ssl)
        return sdi_redis_tls_send(transport->ssl, bytes, length, &transport->send_waits, trouble);
    ssize_t count = send(transport->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0)
        return count;
    return sdi_socket_would_block() ? 0 : lost(strerrordesc_np(errno), trouble);
}

static ssize_t receive(sdi_redis_transport *transport, char *bytes, size_t size, int flags, sdi_redis_trouble *trouble)
{
    ssize_t count = recv(transport->fd, bytes, size, flags);
    if (count > 0)
        return count;
    if (count == 0)
        return lost("the server closed it", trouble);
    return sdi_socket_would_block() ? 0 : lost(strerrordesc_np(errno), trouble);
}

ssize_t sdi_redis_transport_receive(sdi_redis_transport *transport, char *bytes, size_t size,
                                    sdi_redis_trouble *trouble)
{
    if (transport->ssl)
        return sdi_redis_tls_receive(transport->ssl, bytes, size, &transport->receive_waits, trouble);
    return receive(transport, bytes, size, MSG_DONTWAIT, trouble);
}

ssize_t sdi_redis_transport_await(sdi_redis_transport *transport, char *bytes, size_t size, sdi_redis_trouble *trouble)
{
    return receive(transport, bytes, size, 0, trouble);
}

bool sdi_redis_transport_is_quiet(sdi_redis_transport *transport)
{
    if (transport->fd < 0)
        return false;
    return transport->ssl ? sdi_redis_tls_is_quiet(transport->ssl) : sdi_socket_is_quiet(transport->fd);
}
