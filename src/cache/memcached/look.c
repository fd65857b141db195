#include "cache/memcached/look.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/poll.h"
#include "cache/memcached/ring.h"
#include "cache/trouble.h"

enum {
    KEYS_MOST = 64, /* in a command: a server answers what it is asked in one go, and of commands twenty */
    PARTS = 4,      /* servers: their parts are on the stack */
};

/* The server has threads of its own, and each connection is served by one: a crowd keeps them busy over eight. */
static const sdi_combine_bounds bounds = {.requests = 64, .bytes = SIZE_MAX, .few = 8};

/* One caller's GETs of one server; it holds nothing of his, who may have gone when the answers come. */
typedef struct look {
    sdi_combine_request shared; /* first */
    size_t count;
    sdi_memcached_request requests[]; /* their keys stand behind them */
} look;

static look *next_of(const look *one)
{
    return (look *)one->shared.next;
}

static void forget_answers(look *one)
{
    for (size_t i = 0; i < one->count; i++) {
        sdi_free(one->requests[i].block);
        one->requests[i].block = NULL;
        one->requests[i].answer = SDI_MEMCACHED_NOTHING;
    }
}

static void free_look(look *one)
{
    if (!one)
        return;
    forget_answers(one);
    sdi_free(one);
}

/* ------------------------------------------------------------------------------------------------ a batch on a lane */

static const sdi_address *address_of(const sdi_memcached_lane *lane)
{
    return &lane->of->ring->addresses[lane->of->number];
}

static bool start(void *context, sdi_combine_request *first, int64_t until)
{
    sdi_memcached_lane *lane = context;
    (void)until; /* it connects without waiting */
    lane->link.outcome = SDI_MEMCACHED_DONE;
    lane->looked = false;
    lane->begun = sdi_now();
    size_t asked = 0;
    for (look *one = (look *)first; one; one = next_of(one))
        for (size_t i = 0; i < one->count; i++, asked++) {
            bool last = i + 1 == one->count && !one->shared.next;
            one->requests[i].follows = asked % KEYS_MOST > 0;
            one->requests[i].more = !last && (asked + 1) % KEYS_MOST > 0;
            sdi_memcached_link_ask(&lane->link, &one->requests[i]);
        }
    sdi_memcached_link_begin(&lane->link, address_of(lane), sdi_deadline_in(lane->of->ring->connect_timeout_ms));
    return true;
}

static void advance(sdi_memcached_lane *lane)
{
    sdi_memcached_link_advance(&lane->link, address_of(lane), lane->of->ring->value_max);
}

/* One that connects, or has not sent all it had, is none that answers soon. */
static void look_first(sdi_memcached_lane *lane)
{
    sdi_busy_poll *busy_poll = &lane->of->busy_poll;
    bool crowded = sdi_busy_poll_is_crowded(busy_poll, sdi_combiner_under_way(&lane->of->combiner));
    if (sdi_memcached_link_events(&lane->link) != POLLIN || crowded || !sdi_busy_poll_begin(busy_poll))
        return;
    lane->looked = true;
    do
        advance(lane);
    while (sdi_memcached_link_events(&lane->link) == POLLIN && sdi_busy_poll_again(lane->begun));
    sdi_busy_poll_end(busy_poll);
}

/* Receiving can wait by itself, where that is long before the deadline. */
static void sleep_first(sdi_memcached_lane *lane, int64_t until)
{
    sdi_memcached_link *link = &lane->link;
    bool waits = sdi_memcached_link_events(link) == POLLIN && !link->heard && link->patience;
    if (waits && !sdi_passed(until - link->patience))
        sdi_memcached_link_await(link, address_of(lane), lane->of->ring->value_max);
}

/* False when time is up. */
static bool go_on(sdi_memcached_lane *lane, int64_t until)
{
    sdi_memcached_link *link = &lane->link;
    for (short events; (events = sdi_memcached_link_events(link)) != 0;) {
        int64_t limit = link->connecting && link->connect_by < until ? link->connect_by : until;
        struct pollfd polled = {.fd = link->fd, .events = events};
        if (sdi_poll(&polled, 1, limit) > 0)
            advance(lane);
        if (link->connecting && sdi_now() >= link->connect_by)
            sdi_memcached_link_fail(link, SDI_CACHE_FAULT_CONNECT);
        else if (sdi_memcached_link_events(link) && sdi_passed(until))
            return false;
    }
    return true;
}

