#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"

/* Segments as on an Ethernet: over loopback they are so long that a megabyte goes into a socket at once. */
enum { LINES = 64, CHUNK = 16384, SEGMENT = 1400 };

/* One direction of a line. */
typedef struct way {
    int from, to;
    char held[CHUNK];
    size_t length, passed; /* passed: bytes since the line was struck */
    bool ended;            /* `from` says no more */
    bool deaf;             /* what it says goes nowhere any more */
    bool still;            /* it is not heard, until the proxy is healed */
} way;

typedef struct line {
    int client, server; /* -1: ended */
    way requests, answers;
    bool struck, happened, floods;
    size_t said; /* of the text */
} line;

struct proxy {
    struct sockaddr_in server;
    int listener, port, wake;
    pthread_t thread;
    pthread_mutex_t lock; /* held but while the thread waits */
    proxy_fault fault;
    char text[CHUNK]; /* the fault's; of a flood many times over */
    size_t length, strikes, happened;
    bool closing;
    line *lines[LINES];
    size_t count;
};

/* ----------------------------------------------------------------------------------------------------------- lines */

static void set_option(int fd, int level, int option, struct linger value)
{
    setsockopt(fd, level, option, &value, level == SOL_SOCKET ? sizeof value : sizeof value.l_onoff);
}

static int connected(const struct sockaddr_in *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool strikes_all(const proxy_fault *fault)
{
    return fault->kind != PROXY_PASS && !fault->word;
}

static void begin_line(proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC), server;
    if (client < 0)
        return;
    if (p->count == LINES || (server = connected(&p->server)) < 0) {
        close(client);
        return;
    }
    set_option(client, IPPROTO_TCP, TCP_NODELAY, (struct linger){.l_onoff = 1});
    set_option(server, IPPROTO_TCP, TCP_NODELAY, (struct linger){.l_onoff = 1});
    line *made = calloc(1, sizeof *made);
    ck_assert_ptr_nonnull(made);
    made->client = made->requests.from = made->answers.to = client;
    made->server = made->requests.to = made->answers.from = server;
    made->struck = strikes_all(&p->fault);
    p->lines[p->count++] = made;
}

static void end_line(line *at)
{
    close(at->client);
    close(at->server);
    at->client = at->server = -1;
}

static void reset_line(line *at)
{
    set_option(at->client, SOL_SOCKET, SO_LINGER, (struct linger){.l_onoff = 1});
    set_option(at->server, SOL_SOCKET, SO_LINGER, (struct linger){.l_onoff = 1});
    end_line(at);
}

static bool has_ended(const line *at)
{
    return at->client < 0;
}

static void forget_ended(proxy *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (has_ended(p->lines[i]))
            free(p->lines[i]);
        else
            p->lines[kept++] = p->lines[i];
    p->count = kept;
}

/* ---------------------------------------------------------------------------------------------------------- faults */

static void strike_line(line *at)
{
    at->struck = true;
    at->requests.passed = at->answers.passed = 0;
}

static void listen_for_word(proxy *p, line *at, const char *bytes, size_t length)
{
    const proxy_fault *fault = &p->fault;
    if (at->struck || !fault->word || p->strikes == fault->lines ||
        !memmem(bytes, length, fault->word, strlen(fault->word)))
        return;
    p->strikes++;
    strike_line(at);
}

static way *struck_way(line *at, enum proxy_kind kind)
{
    bool asks = kind == PROXY_STALL_REQUEST || kind == PROXY_SHUT_REQUEST || kind == PROXY_RESET_REQUEST ||
                kind == PROXY_HANG_UP;
    return asks ? &at->requests : &at->answers;
}

/* Something comes, or is held, that the fault does not let pass: now it happens. */
static bool is_due(const proxy *p, line *at, const way *direction)
{
    return at->struck && !at->happened && p->fault.kind > PROXY_BYTE_BY_BYTE &&
           direction == struck_way(at, p->fault.kind) && direction->passed >= p->fault.after && direction->length;
}

