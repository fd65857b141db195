#include "cache/redis/batch.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "cache/operation.h"
#include "cache/redis/greeting.h"

enum {
    SMALL = 6,             /* operations */
    VALUE_SLACK = 4096,    /* what an entry's head and a fence may add to the largest answer */
    ROUNDS_MAX = 20,       /* a batch that is sent about more often goes in circles */
    LONGEST_PAUSE_MS = 16, /* before a server that asked for time is asked again */
    TRUSTED_MS = 10,       /* a connection used so shortly ago is not looked at before it is used again */
    UNUSED_MS = 1000,      /* a connection unused for this long is asked whether its server is what it was */
    DOUBT_MS = 10000,      /* a connection this old that meets values of another epoch learns the epoch anew */
};

/* One operation, or GETs side by side, as one command. */
typedef struct command {
    sdi_cache_op *operations;
    size_t count;
    uint16_t slot;
    bool pending;
    bool spelled;             /* the script's text is to be sent */
    bool named;               /* `server` was told by another: the map may not know yet */
    bool asking;              /* it was told for this once */
    sdi_redis_server *server; /* where it goes this round */
} command;

/* The commands of a round that go to one server; `replies` of all parts stand behind each other. */
typedef struct batch_part {
    sdi_redis_server *server;
    bool fresh; /* connected in this round */
} batch_part;

/* Room for a small batch that goes to one server, as the look for one answer is: on the stack. */
typedef struct small_room {
    command commands[SMALL];
    sdi_redis_reply replies[2 * SMALL + 2];
    batch_part part;
    sdi_redis_exchange exchange;
    struct pollfd waited;
} small_room;

typedef struct batch_state {
    sdi_redis_servers *servers;
    sdi_redis_trouble *trouble;
    int64_t deadline;
    bool own;
    command *commands;
    size_t command_count;
    sdi_redis_reply *replies;
    batch_part *parts;
    sdi_redis_exchange *exchanges;
    struct pollfd *waited;
    size_t part_count;
    small_room *small; /* NULL: the room is allocated */
    bool reconnect;    /* a connection was no good: the next ones are to be fresh */
    bool pause;        /* somebody asked for time */
} batch_state;

static bool is_cluster(const batch_state *batch)
{
    return !batch->servers->server;
}

/* Without a cluster GETs side by side are one command, which reads one moment. */
static size_t split(batch_state *batch, sdi_cache_op *operations, size_t count)
{
    size_t commands = 0;
    for (size_t i = 0, used; i < count; i += used) {
        size_t gets = is_cluster(batch) ? 0 : sdi_cache_gets(operations + i, count - i);
        used = gets ? gets : 1;
        batch->commands[commands++] = (command){
            .operations = operations + i,
            .count = used,
            .slot = is_cluster(batch) ? sdi_redis_slot(operations[i].key) : 0,
            .pending = true,
        };
    }
    return commands;
}

static void use_small_room(batch_state *batch)
{
    batch->commands = batch->small->commands;
    batch->replies = batch->small->replies;
    batch->parts = &batch->small->part;
    batch->exchanges = &batch->small->exchange;
    batch->waited = &batch->small->waited;
}

/* Room for so many operations, each the only one of its server, and asked for. */
static bool make_room(batch_state *batch, size_t count)
{
    size_t parts = is_cluster(batch) ? count : 1;
    if (batch->small) {
        use_small_room(batch);
        return true;
    }
    batch->commands = sdi_calloc(count, sizeof *batch->commands);
    batch->replies = sdi_calloc(2 * count + parts + 1, sizeof *batch->replies);
    batch->parts = sdi_calloc(parts, sizeof *batch->parts);
    batch->exchanges = sdi_calloc(parts, sizeof *batch->exchanges);
    batch->waited = sdi_calloc(parts, sizeof *batch->waited);
    return batch->commands && batch->replies && batch->parts && batch->exchanges && batch->waited;
}

static void free_room(batch_state *batch)
{
    if (batch->small)
        return;
    sdi_free(batch->commands);
    sdi_free(batch->replies);
    sdi_free(batch->parts);
    sdi_free(batch->exchanges);
    sdi_free(batch->waited);
}

/* Connections of several servers are taken in one order by all: nobody waits for one who waits for him. */
static void add_part(batch_state *batch, sdi_redis_server *server)
{
    size_t at = batch->part_count;
    for (size_t i = 0; i < batch->part_count; i++)
        if (batch->parts[i].server == server)
            return;
    for (; at > 0 && batch->parts[at - 1].server->number > server->number; at--)
        batch->parts[at] = batch->parts[at - 1];
    batch->parts[at] = (batch_part){.server = server};
    batch->part_count++;
}

