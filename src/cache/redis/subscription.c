#include "cache/redis/subscription.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/poll.h"
#include "base/proving.h"
#include "base/random.h"
#include "base/thread.h"
#include "cache/redis/primary.h"
#include "cache/redis/push.h"

enum {
    STACK_SIZE = 256 * 1024,
    RECEIVE_AT_ONCE = 16384,
    SILENCE_MS = 2000,  /* a beat that is not answered for so long: the connection is dead */
    UNWANTED_MS = 1000, /* nobody wanted to know for so long: the beats rest */
    REST_MS = 1000,     /* between two beats then */
    PAUSE_MS = 20,      /* before connecting again, twice as long each time */
    PAUSE_MAX_MS = 1000,
    REFUSED_MAX_MS = 30000, /* where the server does not let us listen, which will not change soon */
    JITTER_PERCENT = 50,
};

struct sdi_redis_subscription {
    sdi_redis_primary primary;
    const sdi_cache_listener *listener;
    sdi_redis_connection connection;
    sdi_buffer received;
    size_t unanswered; /* answers that are still to come before the next beat */
    int64_t beat_at;   /* when the last one was sent; 0: none is under way */
    int64_t moment;    /* that, by sdi_uptime */
    int64_t next_beat;
    int64_t wanted_at; /* when somebody last wanted to know */
    int64_t pause_ms;
    bool greeted; /* HELLO was answered */
    bool began;   /* the listener was told so */
    bool refused;
    int wake; /* an eventfd: something of what follows has changed */
    atomic_bool resting, ending;
    pthread_t thread;
};

/* What the connection says goes out when it can: it is little, and follows on an answer. */
static bool send_some(sdi_redis_subscription *s)
{
    sdi_redis_connection *c = &s->connection;
    while (c->sent < c->out.length) {
        ssize_t count =
            sdi_redis_transport_send(&c->transport, c->out.data + c->sent, c->out.length - c->sent, &c->trouble);
        if (count <= 0)
            return count == 0;
        c->sent += (size_t)count;
    }
    return !c->out.failed;
}

static void say_nothing(sdi_redis_connection *connection)
{
    sdi_buffer_clear(&connection->out);
    connection->sent = 0;
}

/* The answer to HELLO is the first, and no message comes before it. */
static bool greet(sdi_redis_subscription *s)
{
    say_nothing(&s->connection);
    sdi_buffer_clear(&s->received);
    sdi_redis_command(&s->connection.out, "HELLO", "3", (char *)NULL);
    sdi_redis_command(&s->connection.out, "SUBSCRIBE", s->listener->channel, (char *)NULL);
    s->unanswered = 1;
    s->beat_at = s->next_beat = s->wanted_at = sdi_now();
    return send_some(s);
}

static int64_t next_after(sdi_redis_subscription *s, int64_t now)
{
    int64_t interval_ms = s->listener->interval_ms;
    if (s->listener->wanted(s->listener->context))
        s->wanted_at = now;
    bool rests = interval_ms < REST_MS && now - s->wanted_at > UNWANTED_MS * INT64_C(1000);
    atomic_store(&s->resting, rests);
    return now + (rests ? REST_MS : interval_ms) * INT64_C(1000);
}

/* The moment is from before the command is sent. */
static bool beat(sdi_redis_subscription *s, int64_t now)
{
    if (s->connection.sent == s->connection.out.length)
        say_nothing(&s->connection);
    s->beat_at = now;
    s->moment = sdi_uptime();
    s->next_beat = next_after(s, now);
    if (SDI_RULE(local_primary)) {
        sdi_redis_format_probe(&s->connection.out, s->primary.access.settings->key_prefix);
        s->unanswered++;
    }
    sdi_redis_command(&s->connection.out, "PING", (char *)NULL);
    s->unanswered++;
    return send_some(s);
}

/* "message" and its channel and text; or that the subscription is in force. */
static void take_message(sdi_redis_subscription *s, const sdi_redis_push *push)
{
    if (push->count < SDI_REDIS_PUSH_PARTS)
        return;
    if (sdi_slice_equal(push->parts[0], sdi_slice_of("message"))) {
        s->listener->heard(s->listener->context, push->parts[2]);
    } else if (sdi_slice_equal(push->parts[0], sdi_slice_of("subscribe"))) {
        s->began = true;
        s->pause_ms = PAUSE_MS;
        s->listener->began(s->listener->context);
    }
}

/* Whatever is refused, this is no connection to listen on. */
static bool take_refusal(sdi_redis_subscription *s, sdi_slice said)
{
    const char *what = !s->greeted ? "HELLO 3 (Redis 6 or newer)" : !s->began ? "SUBSCRIBE" : "a beat";
    s->refused = !s->began;
    return sdi_redis_tell(&s->connection.trouble, false, "%s was refused: %.*s", what, (int)said.length, said.data);
}

static bool take(sdi_redis_subscription *s, const sdi_redis_push *push)
{
    SDI_STEP(hear);
    if (push->type == '>') {
        take_message(s, push);
        return true;
    }
    if (push->type == '-')
        return take_refusal(s, push->count ? push->parts[0] : sdi_slice_of(""));
    if (s->unanswered == 0)
        return sdi_redis_tell(&s->connection.trouble, false, "it answers what was not asked");
    s->greeted = true;
    if (--s->unanswered == 0) {
        if (s->began)
            s->listener->confirmed(s->listener->context, s->moment);
        s->beat_at = 0;
    }
    return true;
}

