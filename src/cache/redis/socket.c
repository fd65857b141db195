#include "cache/redis/socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/poll.h"
#include "cache/socket.h"

bool sdi_redis_socket_wait(int fd, short events, int64_t deadline)
{
    return sdi_poll(&(struct pollfd){.fd = fd, .events = events}, 1, deadline) > 0;
}

/* How a connection that is being made ends: 0 or an error number. */
static int finish_connecting(int fd, int64_t deadline)
{
    return sdi_redis_socket_wait(fd, POLLOUT, deadline) ? sdi_socket_fault(fd) : ETIMEDOUT;
}

/* Connects to one address; the socket, or -1 and errno. */
static int try_address(const struct sockaddr *address, socklen_t length, int64_t deadline)
{
    int fd = sdi_socket_begin(address, length);
    int fault = fd >= 0 ? finish_connecting(fd, deadline) : errno;
    if (fault == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = fault;
    return -1;
}

static int connect_local(const char *path, int64_t deadline, sdi_redis_trouble *trouble)
{
    struct sockaddr_un address;
    if (!sdi_socket_local(path, &address))
        return sdi_redis_tell(trouble, -1, "cannot connect: the path is too long for a socket");
    int fd = try_address((const struct sockaddr *)&address, sizeof address, deadline);
    return fd >= 0 ? fd : sdi_redis_tell(trouble, -1, "cannot connect: %s", strerrordesc_np(errno));
}

static int connect_remote(const sdi_address *address, int64_t deadline, sdi_redis_trouble *trouble)
{
    struct addrinfo *found;
    int fault = sdi_socket_find(address, &found);
    if (fault != 0)
        return sdi_redis_tell(trouble, -1, "cannot find %s: %s", address->host, gai_strerror(fault));
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = try_address(at->ai_addr, at->ai_addrlen, deadline);
    if (fd < 0)
        sdi_redis_tell(trouble, -1, "cannot connect: %s", strerrordesc_np(errno));
    freeaddrinfo(found);
    return fd;
}

int sdi_redis_socket_open(const sdi_address *address, int64_t deadline, sdi_redis_trouble *trouble)
{
    return *address->host == '/' ? connect_local(address->host, deadline, trouble)
                                 : connect_remote(address, deadline, trouble);
}
