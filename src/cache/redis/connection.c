#include "cache/redis/connection.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/poll.h"
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
    sdi_buffer_free(&connection->role);
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

/* Reads what has come. False: the replies are complete, or cannot be; replies->outcome tells. */
static bool receive_some(sdi_redis_connection *connection, sdi_redis_replies *replies, receive_function *receive)
{
    char bytes[RECEIVE_AT_ONCE];
    for (;; receive = sdi_redis_transport_receive) {
        ssize_t count = receive(&connection->transport, bytes, sizeof bytes, &connection->trouble);
        if (count == 0)
            return true;
        if (count < 0)
            replies->outcome = SDI_CACHE_FAULT_LOST;
        connection->heard |= count > 0;
        if (count < 0 || !sdi_redis_take(connection->reader, replies, bytes, (size_t)count))
            return false;
    }
}

static void finish(sdi_redis_exchange *exchange, int outcome)
{
    exchange->replies.outcome = outcome;
    exchange->over = true;
}

static void start(sdi_redis_exchange *exchange)
{
    sdi_redis_connection *connection = exchange->connection;
    exchange->over = false;
    exchange->replies.trouble = &connection->trouble;
    connection->heard = false;
    connection->sent = 0;
    *connection->trouble.text = '\0';
    if (connection->out.failed)
        finish(exchange, SDI_REDIS_NO_MEMORY);
    else if (!send_some(connection))
        finish(exchange, SDI_CACHE_FAULT_LOST);
}

static void receive_by(sdi_redis_exchange *exchange, receive_function *receive)
{
    if (!receive_some(exchange->connection, &exchange->replies, receive))
        finish(exchange, exchange->replies.outcome);
}

/* Replies are read while commands are still being sent: neither side then waits for the other to read. */
static void go_on(sdi_redis_exchange *exchange)
{
    receive_by(exchange, sdi_redis_transport_receive);
    if (!exchange->over && !send_some(exchange->connection))
        finish(exchange, SDI_CACHE_FAULT_LOST);
}

static bool look(sdi_redis_exchange *exchange, int64_t since)
{
    sdi_busy_poll *busy_poll = exchange->connection->busy_poll;
    if (!busy_poll || !sdi_busy_poll_begin(busy_poll))
        return false;
    do
        receive_by(exchange, sdi_redis_transport_receive);
    while (!exchange->over && !exchange->connection->heard && sdi_busy_poll_again(since));
    sdi_busy_poll_end(busy_poll);
    return true;
}

/* Receiving can wait by itself, where that is long before the deadline. */
static void sleep_for(sdi_redis_exchange *exchange, int64_t deadline)
{
    int64_t patience = exchange->connection->transport.patience;
    if (patience && !exchange->over && !exchange->connection->heard && !sdi_passed(deadline - patience))
        receive_by(exchange, sdi_redis_transport_await);
}

/* One that has sent all it has waits for its answer. What takes longer, or comes in pieces, is left to sdi_poll, which
 * knows the deadline, and whom to ask. */
static void await_one(sdi_redis_exchange *exchange, int64_t deadline)
{
    sdi_redis_connection *connection = exchange->connection;
    if (exchange->over || connection->sent < connection->out.length)
        return;
    int64_t since = sdi_now();
    bool looked = look(exchange, since);
    sleep_for(exchange, deadline);
    if (looked)
        sdi_busy_poll_learn(connection->busy_poll, sdi_now() - since);
}

/* What poll is to wait for; how many are not over. */
static size_t prepare(const sdi_redis_exchange *exchanges, struct pollfd *waited, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        const sdi_redis_connection *connection = exchanges[i].connection;
        const sdi_redis_transport *transport = &connection->transport;
        bool sending = connection->sent < connection->out.length;
        waited[i].fd = exchanges[i].over ? -1 : transport->fd; /* poll leaves -1 alone */
        waited[i].events = (short)(transport->receive_waits | (sending ? transport->send_waits : 0));
        left += !exchanges[i].over;
    }
    return left;
}

static void run_out(sdi_redis_exchange *exchanges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!exchanges[i].over)
            finish(&exchanges[i],
                   sdi_redis_tell(&exchanges[i].connection->trouble, SDI_CACHE_FAULT_TIMEOUT, "no answer in time"));
}

static void clean_up(sdi_redis_exchange *exchange)
{
    sdi_redis_connection *connection = exchange->connection;
    sdi_buffer_clear(&connection->out);
    connection->used = sdi_now();
    if (exchange->replies.outcome == SDI_CACHE_FAULT_PROTOCOL)
        sdi_redis_tell(&connection->trouble, 0, "the answer is not what was asked for");
}

void sdi_redis_exchange_all(sdi_redis_exchange *exchanges, struct pollfd *waited, size_t count, int64_t deadline)
{
    for (size_t i = 0; i < count; i++)
        start(&exchanges[i]);
    if (count == 1)
        await_one(exchanges, deadline);
    while (prepare(exchanges, waited, count) > 0) {
        if (sdi_poll(waited, count, deadline) <= 0) {
            run_out(exchanges, count);
            break;
        }
        for (size_t i = 0; i < count; i++)
            if (!exchanges[i].over && waited[i].revents)
                go_on(&exchanges[i]);
    }
    for (size_t i = 0; i < count; i++)
        clean_up(&exchanges[i]);
}

int sdi_redis_exchange_one(sdi_redis_connection *connection, sdi_redis_replies *replies, int64_t deadline)
{
    struct pollfd waited;
    sdi_redis_exchange exchange = {.connection = connection, .replies = *replies};
    sdi_redis_exchange_all(&exchange, &waited, 1, deadline);
    *replies = exchange.replies;
    return replies->outcome;
}
