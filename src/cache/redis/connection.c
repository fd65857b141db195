#include "cache/redis/connection.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { RECEIVE_AT_ONCE = 16384 };

/* Waits for the socket; false when the deadline has passed. */
static bool wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd waited = {.fd = fd, .events = events};
    for (;;) {
        int ready = poll(&waited, 1, sdi_poll_timeout(deadline));
        if (ready > 0)
            return true;
        if (ready == 0 ? sdi_now() >= deadline : errno != EINTR)
            return false;
    }
}

/* Connects to one address; the socket, or -1. */
static int try_address(int family, const struct sockaddr *address, socklen_t length, int64_t deadline)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int fault = connect(fd, address, length) == 0 ? 0 : errno;
    if ((fault == EINPROGRESS || fault == EINTR) && wait_for(fd, POLLOUT, deadline)) {
        socklen_t size = sizeof fault;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0)
            fault = errno;
    }
    if (fault == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_local(const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return try_address(AF_UNIX, (const struct sockaddr *)&address, sizeof address, deadline);
}

static int connect_remote(const char *host, int64_t port, int64_t deadline)
{
    char service[24];
    snprintf(service, sizeof service, "%lld", (long long)port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses;
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next)
        fd = try_address(at->ai_family, at->ai_addr, at->ai_addrlen, deadline);
    freeaddrinfo(addresses);
    int yes = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static int greet(sdi_redis_connection *connection, const sdi_cache_settings *settings, int64_t deadline)
{
    sdi_redis_reply expected[4];
    sdi_redis_replies replies = {.list = expected, .value_max = SDI_REDIS_SHA, .outcome = SDI_REDIS_DONE};
    sdi_buffer *out = &connection->out;
    if (*settings->password) {
        if (*settings->user)
            sdi_redis_command(out, "AUTH", settings->user, settings->password, (char *)NULL);
        else
            sdi_redis_command(out, "AUTH", settings->password, (char *)NULL);
        expected[replies.count++] = (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK};
    }
    if (settings->database) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)settings->database);
        sdi_redis_command(out, "SELECT", number, (char *)NULL);
        expected[replies.count++] = (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK};
    }
    sdi_redis_command(out, "SCRIPT", "LOAD", sdi_redis_swap, (char *)NULL);
    expected[replies.count++] = (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_SHA, .sha = connection->shas.swap};
    sdi_redis_command(out, "SCRIPT", "LOAD", sdi_redis_merge, (char *)NULL);
    expected[replies.count++] = (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_SHA, .sha = connection->shas.merge};
    replies.unscripted = replies.count;
    return sdi_redis_exchange(connection, &replies, deadline);
}

int sdi_redis_connect(sdi_redis_connection *connection, const sdi_cache_settings *settings, int64_t deadline)
{
    const sdi_address *address = &settings->addresses[0];
    deadline = sdi_deadline_within(deadline, settings->connect_timeout_ms);
    connection->shas = (sdi_redis_shas){.swap = ""};
    connection->fd = *address->host == '/' ? connect_local(address->host, deadline)
                                           : connect_remote(address->host, address->port, deadline);
    if (connection->fd < 0)
        return SDI_CACHE_FAULT_CONNECT;
    connection->reader = redisReaderCreateWithFunctions(&sdi_redis_reply_functions);
    sdi_buffer_free(&connection->out); /* forgives a failure */
    int outcome = connection->reader ? greet(connection, settings, deadline) : SDI_REDIS_NO_MEMORY;
    if (outcome != SDI_REDIS_DONE)
        sdi_redis_disconnect(connection);
    return outcome;
}

void sdi_redis_disconnect(sdi_redis_connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    if (connection->reader)
        redisReaderFree(connection->reader);
    sdi_buffer_free(&connection->out);
    connection->fd = -1;
    connection->reader = NULL;
}

bool sdi_redis_is_quiet(const sdi_redis_connection *connection)
{
    char byte;
    return connection->fd >= 0 && recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Sends what goes without waiting; false when the connection is lost. */
static bool send_some(const sdi_redis_connection *connection, size_t *sent)
{
    const sdi_buffer *out = &connection->out;
    while (*sent < out->length) {
        ssize_t count = send(connection->fd, out->data + *sent, out->length - *sent, MSG_NOSIGNAL);
        if (count < 0)
            return would_block();
        *sent += (size_t)count;
    }
    return true;
}

/* Reads what has come. False: the replies are complete, or cannot be; replies->outcome tells. */
static bool receive_some(sdi_redis_connection *connection, sdi_redis_replies *replies)
{
    char bytes[RECEIVE_AT_ONCE];
    ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
    if (count < 0 && would_block())
        return true;
    if (count <= 0) {
        replies->outcome = SDI_CACHE_FAULT_LOST;
        return false;
    }
    connection->heard = true;
    return sdi_redis_take(connection->reader, replies, bytes, (size_t)count);
}

/* Replies are read while commands are still being sent: neither side then waits for the other to read. */
int sdi_redis_exchange(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline)
{
    size_t sent = 0;
    connection->heard = false;
    if (connection->out.failed)
        return SDI_REDIS_NO_MEMORY;
    do {
        if (!send_some(connection, &sent))
            return SDI_CACHE_FAULT_LOST;
        short events = sent < connection->out.length ? POLLIN | POLLOUT : POLLIN;
        if (!wait_for(connection->fd, events, deadline))
            return SDI_CACHE_FAULT_TIMEOUT;
    } while (receive_some(connection, replies));
    sdi_buffer_clear(&connection->out);
    return replies->outcome;
}