static void happen(proxy *p, line *at, way *direction)
{
    at->happened = true;
    p->happened++;
    switch (p->fault.kind) {
    case PROXY_STALL_ANSWER:
    case PROXY_STALL_REQUEST:
        direction->still = true;
        break;
    case PROXY_SHUT_ANSWER:
    case PROXY_SHUT_REQUEST:
        shutdown(direction->to, SHUT_WR);
        direction->deaf = true;
        break;
    case PROXY_RESET_ANSWER:
    case PROXY_RESET_REQUEST:
        reset_line(at);
        break;
    case PROXY_HANG_UP:
        end_line(at);
        break;
    default:
        direction->deaf = at->floods = true;
        at->said = 0;
    }
}

/* As much as is taken now; others wait their turn. */
static void flood(proxy *p, line *at)
{
    ssize_t count = send(at->client, p->text + at->said, p->length - at->said, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN)
        end_line(at);
    if (count < 0)
        return;
    at->said += (size_t)count;
    if (at->said == p->length) {
        at->said = 0;
        at->floods = p->fault.kind == PROXY_FLOOD;
    }
}

/* --------------------------------------------------------------------------------------------------------- passing */

static size_t allowance(const proxy *p, line *at, const way *direction)
{
    const proxy_fault *fault = &p->fault;
    size_t most = direction->length;
    if (!at->struck || at->happened)
        return most;
    if (fault->kind == PROXY_BYTE_BY_BYTE)
        return most > 1 ? 1 : most;
    if (fault->kind == PROXY_PASS || direction != struck_way(at, fault->kind))
        return most;
    size_t left = fault->after > direction->passed ? fault->after - direction->passed : 0;
    return most < left ? most : left;
}

static void hear(proxy *p, line *at, way *direction)
{
    char *end = direction->held + direction->length;
    ssize_t count = recv(direction->from, end, CHUNK - direction->length, MSG_DONTWAIT);
    if (count < 0) {
        if (errno != EAGAIN)
            reset_line(at);
        return;
    }
    if (direction == &at->requests)
        listen_for_word(p, at, end, (size_t)count);
    direction->length += (size_t)count;
    direction->ended = count == 0;
}