/* Decides where each pending command goes. */
static int assign(batch_state *batch)
{
    int outcome = SDI_REDIS_DONE;
    batch->part_count = 0;
    for (command *at = batch->commands; at < batch->commands + batch->command_count; at++) {
        if (!at->pending)
            continue;
        sdi_cache_unset(at->operations, at->count);
        if (!is_cluster(batch))
            at->server = batch->servers->server;
        else if (!at->named)
            at->server = sdi_redis_cluster_find(&batch->servers->cluster, at->slot, &outcome, batch->trouble);
        if (!at->server)
            return outcome;
        add_part(batch, at->server);
    }
    return SDI_REDIS_DONE;
}

/* A fault of a server: its breaker counts it. The caller's own short deadline, or impatience, is no fault of its. */
static void blame(const batch_state *batch, sdi_redis_server *server, int outcome)
{
    if (outcome == SDI_REDIS_DONE)
        sdi_breaker_succeeded(&server->breaker);
    else if (outcome != SDI_REDIS_NO_MEMORY && (outcome != SDI_CACHE_FAULT_TIMEOUT || batch->own) && !sdi_interrupted())
        sdi_breaker_failed(&server->breaker, sdi_now());
    if (outcome != SDI_REDIS_DONE && is_cluster(batch))
        sdi_redis_cluster_doubt(&batch->servers->cluster);
}

static void tell(const batch_state *batch, const sdi_redis_connection *connection)
{
    sdi_redis_tell(batch->trouble, 0, "%s: %s", connection->name, connection->trouble.text);
}

/* Whatever a server does to a connection in the moment before it is used, it may as well do in the moment after. */
static bool is_good(sdi_redis_connection *connection, int64_t now)
{
    bool trusted = connection->transport.fd >= 0 && now - connection->used < TRUSTED_MS * INT64_C(1000);
    return trusted || sdi_redis_transport_is_quiet(&connection->transport);
}

static int open_connection(batch_state *batch, batch_part *part, sdi_redis_connection *connection, int64_t now)
{
    sdi_redis_servers *servers = batch->servers;
    if (!batch->reconnect && is_good(connection, now))
        return SDI_REDIS_DONE;
    sdi_redis_disconnect(connection);
    part->fresh = true;
    if (!is_cluster(batch))
        return sdi_redis_connect_primary(&servers->primary, connection, batch->deadline);
    return sdi_redis_connect(connection, &servers->access, part->server->address, batch->deadline);
}

/* Takes a connection of the part's server. One that cannot be opened stays in the exchange, to be given back. */
static int take_connection(batch_state *batch, size_t number)
{
    batch_part *part = &batch->parts[number];
    sdi_redis_exchange *exchange = &batch->exchanges[number];
    int64_t now = sdi_now();
    if (!sdi_breaker_allows(&part->server->breaker, now))
        return SDI_REDIS_SPARED;
    exchange->connection = sdi_redis_pool_take(&part->server->pool, batch->deadline);
    if (!exchange->connection) /* the others' batches tell how the server is */
        return sdi_redis_tell(batch->trouble, SDI_CACHE_FAULT_TIMEOUT, "no connection was free in time");
    int outcome = open_connection(batch, part, exchange->connection, now);
    if (outcome != SDI_REDIS_DONE) {
        blame(batch, part->server, outcome);
        tell(batch, exchange->connection);
    }
    return outcome;
}

static int take_connections(batch_state *batch)
{
    int outcome = SDI_REDIS_DONE;
    for (size_t i = 0; i < batch->part_count; i++)
        batch->exchanges[i].connection = NULL;
    for (size_t i = 0; i < batch->part_count && outcome == SDI_REDIS_DONE; i++)
        outcome = take_connection(batch, i);
    return outcome;
}

static void give_connections(batch_state *batch)
{
    for (size_t i = 0; i < batch->part_count; i++)
        if (batch->exchanges[i].connection)
            sdi_redis_pool_give(&batch->parts[i].server->pool, batch->exchanges[i].connection);
}

static void expect(sdi_redis_replies *replies, sdi_redis_reply reply)
{
    replies->list[replies->count++] = reply;
}

static void format_command(sdi_redis_exchange *exchange, command *formatted)
{
    sdi_redis_connection *connection = exchange->connection;
    if (formatted->asking) {
        sdi_redis_command(&connection->out, "ASKING", (char *)NULL);
        expect(&exchange->replies, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK});
    }
    sdi_redis_format(&connection->out, formatted->operations, formatted->count, &connection->greeting,
                     formatted->spelled);
    sdi_redis_reply reply = sdi_redis_expect(formatted->operations, formatted->count);
    reply.owner = formatted;
    expect(&exchange->replies, reply);
}