/* Nothing is handed out before all is answered: of a link that failed nothing is believed, for what came after may show
 * that its answers were not to these requests. */
static size_t step(void *context, sdi_combine_request *first, int64_t until)
{
    sdi_memcached_lane *lane = context;
    size_t count = 0;
    if (!lane->looked)
        look_first(lane);
    sleep_first(lane, until);
    if (!go_on(lane, until))
        return 0;
    if (lane->looked)
        sdi_busy_poll_learn(&lane->of->busy_poll, sdi_now() - lane->begun);
    for (look *one = (look *)first; one; one = next_of(one), count++)
        if (lane->link.outcome != SDI_MEMCACHED_DONE)
            forget_answers(one);
    sdi_memcached_ring_report(lane->of->ring, lane->of->number, lane->link.outcome, true);
    return count;
}

static void break_off(void *context)
{
    sdi_memcached_lane *lane = context;
    sdi_memcached_link_fail(&lane->link, SDI_CACHE_FAULT_TIMEOUT);
}

static void drop(sdi_combine_request *request)
{
    free_look((look *)request);
}

static const sdi_combine_way way = {.start = start, .step = step, .break_off = break_off, .drop = drop};

/* -------------------------------------------------------------------------------------------------- a server's lanes
 */

bool sdi_memcached_lookout_init(sdi_memcached_lookout *lookout, sdi_memcached_ring *ring, size_t number,
                                size_t connections, bool busy_poll)
{
    void **lanes = sdi_calloc(connections, sizeof *lanes);
    *lookout = (sdi_memcached_lookout){.ring = ring, .number = number};
    sdi_busy_poll_init(&lookout->busy_poll, busy_poll);
    lookout->lanes = sdi_calloc(connections, sizeof *lookout->lanes);
    for (; lanes && lookout->lanes && lookout->lane_count < connections; lookout->lane_count++) {
        sdi_memcached_lane *lane = &lookout->lanes[lookout->lane_count];
        lane->of = lookout;
        sdi_memcached_link_init(&lane->link);
        lanes[lookout->lane_count] = lane;
    }
    bool made = lanes && lookout->lanes && sdi_combiner_init(&lookout->combiner, &way, lanes, connections, &bounds);
    sdi_free(lanes);
    return made;
}

void sdi_memcached_lookout_free(sdi_memcached_lookout *lookout)
{
    for (size_t i = 0; i < lookout->lane_count; i++)
        sdi_memcached_link_close(&lookout->lanes[i].link);
    sdi_combiner_free(&lookout->combiner);
    sdi_free(lookout->lanes);
}

void sdi_memcached_lookout_abandon(sdi_memcached_lookout *lookout)
{
    for (size_t i = 0; i < lookout->lane_count; i++) {
        sdi_memcached_link *link = &lookout->lanes[i].link;
        if (!sdi_combiner_is_busy(&lookout->combiner, &lookout->lanes[i]))
            sdi_memcached_link_close(link);
        else if (link->fd >= 0)
            close(link->fd);
    }
    sdi_combiner_abandon(&lookout->combiner);
    sdi_free(lookout->lanes);
}

/* --------------------------------------------------------------------------------------------------- a caller's look
 */

/* What a caller asks of one server. */
typedef struct part {
    look *asked; /* NULL: nothing, or it was left */
    bool wanted, shut, answered;
} part;

static look *make_look(const sdi_memcached_request *requests, size_t count, size_t server)
{
    size_t members = 0, bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (requests[i].server == server) {
            members++;
            bytes += requests[i].key.length;
        }
    look *made = sdi_malloc(sizeof *made + members * sizeof *made->requests + bytes);
    if (!made)
        return NULL;
    made->shared = (sdi_combine_request){.next = NULL};
    made->count = 0;
    char *key = (char *)&made->requests[members];
    for (size_t i = 0; i < count; i++) {
        if (requests[i].server != server)
            continue;
        memcpy(key, requests[i].key.data, requests[i].key.length);
        made->requests[made->count++] = (sdi_memcached_request){
            .verb = SDI_MEMCACHED_GET, .key = {key, requests[i].key.length}, .headroom = requests[i].headroom};
        key += requests[i].key.length;
    }
    return made;
}

