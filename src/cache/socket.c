#include "cache/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/forking.h"

enum { PATIENCE_MS = 10 };

int sdi_socket_find(const sdi_address *address, struct addrinfo **found_out)
{
    static const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char service[24];
    snprintf(service, sizeof service, "%lld", (long long)address->port);
    sdi_unforkable();
    int fault = getaddrinfo(address->host, service, &hints, found_out);
    sdi_forkable();
    return fault;
}

bool sdi_socket_local(const char *path, struct sockaddr_un *address_out)
{
    size_t size = strlen(path) + 1;
    *address_out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size > sizeof address_out->sun_path)
        return false;
    memcpy(address_out->sun_path, path, size);
    return true;
}

int sdi_socket_begin(const struct sockaddr *address, socklen_t length)
{
    int yes = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, address, length) == 0 || errno == EINPROGRESS || errno == EINTR)
        return fd;
    int fault = errno;
    close(fd);
    errno = fault;
    return -1;
}

int sdi_socket_fault(int fd)
{
    int fault = 0;
    socklen_t size = sizeof fault;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 ? fault : errno;
}

bool sdi_socket_would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int64_t sdi_socket_make_patient(int fd)
{
    struct timeval most = {.tv_usec = PATIENCE_MS * 1000};
    int flags = fcntl(fd, F_GETFL);
    bool made = flags >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0 &&
                fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
    return made ? most.tv_usec : 0;
}

bool sdi_socket_is_quiet(int fd)
{
    char byte;
    return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && sdi_socket_would_block();
}