/* A batch that only reads would be answered by a primary that has become a replica, from fences that are behind. In a
 * cluster such a one answers MOVED by itself. */
static void format_probe(const batch_state *batch, sdi_redis_exchange *exchange)
{
    const sdi_redis_replies *replies = &exchange->replies;
    for (size_t i = 0; i < replies->count; i++)
        if (replies->list[i].expect != SDI_REDIS_EXPECT_VALUES)
            return;
    sdi_redis_format_probe(&exchange->connection->out, batch->servers->access.settings->key_prefix);
    expect(&exchange->replies, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_NUMBER});
}

/* A server may have been demoted, promoted again, and have lost writes in between, while nobody used the connection:
 * its epoch is another one then. Who uses it all the time is told when it is demoted. */
static void format_check(sdi_redis_exchange *exchange)
{
    sdi_redis_connection *connection = exchange->connection;
    sdi_buffer_clear(&connection->role);
    if (sdi_now() - connection->used < UNUSED_MS * INT64_C(1000))
        return;
    sdi_redis_command(&connection->out, "INFO", "replication", (char *)NULL);
    expect(&exchange->replies, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_TEXT, .info = &connection->role});
}

static bool still_holds(const sdi_redis_connection *connection)
{
    return !connection->role.length || sdi_redis_still_holds(&connection->greeting, &connection->role);
}

/* Fills one part's pipeline; returns how many replies it used. */
static size_t format_part(batch_state *batch, size_t number, sdi_redis_reply *list)
{
    sdi_redis_exchange *exchange = &batch->exchanges[number];
    exchange->replies = (sdi_redis_replies){
        .list = list,
        .value_max = (size_t)batch->servers->access.settings->max_entry_bytes + VALUE_SLACK,
        .epoch = exchange->connection->greeting.epoch,
        .outcome = SDI_REDIS_DONE,
    };
    for (command *at = batch->commands; at < batch->commands + batch->command_count; at++)
        if (at->pending && at->server == batch->parts[number].server)
            format_command(exchange, at);
    if (!is_cluster(batch) && SDI_RULE(redis_primary))
        format_probe(batch, exchange);
    format_check(exchange);
    return exchange->replies.count;
}

static void follow(batch_state *batch, command *sent_on, const sdi_redis_reply *reply, bool moved)
{
    sdi_redis_server *target =
        sdi_redis_cluster_target(&batch->servers->cluster, reply->target, sent_on->server, moved);
    sent_on->named = target != NULL;
    sent_on->asking = target && !moved;
    if (target)
        sent_on->server = target;
    if (moved)
        sdi_redis_cluster_doubt(&batch->servers->cluster);
}

static void settle_reply(batch_state *batch, const sdi_redis_reply *reply)
{
    command *settled = reply->owner;
    if (!settled)
        return;
    settled->named = settled->asking = false;
    settled->pending = reply->verdict != SDI_REDIS_TAKEN;
    settled->operations->done = !settled->pending && settled->operations->verb != SDI_CACHE_GET;
    settled->spelled |= reply->verdict == SDI_REDIS_NOSCRIPT;
    if (reply->verdict == SDI_REDIS_AGAIN && is_cluster(batch)) {
        sdi_redis_cluster_doubt(&batch->servers->cluster);
        batch->pause = true;
    }
    if (reply->target && is_cluster(batch))
        follow(batch, settled, reply, reply->verdict == SDI_REDIS_MOVED);
}

static void free_targets(const sdi_redis_replies *replies)
{
    for (size_t i = 0; i < replies->count; i++)
        sdi_free(replies->list[i].target);
}

/* A placeholder that was sent once and did not answer may be put late, by a proxy that still holds it, behind a write
 * that deleted the one of the second try: then a floor older than that write would find it. So it is not sent again. */
static bool has_placeholder(const sdi_redis_replies *replies)
{
    for (size_t i = 0; i < replies->count; i++) {
        const command *sent = replies->list[i].owner;
        if (sent && sent->operations->verb == SDI_CACHE_ADD)
            return true;
    }
    return false;
}

/* A server that was restarted, that closes idle connections, or that is no primary any more, is met by one more try on
 * a fresh connection. What was lost may have run all the same (see the top of batch.h). */
static bool may_reconnect(const batch_state *batch, const batch_part *part, const sdi_redis_exchange *exchange)
{
    if (part->fresh || batch->reconnect)
        return false;
    return exchange->replies.outcome == SDI_REDIS_DEMOTED ||
           (exchange->replies.outcome == SDI_CACHE_FAULT_LOST && !exchange->connection->heard &&
            !has_placeholder(&exchange->replies));
}

static bool is_doubtful(const sdi_redis_exchange *exchange)
{
    return exchange->replies.foreign && sdi_now() - exchange->connection->since > DOUBT_MS * INT64_C(1000);
}

