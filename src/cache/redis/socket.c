#include "cache/redis/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

bool sdi_redis_socket_poll(struct pollfd *waited, size_t count, int64_t deadline)
{
    for (;;) {
        int ready = poll(waited, count, sdi_poll_timeout(deadline));
        if (ready > 0)
            return true;
        if (ready == 0 ? sdi_now() >= deadline : errno != EINTR)
            return false;
    }
}

bool sdi_redis_socket_wait(int fd, short events, int64_t deadline)
{
    return sdi_redis_socket_poll(&(struct pollfd){.fd = fd, .events = events}, 1, deadline);
}

bool sdi_redis_socket_would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* How a connection that is being made ends: 0 or an error number. */
static int finish_connecting(int fd, int64_t deadline)
{
    int fault = 0;
    socklen_t size = sizeof fault;
    if (!sdi_redis_socket_wait(fd, POLLOUT, deadline))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 ? fault : errno;
}

/* Connects to one address; the socket, or -1 and errno. */
static int try_address(int family, const struct sockaddr *address, socklen_t length, int64_t deadline)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int fault = connect(fd, address, length) == 0 ? 0 : errno;
    if (fault == EINPROGRESS || fault == EINTR)
        fault = finish_connecting(fd, deadline);
    if (fault == 0)
        return fd;
    close(fd);
    errno = fault;
    return -1;
}

static int connect_local(const char *path, int64_t deadline, sdi_redis_trouble *trouble)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return sdi_redis_tell(trouble, -1, "cannot connect: the path is too long for a socket");
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = try_address(AF_UNIX, (const struct sockaddr *)&address, sizeof address, deadline);
    return fd >= 0 ? fd : sdi_redis_tell(trouble, -1, "cannot connect: %s", strerrordesc_np(errno));
}

static int connect_remote(const char *host, int64_t port, int64_t deadline, sdi_redis_trouble *trouble)
{
    char service[24];
    snprintf(service, sizeof service, "%lld", (long long)port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses;
    int fault = getaddrinfo(host, service, &hints, &addresses);
    if (fault != 0)
        return sdi_redis_tell(trouble, -1, "cannot find %s: %s", host, gai_strerror(fault));
    int fd = -1;
    for (const struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next)
        fd = try_address(at->ai_family, at->ai_addr, at->ai_addrlen, deadline);
    if (fd < 0)
        sdi_redis_tell(trouble, -1, "cannot connect: %s", strerrordesc_np(errno));
    freeaddrinfo(addresses);
    return fd;
}

int sdi_redis_socket_open(const sdi_address *address, int64_t deadline, sdi_redis_trouble *trouble)
{
    if (*address->host == '/')
        return connect_local(address->host, deadline, trouble);
    int yes = 1, fd = connect_remote(address->host, address->port, deadline, trouble);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}