static void tell(proxy *p, line *at, way *direction)
{
    size_t allowed;
    while (!direction->deaf && (allowed = allowance(p, at, direction)) > 0) {
        ssize_t count = send(direction->to, direction->held, allowed, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            reset_line(at);
        if (count < 0)
            return;
        direction->passed += (size_t)count;
        direction->length -= (size_t)count;
        memmove(direction->held, direction->held + count, direction->length);
    }
}

static void carry(proxy *p, line *at, way *direction, bool readable)
{
    if (direction->still)
        return;
    if (readable)
        hear(p, at, direction);
    if (!has_ended(at))
        tell(p, at, direction);
    if (!has_ended(at) && is_due(p, at, direction))
        happen(p, at, direction);
    if (has_ended(at))
        return;
    if (direction->deaf)
        direction->length = 0;
    else if (direction->ended && !direction->length) {
        shutdown(direction->to, SHUT_WR);
        direction->deaf = true;
    }
}

static void attend(proxy *p, line *at, bool asks, bool answers)
{
    carry(p, at, &at->requests, asks);
    if (!has_ended(at))
        carry(p, at, &at->answers, answers);
    if (!has_ended(at) && at->floods)
        flood(p, at);
    if (!has_ended(at) && at->requests.ended && at->answers.ended && !at->answers.length && !at->requests.length)
        end_line(at);
}

/* ---------------------------------------------------------------------------------------------------------- thread */

static bool listens(const way *direction)
{
    return !direction->ended && !direction->still && direction->length < CHUNK;
}

/* poll would return at once for an end that is heard no more, but has been hung up. */
static struct pollfd watched(int fd, const way *hears, bool tells)
{
    short events = (short)((listens(hears) ? POLLIN : 0) | (tells ? POLLOUT : 0));
    return (struct pollfd){.fd = events ? fd : -1, .events = events};
}

static size_t watch(proxy *p, struct pollfd *polled)
{
    size_t count = 0;
    polled[count++] = (struct pollfd){.fd = p->wake, .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (size_t i = 0; i < p->count; i++) {
        line *at = p->lines[i];
        bool answers = at->floods || (at->answers.length && !at->answers.still);
        polled[count++] = watched(at->client, &at->requests, answers);
        polled[count++] = watched(at->server, &at->answers, at->requests.length && !at->requests.still);
    }
    return count;
}

static void attend_all(proxy *p, const struct pollfd *polled)
{
    uint64_t woken;
    if (polled[0].revents && read(p->wake, &woken, sizeof woken) < 0)
        ck_abort_msg("the proxy's bell: %s", strerror(errno));
    for (size_t i = 0; i < p->count; i++)
        attend(p, p->lines[i], polled[2 + 2 * i].revents & ~POLLOUT, polled[3 + 2 * i].revents & ~POLLOUT);
    forget_ended(p);
    if (polled[1].revents)
        begin_line(p);
}

static void *serve(void *argument)
{
    proxy *p = argument;
    struct pollfd polled[2 + 2 * LINES];
    pthread_mutex_lock(&p->lock);
    while (!p->closing) {
        size_t count = watch(p, polled);
        pthread_mutex_unlock(&p->lock);
        poll(polled, count, -1);
        pthread_mutex_lock(&p->lock);
        attend_all(p, polled);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void wake_up(proxy *p)
{
    uint64_t one = 1;
    ck_assert_int_eq(write(p->wake, &one, sizeof one), sizeof one);
}

proxy *proxy_open(const char *host, int port)
{
    proxy *p = calloc(1, sizeof *p);
    ck_assert_ptr_nonnull(p);
    p->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    ck_assert_int_eq(inet_pton(AF_INET, host, &p->server.sin_addr), 1);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof own;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set_option(p->listener, IPPROTO_TCP, TCP_MAXSEG, (struct linger){.l_onoff = SEGMENT});
    ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&own, size), 0);
    ck_assert_int_eq(listen(p->listener, LINES), 0);
    ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *)&own, &size), 0);
    p->port = ntohs(own.sin_port);
    p->wake = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&p->lock, NULL);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, serve, p), 0);
    return p;
}

void proxy_close(proxy *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    wake_up(p);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < p->count; i++) {
        end_line(p->lines[i]);
        free(p->lines[i]);
    }
    close(p->listener);
    close(p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int proxy_port(const proxy *p)
{
    return p->port;
}

void proxy_strike(proxy *p, const proxy_fault *fault)
{
    pthread_mutex_lock(&p->lock);
    p->fault = *fault;
    p->strikes = p->length = 0;
    do {
        if (fault->length)
            memcpy(p->text + p->length, fault->text, fault->length);
        p->length += fault->length;
    } while (fault->kind == PROXY_FLOOD && p->length + fault->length < CHUNK);
    for (size_t i = 0; strikes_all(fault) && i < p->count; i++)
        strike_line(p->lines[i]);
    pthread_mutex_unlock(&p->lock);
}

void proxy_heal(proxy *p)
{
    pthread_mutex_lock(&p->lock);
    p->fault = (proxy_fault){.kind = PROXY_PASS};
    for (size_t i = 0; i < p->count; i++) {
        line *at = p->lines[i];
        at->struck = at->happened = at->floods = false;
        at->requests.still = at->answers.still = false;
    }
    wake_up(p);
    pthread_mutex_unlock(&p->lock);
}

size_t proxy_happened(proxy *p)
{
    pthread_mutex_lock(&p->lock);
    size_t happened = p->happened;
    pthread_mutex_unlock(&p->lock);
    return happened;
}
