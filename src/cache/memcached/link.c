#include "cache/memcached/link.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cache/socket.h"

enum {
    RECEIVE_AT_ONCE = 16384,
    ROOM_KEPT = 1 << 16,
    TRUSTED_US = 10000, /* a connection used so shortly ago is not looked at before it is used again */
};

void sdi_memcached_link_init(sdi_memcached_link *link)
{
    *link = (sdi_memcached_link){.fd = -1, .outcome = SDI_MEMCACHED_DONE, .last = &link->waiting};
}

static void forget_addresses(sdi_memcached_link *link)
{
    if (link->found)
        freeaddrinfo(link->found);
    link->found = link->at = NULL;
    link->connecting = false;
}

static void forget_waiting(sdi_memcached_link *link)
{
    link->waiting = link->expected = NULL;
    link->last = &link->waiting;
    link->sent = 0;
    link->heard = link->once = false;
    sdi_buffer_clear(&link->out);
    if (link->out.failed || link->out.capacity > ROOM_KEPT)
        sdi_buffer_free(&link->out);
}

static void disconnect(sdi_memcached_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->used = false;
    forget_addresses(link);
    sdi_buffer_free(&link->in);
}

void sdi_memcached_link_close(sdi_memcached_link *link)
{
    disconnect(link);
    forget_waiting(link);
    sdi_buffer_free(&link->out);
}

void sdi_memcached_link_fail(sdi_memcached_link *link, int outcome)
{
    sdi_memcached_link_close(link);
    link->outcome = outcome;
}

void sdi_memcached_link_ask(sdi_memcached_link *link, sdi_memcached_request *request)
{
    sdi_memcached_format(&link->out, request);
    link->once |= request->verb == SDI_MEMCACHED_CAS;
    request->next = NULL;
    *link->last = request;
    link->last = &request->next;
}

/* ------------------------------------------------------------------------------------------------------ connecting */

/* Begins to connect; false if that failed at once. */
static bool try_address(sdi_memcached_link *link, const struct sockaddr *address, socklen_t length)
{
    link->fd = sdi_socket_begin(address, length);
    link->connecting = link->fd >= 0;
    return link->connecting;
}

/* A name may have several addresses: one after the other is tried. */
static void try_next(sdi_memcached_link *link)
{
    while (link->at) {
        const struct addrinfo *tried = link->at;
        link->at = tried->ai_next;
        if (try_address(link, tried->ai_addr, tried->ai_addrlen))
            return;
    }
    sdi_memcached_link_fail(link, SDI_CACHE_FAULT_CONNECT);
}

static void connect_local(sdi_memcached_link *link, const char *path)
{
    struct sockaddr_un address;
    if (!sdi_socket_local(path, &address) || !try_address(link, (const struct sockaddr *)&address, sizeof address))
        sdi_memcached_link_fail(link, SDI_CACHE_FAULT_CONNECT);
}

static void begin_connecting(sdi_memcached_link *link, const sdi_address *address)
{
    if (*address->host == '/') {
        connect_local(link, address->host);
        return;
    }
    if (sdi_socket_find(address, &link->found) != 0)
        link->found = NULL;
    link->at = link->found;
    try_next(link);
}

static void finish_connecting(sdi_memcached_link *link)
{
    if (sdi_socket_fault(link->fd) == 0) {
        forget_addresses(link);
        link->patience = sdi_socket_make_patient(link->fd);
        return;
    }
    close(link->fd);
    link->fd = -1;
    try_next(link);
}

/* --------------------------------------------------------------------------------------------- sending and reading */

/* False when the connection is lost. */
static bool send_some(sdi_memcached_link *link)
{
    while (link->sent < link->out.length) {
        ssize_t count =
            send(link->fd, link->out.data + link->sent, link->out.length - link->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0)
            return sdi_socket_would_block();
        link->sent += (size_t)count;
    }
    return true;
}

static bool keep_value(sdi_memcached_request *request, const sdi_memcached_answer *answer)
{
    request->block = sdi_malloc(request->headroom + answer->value.length + 1);
    if (!request->block)
        return false;
    memcpy(request->block + request->headroom, answer->value.data, answer->value.length);
    request->block[request->headroom + answer->value.length] = '\0';
    request->length = answer->value.length;
    return true;
}

