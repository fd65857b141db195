#include "cache/memcached/handle.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/poll.h"
#include "cache/memcached/ring.h"

bool sdi_memcached_handle_init(sdi_memcached_handle *handle, sdi_memcached_ring *ring)
{
    *handle = (sdi_memcached_handle){
        .ring = ring,
        .links = sdi_calloc(ring->count, sizeof *handle->links),
        .polled = sdi_calloc(ring->count, sizeof *handle->polled),
    };
    for (size_t i = 0; handle->links && i < ring->count; i++)
        sdi_memcached_link_init(&handle->links[i]);
    return handle->links && handle->polled;
}

void sdi_memcached_handle_free(sdi_memcached_handle *handle)
{
    for (size_t i = 0; handle->links && i < handle->ring->count; i++)
        sdi_memcached_link_close(&handle->links[i]);
    sdi_free(handle->links);
    sdi_free(handle->polled);
}

/* The breaker is asked once while the handle is taken: whoever was given leave reports when it is given back. */
static bool may_ask(sdi_memcached_handle *handle, size_t server)
{
    sdi_memcached_link *link = &handle->links[server];
    if (!link->asked) {
        link->asked = true;
        link->shut = !sdi_breaker_allows(&handle->ring->breakers[server], sdi_now());
    }
    return !link->shut && link->outcome == SDI_MEMCACHED_DONE;
}

static void ask_all(sdi_memcached_handle *handle, sdi_memcached_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        requests[i].answer = SDI_MEMCACHED_NOTHING;
        requests[i].block = NULL;
        if (may_ask(handle, requests[i].server))
            sdi_memcached_link_ask(&handle->links[requests[i].server], &requests[i]);
    }
}

/* Fills the poll set; the earliest moment at which something has to be given up. */
static int64_t fill_polled(sdi_memcached_handle *handle, int64_t deadline, size_t *waiting)
{
    int64_t until = deadline;
    *waiting = 0;
    for (size_t i = 0; i < handle->ring->count; i++) {
        const sdi_memcached_link *link = &handle->links[i];
        short events = sdi_memcached_link_events(link);
        handle->polled[i] = (struct pollfd){.fd = events ? link->fd : -1, .events = events};
        *waiting += events != 0;
        if (events && link->connecting && link->connect_by < until)
            until = link->connect_by;
    }
    return until;
}

static void give_up_late(sdi_memcached_handle *handle, int64_t deadline)
{
    int64_t now = sdi_now();
    for (size_t i = 0; i < handle->ring->count; i++) {
        sdi_memcached_link *link = &handle->links[i];
        if (!sdi_memcached_link_events(link))
            continue;
        if (link->connecting && now >= link->connect_by)
            sdi_memcached_link_fail(link, SDI_CACHE_FAULT_CONNECT);
        else if (now >= deadline || sdi_interrupted())
            sdi_memcached_link_fail(link, SDI_CACHE_FAULT_TIMEOUT);
    }
}

static void advance_all(sdi_memcached_handle *handle)
{
    const sdi_memcached_ring *ring = handle->ring;
    for (size_t i = 0; i < ring->count; i++)
        if (handle->polled[i].revents)
            sdi_memcached_link_advance(&handle->links[i], &ring->addresses[i], ring->value_max);
}

static void begin_all(sdi_memcached_handle *handle)
{
    const sdi_memcached_ring *ring = handle->ring;
    int64_t connect_by = sdi_deadline_in(ring->connect_timeout_ms);
    for (size_t i = 0; i < ring->count; i++)
        if (handle->links[i].waiting)
            sdi_memcached_link_begin(&handle->links[i], &ring->addresses[i], connect_by);
}

/* Reads what has come by now of links that have sent all they had; how many still wait for an answer. One that connects
 * is none that answers soon: then nothing is looked for. */
static size_t read_some(sdi_memcached_handle *handle)
{
    const sdi_memcached_ring *ring = handle->ring;
    size_t waiting = 0;
    for (size_t i = 0; i < ring->count; i++) {
        sdi_memcached_link *link = &handle->links[i];
        if (sdi_memcached_link_events(link) == POLLIN)
            sdi_memcached_link_advance(link, &ring->addresses[i], ring->value_max);
        short events = sdi_memcached_link_events(link);
        if (events & POLLOUT)
            return 0;
        waiting += events != 0;
    }
    return waiting;
}

/* Looks for the answers for a moment before sleeping until they come. */
static bool look(sdi_memcached_handle *handle, int64_t since)
{
    sdi_busy_poll *busy_poll = &handle->ring->busy_poll;
    if (!sdi_busy_poll_begin(busy_poll))
        return false;
    while (read_some(handle) && sdi_busy_poll_again(since))
        continue;
    sdi_busy_poll_end(busy_poll);
    return true;
}

static void wait_for_all(sdi_memcached_handle *handle, int64_t deadline)
{
    size_t waiting;
    for (;;) {
        int64_t until = fill_polled(handle, deadline, &waiting);
        if (!waiting)
            return;
        if (sdi_poll(handle->polled, handle->ring->count, until) > 0)
            advance_all(handle);
        /* Also after progress: a server that trickles must not outlast the deadline. */
        give_up_late(handle, deadline);
    }
}

/* Of a link that failed nothing is believed: what came after may show that its answers were not to these requests. */
static void disbelieve_failed(sdi_memcached_handle *handle, sdi_memcached_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (handle->links[requests[i].server].outcome == SDI_MEMCACHED_DONE)
            continue;
        sdi_free(requests[i].block);
        requests[i].block = NULL;
        requests[i].answer = SDI_MEMCACHED_NOTHING;
    }
}

void sdi_memcached_exchange(sdi_memcached_handle *handle, sdi_memcached_request *requests, size_t count,
                            int64_t deadline)
{
    ask_all(handle, requests, count);
    begin_all(handle);
    int64_t since = sdi_now();
    bool looked = look(handle, since);
    wait_for_all(handle, deadline);
    if (looked)
        sdi_busy_poll_learn(&handle->ring->busy_poll, sdi_now() - since);
    disbelieve_failed(handle, requests, count);
}
