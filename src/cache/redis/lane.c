#include "cache/redis/lane.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/proving.h"
#include "cache/redis/greeting.h"
#include "cache/redis/server.h"

enum {
    VALUE_SLACK = 4096, /* what an entry's head and a fence may add to the largest answer */
    TRUSTED_MS = 10,    /* a connection used so shortly ago is not looked at before it is used again */
    UNUSED_MS = 1000,   /* a connection unused for this long is asked whether its server is what it was */
    DOUBT_MS = 10000,   /* a connection this old that meets values of another epoch learns the epoch anew */
};

static sdi_redis_request *first_of(sdi_combine_request *first)
{
    return (sdi_redis_request *)first;
}

static sdi_redis_request *next_of(const sdi_redis_request *request)
{
    return (sdi_redis_request *)request->shared.next;
}

static void fail(const sdi_redis_lane *lane, sdi_redis_request *request, int outcome)
{
    const sdi_redis_connection *connection = &lane->connection;
    request->outcome = outcome;
    sdi_redis_tell(&request->trouble, 0, "%s: %s", connection->name, connection->trouble.text);
}

/* Whatever a server does to a connection in the moment before it is used, it may as well do in the moment after. */
static bool is_good(sdi_redis_connection *connection, const sdi_redis_request *first)
{
    for (; first; first = next_of(first))
        if (connection->since <= first->not_before)
            return false;
    bool trusted = sdi_now() - connection->used < TRUSTED_MS * INT64_C(1000);
    return connection->transport.fd >= 0 && (trusted || sdi_redis_transport_is_quiet(&connection->transport));
}

static int connect_anew(sdi_redis_lane *lane, int64_t deadline)
{
    sdi_redis_connection *connection = &lane->connection;
    sdi_redis_server *server = lane->server;
    sdi_redis_disconnect(connection);
    int outcome = server->primary ? sdi_redis_connect_primary(server->primary, connection, deadline)
                                  : sdi_redis_connect(connection, &server->access, server->address, deadline);
    if (outcome == SDI_REDIS_DONE)
        sdi_redis_server_named(server, connection->name);
    return outcome;
}

/* False when time is up; why is noted, for who has no neighbours to wait for. Where the server is to blame the batch
 * has failed. */
static bool get_ready(sdi_redis_lane *lane, sdi_redis_request *first, int64_t until)
{
    lane->failed = lane->fresh = false;
    if (is_good(&lane->connection, first))
        return true;
    if (sdi_passed(until))
        return false;
    int outcome = connect_anew(lane, until);
    lane->fresh = true;
    lane->failed = outcome != SDI_REDIS_DONE;
    for (sdi_redis_request *at = first; at && lane->failed; at = next_of(at))
        fail(lane, at, outcome);
    return !lane->failed || !sdi_passed(until);
}

static void expect(sdi_redis_lane *lane, sdi_redis_reply reply)
{
    lane->replies.list[lane->replies.count++] = reply;
}

/* Who only reads would be answered by a primary that has become a replica, from fences that are behind; not so where
 * something is written after. In a cluster such a one answers MOVED by itself. */
static void add_probe(sdi_redis_lane *lane, const sdi_redis_request *first)
{
    bool reads = false;
    for (; first; first = next_of(first))
        reads = !first->writes;
    if (!reads || !lane->server->primary || !SDI_RULE(redis_primary))
        return;
    sdi_redis_format_probe(&lane->connection.out, lane->server->access.settings->key_prefix);
    expect(lane, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_NUMBER});
}

/* A server may have been demoted, promoted again, and have lost writes in between, while nobody used the connection:
 * its epoch is another one then. Who uses it all the time is told when it is demoted. */
static void add_check(sdi_redis_lane *lane)
{
    sdi_buffer_clear(&lane->role);
    if (sdi_now() - lane->connection.used < UNUSED_MS * INT64_C(1000))
        return;
    sdi_redis_command(&lane->connection.out, "INFO", "replication", (char *)NULL);
    expect(lane, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_TEXT, .info = &lane->role});
}

static void format(sdi_redis_lane *lane, sdi_redis_request *first)
{
    sdi_redis_connection *connection = &lane->connection;
    size_t value_max = (size_t)lane->server->access.settings->max_entry_bytes + VALUE_SLACK;
    lane->replies = (sdi_redis_replies){
        .list = lane->expected, .value_max = value_max, .trouble = &connection->trouble, .outcome = SDI_REDIS_DONE};
    for (sdi_redis_request *at = first; at; at = next_of(at)) {
        *at->trouble.text = '\0';
        at->replies.value_max = value_max;
        at->replies.epoch = connection->greeting.epoch;
        at->replies.next = at->shared.next ? &next_of(at)->replies : &lane->replies;
        sdi_redis_fill(&connection->out, &at->commands, &connection->greeting);
    }
    add_probe(lane, first);
    add_check(lane);
}