/* A SET that the server has no room for is one that was evicted at once (it forgets what was there before). Of others
 * it has to be known that they were done. */
static int judge(const sdi_memcached_request *request, enum sdi_memcached_parsed parsed,
                 enum sdi_memcached_answer_kind kind)
{
    if (parsed == SDI_MEMCACHED_MALFORMED)
        return SDI_CACHE_FAULT_PROTOCOL;
    bool refused = kind == SDI_MEMCACHED_REFUSED && request->verb != SDI_MEMCACHED_SET;
    return parsed == SDI_MEMCACHED_ERROR || refused ? SDI_CACHE_FAULT_REJECTED : SDI_MEMCACHED_DONE;
}

/* The request that the bytes answer: the first that waits; of those asked in one command, the one whose value begins
 * here. A server answers them in order, a proxy may not. */
static sdi_memcached_request *answered_by(const sdi_memcached_link *link, sdi_slice bytes)
{
    sdi_memcached_request *first = link->waiting;
    sdi_slice key = first->more ? sdi_memcached_value_key(bytes) : (sdi_slice){NULL, 0};
    if (!key.data)
        return first;
    sdi_memcached_request *begin = link->expected ? link->expected : first, *at = begin;
    do {
        if (at->answer == SDI_MEMCACHED_NOTHING && sdi_slice_equal(at->key, key))
            return at;
        at = at->more ? at->next : first;
    } while (at != begin);
    return first;
}

/* Those asked in one command are over together; what it gave no value for is missing. */
static void end_answered(sdi_memcached_link *link)
{
    bool more = true;
    for (; more; link->waiting = link->waiting->next) {
        more = link->waiting->more;
        if (link->waiting->answer == SDI_MEMCACHED_NOTHING)
            link->waiting->answer = SDI_MEMCACHED_MISSING;
    }
    link->expected = NULL;
}

/* What a good answer says of its request. */
static int take_in(sdi_memcached_link *link, sdi_memcached_request *request, const sdi_memcached_answer *answer)
{
    bool grouped = request->follows || request->more;
    if (answer->kind == SDI_MEMCACHED_VALUE && request->answer != SDI_MEMCACHED_NOTHING)
        return SDI_CACHE_FAULT_PROTOCOL; /* it came before */
    if (answer->kind == SDI_MEMCACHED_VALUE && !keep_value(request, answer))
        return SDI_MEMCACHED_NO_MEMORY;
    if (!grouped || answer->kind == SDI_MEMCACHED_VALUE) {
        request->answer = answer->kind;
        request->cas = answer->cas;
    }
    if (grouped && answer->kind == SDI_MEMCACHED_VALUE)
        link->expected = request->more ? request->next : NULL;
    else
        end_answered(link);
    return SDI_MEMCACHED_DONE;
}

/* Reads one answer at the beginning of `bytes`; how many it took, 0 if it is not complete or the link has failed. */
static size_t take_answer(sdi_memcached_link *link, sdi_slice bytes, size_t value_max)
{
    sdi_memcached_request *request = answered_by(link, bytes);
    sdi_memcached_answer answer;
    enum sdi_memcached_parsed parsed = sdi_memcached_parse(request, bytes, value_max, &answer);
    if (parsed == SDI_MEMCACHED_INCOMPLETE) {
        if (!sdi_buffer_reserve(&link->in, answer.length - bytes.length))
            sdi_memcached_link_fail(link, SDI_MEMCACHED_NO_MEMORY);
        return 0;
    }
    int outcome = judge(request, parsed, answer.kind);
    if (outcome == SDI_MEMCACHED_DONE)
        outcome = take_in(link, request, &answer);
    if (outcome != SDI_MEMCACHED_DONE) {
        sdi_memcached_link_fail(link, outcome);
        return 0;
    }
    link->heard = true;
    return answer.length;
}