/* What is under way then. */
static sdi_combine_request *submit(sdi_memcached_ring *ring, part *parts, const sdi_memcached_request *requests,
                                   size_t count, int64_t deadline)
{
    sdi_combine_request *under_way = NULL;
    unsigned party = ring->count > 1 ? sdi_combine_party() : 0;
    for (size_t i = 0; i < count; i++)
        parts[requests[i].server].wanted = true;
    for (size_t server = 0; server < ring->count; server++) {
        part *one = &parts[server];
        one->shut = one->wanted && !sdi_breaker_allows(&ring->breakers[server], sdi_now());
        if (one->wanted && !one->shut)
            one->asked = make_look(requests, count, server);
        if (!one->asked)
            continue;
        one->asked->shared.party = party;
        one->asked->shared.beside = under_way;
        under_way = &one->asked->shared;
        sdi_combine_submit(&ring->lookouts[server].combiner, under_way, deadline);
    }
    return under_way;
}

/* Who never had a connection cannot tell how the server is: the others' looks do. */
static void give_up(sdi_memcached_ring *ring, part *parts, size_t server, bool blamed)
{
    part *one = &parts[server];
    switch (sdi_combine_abandon(&ring->lookouts[server].combiner, &one->asked->shared)) {
    case SDI_COMBINE_ANSWERED:
        one->answered = true;
        break;
    case SDI_COMBINE_LEFT:
        one->asked = NULL;
        sdi_memcached_ring_report(ring, server, SDI_CACHE_FAULT_TIMEOUT, blamed);
        break;
    case SDI_COMBINE_UNSENT:
        sdi_cache_failed(ring->cache, SDI_CACHE_FAULT_TIMEOUT, NULL, "all connections to it stayed in use");
    }
}

/* The answers stand in the order of the requests. */
static void hand_over(look *from, sdi_memcached_request *requests, size_t count, size_t server)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (requests[i].server != server)
            continue;
        sdi_memcached_request *answered = &from->requests[at++];
        requests[i].answer = answered->answer;
        requests[i].block = answered->block;
        requests[i].length = answered->length;
        answered->block = NULL;
    }
}

/* A server that was not asked is well as far as its breaker knows. */
static bool is_well(sdi_memcached_ring *ring, const part *parts, size_t server)
{
    return parts[server].wanted ? parts[server].answered
                                : sdi_breaker_state(&ring->breakers[server]) == SDI_BREAKER_CLOSED;
}

static bool settle(sdi_memcached_ring *ring, part *parts, sdi_memcached_request *requests, size_t count, bool blamed)
{
    bool well = false;
    for (size_t server = 0; server < ring->count; server++) {
        part *one = &parts[server];
        one->answered = one->asked && one->asked->shared.answered;
        if (one->asked && !one->answered)
            give_up(ring, parts, server, blamed);
        if (one->answered)
            hand_over(one->asked, requests, count, server);
        for (size_t i = 0; i < count && one->answered; i++)
            one->answered = requests[i].server != server || requests[i].answer != SDI_MEMCACHED_NOTHING;
        free_look(one->asked);
        well |= is_well(ring, parts, server);
    }
    return well;
}

bool sdi_memcached_look(sdi_memcached_ring *ring, sdi_memcached_request *requests, size_t count, int64_t deadline,
                        bool blamed)
{
    part few[PARTS] = {{NULL, false, false, false}};
    part *parts = ring->count <= PARTS ? few : sdi_calloc(ring->count, sizeof *parts);
    for (size_t i = 0; i < count; i++)
        requests[i].answer = SDI_MEMCACHED_NOTHING;
    if (!parts)
        return false;
    sdi_combine_await_all(submit(ring, parts, requests, count, deadline), deadline);
    bool well = settle(ring, parts, requests, count, blamed);
    if (parts != few)
        sdi_free(parts);
    return well;
}
