#include "cache/redis/ask.h"

#include <poll.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cache/redis/command.h"

enum { ANSWER_MAX = 4 << 20, RECEIVE_AT_ONCE = 16384 };

static bool send_all(sdi_redis_transport *transport, const sdi_buffer *out, int64_t deadline,
                     sdi_redis_trouble *trouble)
{
    size_t sent = 0;
    while (!out->failed && sent < out->length) {
        ssize_t count = sdi_redis_transport_send(transport, out->data + sent, out->length - sent, trouble);
        if (count < 0 || (count == 0 && !sdi_redis_socket_wait(transport->fd, transport->send_waits, deadline)))
            return false;
        sent += (size_t)count;
    }
    return !out->failed;
}

/* Reads until a reply is whole; NULL if none comes. */
static redisReply *read_reply(sdi_redis_transport *transport, redisReader *reader, int64_t deadline,
                              sdi_redis_trouble *trouble)
{
    char bytes[RECEIVE_AT_ONCE];
    void *reply = NULL;
    for (size_t total = 0; total < ANSWER_MAX;) {
        if (redisReaderGetReply(reader, &reply) != REDIS_OK || reply)
            return reply;
        ssize_t count = sdi_redis_transport_receive(transport, bytes, sizeof bytes, trouble);
        if (count < 0 || (count == 0 && !sdi_redis_socket_wait(transport->fd, transport->receive_waits, deadline)))
            return NULL;
        if (count > 0 && redisReaderFeed(reader, bytes, (size_t)count) != REDIS_OK)
            return NULL;
        total += (size_t)count;
    }
    return NULL;
}

static redisReply *refuse(redisReply *reply, sdi_redis_trouble *trouble)
{
    sdi_redis_tell(trouble, 0, "refused: %s", reply->str);
    freeReplyObject(reply);
    return NULL;
}

/* The reply to the last of so many commands; an error of any is one of all. */
static redisReply *read_last(sdi_redis_transport *transport, size_t commands, int64_t deadline,
                             sdi_redis_trouble *trouble)
{
    redisReader *reader = redisReaderCreate();
    redisReply *reply = NULL;
    while (reader && commands-- > 0) {
        if (reply)
            freeReplyObject(reply);
        reply = read_reply(transport, reader, deadline, trouble);
        if (reply && reply->type == REDIS_REPLY_ERROR)
            reply = refuse(reply, trouble);
        if (!reply)
            break;
    }
    if (reader)
        redisReaderFree(reader);
    return reply;
}

static size_t format(sdi_buffer *out, sdi_redis_login login, const char *const question[3])
{
    if (*login.password && *login.user)
        sdi_redis_command(out, "AUTH", login.user, login.password, (char *)NULL);
    else if (*login.password)
        sdi_redis_command(out, "AUTH", login.password, (char *)NULL);
    sdi_redis_command(out, question[0], question[1], question[2], (char *)NULL);
    return *login.password ? 2 : 1;
}

redisReply *sdi_redis_ask(const sdi_redis_access *access, const sdi_address *address, sdi_redis_login login,
                          const char *const question[3], int64_t deadline, sdi_redis_trouble *trouble)
{
    sdi_redis_transport transport;
    redisReply *reply = NULL;
    deadline = sdi_deadline_within(deadline, access->settings->connect_timeout_ms);
    if (sdi_redis_transport_open(&transport, address, access->tls, deadline, trouble) != SDI_REDIS_DONE)
        return NULL;
    sdi_redis_tell(trouble, 0, "no answer to %s", question[0]);
    sdi_buffer out = SDI_BUFFER_INIT;
    size_t commands = format(&out, login, question);
    if (send_all(&transport, &out, deadline, trouble))
        reply = read_last(&transport, commands, deadline, trouble);
    sdi_buffer_free(&out);
    sdi_redis_transport_close(&transport);
    return reply;
}