static bool take_all(sdi_redis_subscription *s)
{
    sdi_buffer *received = &s->received;
    sdi_redis_push push;
    size_t at = 0, used;
    while (at < received->length &&
           (used = sdi_redis_push_read(received->data + at, received->length - at, &push)) > 0) {
        if (used == SIZE_MAX)
            return sdi_redis_tell(&s->connection.trouble, false, "it does not speak RESP3");
        at += used;
        if (!take(s, &push))
            return false;
    }
    memmove(received->data, received->data + at, received->length - at);
    received->length -= at;
    return true;
}

static bool receive(sdi_redis_subscription *s)
{
    char bytes[RECEIVE_AT_ONCE];
    ssize_t count;
    while ((count = sdi_redis_transport_receive(&s->connection.transport, bytes, sizeof bytes,
                                                &s->connection.trouble)) > 0) {
        sdi_buffer_append(&s->received, bytes, (size_t)count);
        if (s->received.failed || !take_all(s))
            return false;
    }
    return count == 0;
}

static bool is_silent(const sdi_redis_subscription *s, int64_t now)
{
    return s->beat_at && now - s->beat_at > SILENCE_MS * INT64_C(1000);
}

/* Until there is something to do, or who roused this thread wants something of it. */
static void wait(sdi_redis_subscription *s, int64_t deadline)
{
    const sdi_redis_connection *c = &s->connection;
    struct pollfd polled[] = {{.fd = s->wake, .events = POLLIN}, {.fd = c->transport.fd}};
    polled[1].events = c->transport.receive_waits;
    if (c->sent < c->out.length)
        polled[1].events |= c->transport.send_waits;
    sdi_poll(polled, c->transport.fd < 0 ? 1 : 2, deadline);
    eventfd_t times;
    if (polled[0].revents && eventfd_read(s->wake, &times) == 0)
        s->next_beat = sdi_now();
}

static bool go_on(sdi_redis_subscription *s)
{
    int64_t now = sdi_now();
    if (is_silent(s, now))
        return sdi_redis_tell(&s->connection.trouble, false, "no answer for %d ms", SILENCE_MS);
    if (!s->beat_at && now >= s->next_beat && !beat(s, now))
        return false;
    wait(s, s->beat_at ? s->beat_at + SILENCE_MS * INT64_C(1000) + 1 : s->next_beat);
    return send_some(s) && receive(s);
}

static void rouse(const sdi_redis_subscription *s)
{
    while (eventfd_write(s->wake, 1) < 0 && errno == EINTR)
        continue;
}

void sdi_redis_subscription_rouse(sdi_redis_subscription *s)
{
    if (s && atomic_load_explicit(&s->resting, memory_order_relaxed) && atomic_exchange(&s->resting, false))
        rouse(s);
}

static bool connect_again(sdi_redis_subscription *s)
{
    int64_t deadline = sdi_deadline_in(s->primary.access.settings->connect_timeout_ms);
    return sdi_redis_connect_primary(&s->primary, &s->connection, deadline) == SDI_REDIS_DONE;
}

/* One connection from its begin to its end. */
static void follow(sdi_redis_subscription *s)
{
    s->greeted = s->refused = false;
    bool stands = connect_again(s) && greet(s);
    while (stands && !atomic_load(&s->ending))
        stands = go_on(s);
    sdi_redis_disconnect(&s->connection);
    s->began = false;
    if (!atomic_load(&s->ending))
        s->listener->lost(s->listener->context, s->connection.trouble.text);
}

static void *listen_on(void *argument)
{
    sdi_redis_subscription *s = argument;
    while (!atomic_load(&s->ending)) {
        follow(s);
        if (atomic_load(&s->ending))
            break;
        int64_t most_ms = s->refused ? REFUSED_MAX_MS : PAUSE_MAX_MS;
        wait(s, sdi_now() + sdi_jitter(s->pause_ms * 1000, JITTER_PERCENT));
        s->pause_ms = s->pause_ms * 2 < most_ms ? s->pause_ms * 2 : most_ms;
    }
    return NULL;
}

static void free_subscription(sdi_redis_subscription *s)
{
    sdi_redis_disconnect(&s->connection);
    sdi_buffer_free(&s->received);
    if (s->wake >= 0)
        close(s->wake);
    sdi_free(s);
}

sdi_redis_subscription *sdi_redis_subscription_begin(sdi_redis_access access, const sdi_cache_listener *listener)
{
    sdi_redis_subscription *s = sdi_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->primary.access = access;
    s->listener = listener;
    s->connection.transport.fd = -1;
    s->pause_ms = PAUSE_MS;
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake >= 0 && sdi_thread_start(&s->thread, STACK_SIZE, listen_on, s))
        return s;
    free_subscription(s);
    return NULL;
}

void sdi_redis_subscription_end(sdi_redis_subscription *s)
{
    if (!s)
        return;
    atomic_store(&s->ending, true);
    rouse(s);
    pthread_join(s->thread, NULL);
    free_subscription(s);
}

void sdi_redis_subscription_abandon(sdi_redis_subscription *s)
{
    if (!s)
        return;
    if (s->connection.transport.fd >= 0)
        close(s->connection.transport.fd);
    close(s->wake);
}