static bool is_crowded(const sdi_redis_server *server)
{
    return sdi_busy_poll_is_crowded(&server->busy_poll, sdi_combiner_under_way(&server->combiner));
}

static bool start(void *context, sdi_combine_request *first, int64_t until)
{
    sdi_redis_lane *lane = context;
    if (!get_ready(lane, first_of(first), until))
        return false;
    if (lane->failed)
        return true;
    format(lane, first_of(first));
    sdi_redis_begin(&lane->connection, &first_of(first)->replies);
    lane->connection.looked = is_crowded(lane->server);
    return true;
}

/* The connection's last word, for all of the batch. */
static int judge(sdi_redis_lane *lane)
{
    sdi_redis_connection *connection = &lane->connection;
    if (connection->outcome == SDI_REDIS_DONE && lane->role.length &&
        !sdi_redis_still_holds(&connection->greeting, &lane->role))
        return sdi_redis_tell(&connection->trouble, SDI_REDIS_DEMOTED, "it was demoted, or promoted, meanwhile");
    return connection->outcome;
}

/* Has any of its answer come? Of the first one's, bytes may have. */
static bool was_heard(const sdi_redis_lane *lane, const sdi_redis_request *request, bool reached)
{
    return request->replies.done > 0 || (reached && lane->connection.heard);
}

/* A server that was restarted, that closes idle connections, or that is no primary any more, is met by one more try on
 * a fresh connection. What was lost may have run all the same (see the top of batch.h). A placeholder that was sent and
 * did not answer may be put late, by a proxy that still holds it, behind a write that deleted the one of the second
 * try: then a floor older than that write would find it. So it is not sent again. */
static bool may_reconnect(const sdi_redis_lane *lane, const sdi_redis_request *request, bool heard)
{
    if (lane->fresh || request->not_before)
        return false;
    return request->outcome == SDI_REDIS_DEMOTED ||
           (request->outcome == SDI_CACHE_FAULT_LOST && !heard && !request->adds);
}

/* An answer that is none is its own request's trouble; the others' are lost with the connection. */
static void settle_failed(sdi_redis_lane *lane, sdi_redis_request *first, int outcome)
{
    bool other = outcome == SDI_CACHE_FAULT_PROTOCOL && lane->replies.outcome == SDI_REDIS_DONE;
    bool reached = true; /* what came last may be this one's */
    int64_t now = sdi_now();
    for (sdi_redis_request *at = first; at; at = next_of(at)) {
        bool whole = at->replies.done == at->replies.count;
        bool lost = other && at->replies.outcome == SDI_REDIS_DONE;
        fail(lane, at, lost ? SDI_CACHE_FAULT_LOST : outcome);
        at->again = may_reconnect(lane, at, was_heard(lane, at, reached)) ? now : 0;
        reached = reached && whole;
    }
}

/* What the server said against a request alone. */
static void tell_refusal(const sdi_redis_lane *lane, sdi_redis_request *request)
{
    sdi_redis_trouble said = request->trouble;
    sdi_redis_tell(&request->trouble, 0, "%s: %s", lane->connection.name, said.text);
}

static bool settle_answered(const sdi_redis_lane *lane, sdi_redis_request *first)
{
    bool good = true;
    for (sdi_redis_request *at = first; at; at = next_of(at)) {
        at->outcome = at->replies.refused ? SDI_CACHE_FAULT_REJECTED : SDI_REDIS_DONE;
        good = good && !at->replies.refused;
        if (*at->trouble.text)
            tell_refusal(lane, at);
    }
    return good;
}

static bool is_doubtful(const sdi_redis_lane *lane, const sdi_redis_request *first)
{
    bool foreign = false;
    for (; first; first = next_of(first))
        foreign |= first->replies.foreign;
    return foreign && sdi_now() - lane->connection.since > DOUBT_MS * INT64_C(1000);
}

static void settle(sdi_redis_lane *lane, sdi_redis_request *first)
{
    int outcome = judge(lane);
    if (outcome != SDI_REDIS_DONE)
        settle_failed(lane, first, outcome);
    bool good = outcome == SDI_REDIS_DONE && settle_answered(lane, first);
    if (!good || is_doubtful(lane, first))
        sdi_redis_disconnect(&lane->connection);
}

/* Nothing is handed out before the probe at the end is answered. */
static size_t step(void *context, sdi_combine_request *first, int64_t until)
{
    sdi_redis_lane *lane = context;
    size_t count = 0;
    if (!lane->failed && !sdi_redis_go_on(&lane->connection, until))
        return 0;
    if (!lane->failed)
        settle(lane, first_of(first));
    for (const sdi_combine_request *at = first; at; at = at->next)
        count++;
    return count;
}

static void break_off(void *context)
{
    sdi_redis_lane *lane = context;
    sdi_redis_disconnect(&lane->connection);
}

static void drop(sdi_combine_request *request)
{
    sdi_redis_request_free(first_of(request));
}

const sdi_combine_way sdi_redis_way = {.start = start, .step = step, .break_off = break_off, .drop = drop};
