#include "cache/redis/connection.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "cache/redis/greeting.h"

enum { RECEIVE_AT_ONCE = 16384 };

static void keep_name(sdi_redis_connection *connection, const sdi_address *address)
{
    sdi_buffer shown = SDI_BUFFER_INIT;
    sdi_address_show(&shown, address);
    snprintf(connection->name, sizeof connection->name, "%s", shown.failed ? address->host : shown.data);
    sdi_buffer_free(&shown);
}

int sdi_redis_connect(sdi_redis_connection *connection, const sdi_redis_access *access, const sdi_address *address,
                      int64_t deadline)
{
    deadline = sdi_deadline_within(deadline, access->settings->connect_timeout_ms);
    keep_name(connection, address);
    int outcome =
        sdi_redis_transport_open(&connection->transport, address, access->tls, deadline, &connection->trouble);
    if (outcome != SDI_REDIS_DONE)
        return outcome;
    connection->since = sdi_now();
    connection->reader = redisReaderCreateWithFunctions(&sdi_redis_reply_functions);
    sdi_buffer_free(&connection->out); /* forgives a failure */
    outcome = connection->reader ? sdi_redis_greet(connection, access->settings, deadline) : SDI_REDIS_NO_MEMORY;
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
static bool send_some(sdi_redis_connection *connection)
{
    const sdi_buffer *out = &connection->out;
    while (connection->sent < out->length) {
        ssize_t count = sdi_redis_transport_send(&connection->transport, out->data + connection->sent,
                                                 out->length - connection->sent, &connection->trouble);
        if (count <= 0)
            return count == 0;
        connection->sent += (size_t)count;
    }
    return true;
}

typedef ssize_t receive_function(sdi_redis_transport *, char *, size_t, sdi_redis_trouble *);

static bool is_over(const sdi_redis_connection *connection)
{
    return !connection->replies;
}

static void finish(sdi_redis_connection *connection, int outcome)
{
    connection->outcome = outcome;
    connection->replies = NULL;
}

static void take(sdi_redis_connection *connection, const char *bytes, size_t length)
{
    sdi_redis_replies *last = connection->replies;
    connection->heard = true;
    if (!sdi_redis_take(connection->reader, &last, bytes, length))
        finish(connection, last ? last->outcome : SDI_REDIS_DONE);
    else
        connection->replies = last;
}

/* Reads what has come. */
static void receive_by(sdi_redis_connection *connection, receive_function *receive)
{
    char bytes[RECEIVE_AT_ONCE];
    for (; !is_over(connection); receive = sdi_redis_transport_receive) {
        ssize_t count = receive(&connection->transport, bytes, sizeof bytes, &connection->trouble);
        if (count == 0)
            return;
        if (count < 0)
            finish(connection, SDI_CACHE_FAULT_LOST);
        else
            take(connection, bytes, (size_t)count);
    }
}

void sdi_redis_begin(sdi_redis_connection *connection, sdi_redis_replies *replies)
{
    connection->replies = replies;
    connection->heard = connection->looked = false;
    connection->sent = 0;
    *connection->trouble.text = '\0';
    if (connection->out.failed)
        finish(connection, SDI_REDIS_NO_MEMORY);
    else if (!send_some(connection))
        finish(connection, SDI_CACHE_FAULT_LOST);
}

/* Replies are read while commands are still being sent: neither side then waits for the other to read. */
static void move_on(sdi_redis_connection *connection)
{
    receive_by(connection, sdi_redis_transport_receive);
    if (!is_over(connection) && !send_some(connection))
        finish(connection, SDI_CACHE_FAULT_LOST);
}

static bool look(sdi_redis_connection *connection, int64_t since)
{
    sdi_busy_poll *busy_poll = connection->busy_poll;
    if (connection->looked || !busy_poll || !sdi_busy_poll_begin(busy_poll))
        return false;
    do
        receive_by(connection, sdi_redis_transport_receive);
    while (!connection->heard && !is_over(connection) && sdi_busy_poll_again(since));
    sdi_busy_poll_end(busy_poll);
    return true;
}

/* Receiving can wait by itself, where that is long before the deadline. */
static void sleep_for(sdi_redis_connection *connection, int64_t deadline)
{
    int64_t patience = connection->transport.patience;
    if (patience && !is_over(connection) && !connection->heard && !sdi_passed(deadline - patience))
        receive_by(connection, sdi_redis_transport_await);
}

/* One that has sent all it has waits for its answer. What takes longer, or comes in pieces, is left to sdi_poll, which
 * knows the deadline, and whom to ask. */
static void await(sdi_redis_connection *connection, int64_t deadline)
{
    if (is_over(connection) || connection->sent < connection->out.length)
        return;
    int64_t since = sdi_now();
    bool looked = look(connection, since);
    connection->looked = true;
    sleep_for(connection, deadline);
    if (looked)
        sdi_busy_poll_learn(connection->busy_poll, sdi_now() - since);
}

static bool poll_once(sdi_redis_connection *connection, int64_t deadline)
{
    const sdi_redis_transport *transport = &connection->transport;
    bool sending = connection->sent < connection->out.length;
    short events = (short)(transport->receive_waits | (sending ? transport->send_waits : 0));
    return sdi_redis_socket_wait(transport->fd, events, deadline);
}

static void clean_up(sdi_redis_connection *connection)
{
    sdi_buffer_clear(&connection->out);
    connection->used = sdi_now();
    if (connection->outcome == SDI_CACHE_FAULT_PROTOCOL)
        sdi_redis_tell(&connection->trouble, 0, "the answer is not what was asked for");
}

bool sdi_redis_go_on(sdi_redis_connection *connection, int64_t until)
{
    await(connection, until);
    while (!is_over(connection)) {
        if (!poll_once(connection, until))
            return false;
        move_on(connection);
    }
    clean_up(connection);
    return true;
}

int sdi_redis_exchange(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline)
{
    replies->trouble = &connection->trouble;
    sdi_redis_begin(connection, replies);
    if (sdi_redis_go_on(connection, deadline))
        return connection->outcome;
    return sdi_redis_tell(&connection->trouble, SDI_CACHE_FAULT_TIMEOUT, "no answer in time");
}