/* A value that is too large is refused before all of it is sent: the last answer waits until it is. */
static bool may_take(const sdi_memcached_link *link)
{
    return link->waiting && (link->waiting->next || link->sent == link->out.length);
}

static void finish(sdi_memcached_link *link)
{
    if (link->in.length > 0) {
        sdi_memcached_link_fail(link, SDI_CACHE_FAULT_PROTOCOL); /* more than was asked for */
        return;
    }
    link->used = true;
    link->answered = sdi_now();
    forget_waiting(link);
    if (link->in.capacity > ROOM_KEPT)
        sdi_buffer_free(&link->in);
}

/* What is left of `in` behind the answers moves to the front. */
static void take_answers(sdi_memcached_link *link, size_t value_max)
{
    size_t at = 0, taken;
    while (may_take(link) &&
           (taken = take_answer(link, (sdi_slice){link->in.data + at, link->in.length - at}, value_max)) > 0)
        at += taken;
    if (link->fd < 0 || at == 0)
        return;
    memmove(link->in.data, link->in.data + at, link->in.length - at);
    link->in.length -= at;
    if (!link->waiting)
        finish(link);
}

/* A server that was restarted, or that closes idle connections, is met by one more try on a fresh connection, if
 * nothing of the answers had come. The requests may have been carried out all the same: SET, DELETE and GET end the
 * same when repeated, and an ADD that finds its own placeholder is answered as if another had been there first: the
 * caller stores nothing. A CAS is not sent again: its number is of a server that may have been restarted since. */
static void meet_loss(sdi_memcached_link *link, const sdi_address *address)
{
    if (!link->used || link->heard || link->once) {
        sdi_memcached_link_fail(link, SDI_CACHE_FAULT_LOST);
        return;
    }
    disconnect(link);
    link->sent = 0;
    begin_connecting(link, address);
}

/* Whatever a server does to a connection in the moment before it is used, it may as well do in the moment after. */
static bool is_good(const sdi_memcached_link *link)
{
    bool trusted = link->fd >= 0 && link->used && sdi_now() - link->answered < TRUSTED_US;
    return trusted || sdi_socket_is_quiet(link->fd);
}

void sdi_memcached_link_begin(sdi_memcached_link *link, const sdi_address *address, int64_t connect_by)
{
    if (link->out.failed) {
        sdi_memcached_link_fail(link, SDI_MEMCACHED_NO_MEMORY);
        return;
    }
    link->connect_by = connect_by;
    if (!is_good(link)) {
        disconnect(link);
        begin_connecting(link, address);
    } else if (!send_some(link)) {
        meet_loss(link, address);
    }
}

static void receive_some(sdi_memcached_link *link, const sdi_address *address, size_t value_max, int flags)
{
    char bytes[RECEIVE_AT_ONCE];
    ssize_t count = recv(link->fd, bytes, sizeof bytes, flags);
    if (count == 0 || (count < 0 && !sdi_socket_would_block())) {
        meet_loss(link, address);
        return;
    }
    if (count > 0)
        sdi_buffer_append(&link->in, bytes, (size_t)count);
    if (link->in.failed)
        sdi_memcached_link_fail(link, SDI_MEMCACHED_NO_MEMORY);
    else
        take_answers(link, value_max);
}

short sdi_memcached_link_events(const sdi_memcached_link *link)
{
    if (!link->waiting || link->fd < 0)
        return 0;
    if (link->connecting)
        return POLLOUT;
    return link->sent < link->out.length ? POLLIN | POLLOUT : POLLIN;
}

/* Answers are read while requests are still being sent: neither side then waits for the other to read. */
void sdi_memcached_link_advance(sdi_memcached_link *link, const sdi_address *address, size_t value_max)
{
    if (link->connecting)
        finish_connecting(link);
    if (link->fd < 0 || link->connecting)
        return;
    if (send_some(link))
        receive_some(link, address, value_max, MSG_DONTWAIT);
    else
        meet_loss(link, address);
}

void sdi_memcached_link_await(sdi_memcached_link *link, const sdi_address *address, size_t value_max)
{
    receive_some(link, address, value_max, 0);
}
