#include "cache/redis/connection.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "cache/redis/socket.h"

enum { RECEIVE_AT_ONCE = 16384 };

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

int sdi_redis_connect(sdi_redis_connection *connection, const sdi_cache_settings *settings, const sdi_redis_tls *tls,
                      int64_t deadline)
{
    deadline = sdi_deadline_within(deadline, settings->connect_timeout_ms);
    connection->shas = (sdi_redis_shas){.swap = ""};
    int outcome =
        sdi_redis_transport_open(&connection->transport, &settings->addresses[0], tls, deadline, &connection->trouble);
    if (outcome != SDI_REDIS_DONE)
        return outcome;
    connection->reader = redisReaderCreateWithFunctions(&sdi_redis_reply_functions);
    sdi_buffer_free(&connection->out); /* forgives a failure */
    outcome = connection->reader ? greet(connection, settings, deadline) : SDI_REDIS_NO_MEMORY;
    if (outcome != SDI_REDIS_DONE)
        sdi_redis_disconnect(connection);
    return outcome;
}

void sdi_redis_disconnect(sdi_redis_connection *connection)
{
    sdi_redis_transport_close(&connection->transport);
    if (connection->reader)
        redisReaderFree(connection->reader);
    sdi_buffer_free(&connection->out);
    connection->reader = NULL;
}

/* Sends what goes without waiting; false when the connection is lost. */
static bool send_some(sdi_redis_connection *connection, size_t *sent)
{
    const sdi_buffer *out = &connection->out;
    while (*sent < out->length) {
        ssize_t count = sdi_redis_transport_send(&connection->transport, out->data + *sent, out->length - *sent,
                                                 &connection->trouble);
        if (count <= 0)
            return count == 0;
        *sent += (size_t)count;
    }
    return true;
}

/* Reads what has come. False: the replies are complete, or cannot be; replies->outcome tells. */
static bool receive_some(sdi_redis_connection *connection, sdi_redis_replies *replies)
{
    char bytes[RECEIVE_AT_ONCE];
    for (;;) {
        ssize_t count = sdi_redis_transport_receive(&connection->transport, bytes, sizeof bytes, &connection->trouble);
        if (count == 0)
            return true;
        if (count < 0)
            replies->outcome = SDI_CACHE_FAULT_LOST;
        connection->heard |= count > 0;
        if (count < 0 || !sdi_redis_take(connection->reader, replies, bytes, (size_t)count))
            return false;
    }
}

/* Replies are read while commands are still being sent: neither side then waits for the other to read. */
int sdi_redis_exchange(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline)
{
    size_t sent = 0;
    connection->heard = false;
    if (connection->out.failed)
        return SDI_REDIS_NO_MEMORY;
    replies->trouble = &connection->trouble;
    *connection->trouble.text = '\0';
    do {
        if (!send_some(connection, &sent))
            return SDI_CACHE_FAULT_LOST;
        const sdi_redis_transport *transport = &connection->transport;
        short events = transport->receive_waits | (sent < connection->out.length ? transport->send_waits : 0);
        if (!sdi_redis_socket_wait(transport->fd, events, deadline))
            return sdi_redis_tell(&connection->trouble, SDI_CACHE_FAULT_TIMEOUT, "no answer in time");
    } while (receive_some(connection, replies));
    sdi_buffer_clear(&connection->out);
    if (replies->outcome == SDI_CACHE_FAULT_PROTOCOL)
        sdi_redis_tell(&connection->trouble, 0, "the answer is not what was asked for");
    return replies->outcome;
}