/* What one part's round trip came to. */
static int settle_part(batch_state *batch, size_t number, bool *lost)
{
    batch_part *part = &batch->parts[number];
    sdi_redis_exchange *exchange = &batch->exchanges[number];
    if (exchange->replies.outcome == SDI_REDIS_DONE && !still_holds(exchange->connection))
        exchange->replies.outcome =
            sdi_redis_tell(&exchange->connection->trouble, SDI_REDIS_DEMOTED, "it was demoted, or promoted, meanwhile");
    int outcome = exchange->replies.outcome;
    if (outcome == SDI_REDIS_DONE)
        for (size_t i = 0; i < exchange->replies.count; i++)
            settle_reply(batch, &exchange->replies.list[i]);
    if (*exchange->connection->trouble.text)
        tell(batch, exchange->connection);
    if (outcome != SDI_REDIS_DONE || is_doubtful(exchange))
        sdi_redis_disconnect(exchange->connection);
    free_targets(&exchange->replies);
    if (may_reconnect(batch, part, exchange)) {
        *lost = true;
        return SDI_REDIS_DONE;
    }
    blame(batch, part->server, outcome);
    return outcome;
}

static int settle(batch_state *batch)
{
    int outcome = SDI_REDIS_DONE;
    bool lost = false;
    for (size_t i = 0; i < batch->part_count; i++) {
        int one = settle_part(batch, i, &lost);
        outcome = outcome == SDI_REDIS_DONE ? one : outcome;
    }
    batch->reconnect |= lost;
    return outcome;
}

/* Sends the pending commands, each server's in one pipeline, and takes the answers. */
static int run_round(batch_state *batch)
{
    int outcome = assign(batch);
    if (outcome != SDI_REDIS_DONE)
        return outcome;
    outcome = take_connections(batch);
    if (outcome == SDI_REDIS_DONE) {
        sdi_redis_reply *list = batch->replies;
        for (size_t i = 0; i < batch->part_count; i++)
            list += format_part(batch, i, list);
        sdi_redis_exchange_all(batch->exchanges, batch->waited, batch->part_count, batch->deadline);
        outcome = settle(batch);
    }
    give_connections(batch);
    return outcome;
}

/* Whatever stands behind a command that is repeated, in its slot, is repeated too. How many commands that makes. */
static size_t repeat_followers(batch_state *batch)
{
    size_t pending = 0;
    for (size_t i = 0; i < batch->command_count; i++) {
        command *first = &batch->commands[i];
        pending += first->pending;
        for (command *at = first + 1; first->pending && at < batch->commands + batch->command_count; at++)
            at->pending |= at->slot == first->slot;
    }
    return pending;
}

static void pause_before(batch_state *batch, int round)
{
    int64_t pause_ms = round < 4 ? INT64_C(1) << round : LONGEST_PAUSE_MS;
    int64_t left = batch->deadline == SDI_NEVER ? pause_ms * 1000 : batch->deadline - sdi_now();
    if (left > 0)
        sdi_sleep(left < pause_ms * 1000 ? left : pause_ms * 1000);
}

/* A replica, or a server that is gone, in its place in the map: the next round looks where it is now. */
static void look_again(batch_state *batch, int round)
{
    if (round > 0 && (batch->pause || round > 2))
        pause_before(batch, round);
    bool look = round == 0 || batch->pause || batch->reconnect;
    batch->pause = false;
    if (is_cluster(batch) && look)
        sdi_redis_cluster_refresh(&batch->servers->cluster, batch->deadline, batch->trouble);
}

static int run_rounds(batch_state *batch)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (round > 0 && sdi_passed(batch->deadline))
            return SDI_CACHE_FAULT_TIMEOUT;
        look_again(batch, round);
        int outcome = run_round(batch);
        if (outcome != SDI_REDIS_DONE || repeat_followers(batch) == 0)
            return outcome;
    }
    return SDI_CACHE_FAULT_REJECTED;
}

int sdi_redis_batch_run(sdi_redis_servers *servers, sdi_cache_op *operations, size_t count, int64_t deadline, bool own,
                        sdi_redis_trouble *trouble)
{
    small_room small = {.waited.fd = -1};
    batch_state batch = {.servers = servers, .trouble = trouble, .deadline = deadline, .own = own};
    batch.small = servers->server && count <= SMALL ? &small : NULL;
    int outcome = SDI_REDIS_NO_MEMORY;
    if (make_room(&batch, count)) {
        batch.command_count = split(&batch, operations, count);
        outcome = run_rounds(&batch);
    }
    free_room(&batch);
    if (outcome != SDI_REDIS_DONE)
        sdi_cache_unset(operations, count);
    return outcome;
}
