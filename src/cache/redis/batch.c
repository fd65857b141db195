#include "cache/redis/batch.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "cache/operation.h"

enum {
    SMALL = 8,             /* operations */
    ROUNDS_MAX = 20,       /* a batch that is sent about more often goes in circles */
    LONGEST_PAUSE_MS = 16, /* before a server that asked for time is asked again */
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
    sdi_redis_server *server; /* where it goes next */
    sdi_redis_server *sent;   /* where it went this round */
} command;

/* The commands of a round that go to one server. */
typedef struct batch_part {
    sdi_redis_server *server;
    sdi_redis_request *request; /* NULL: it was not made, or is no longer ours */
    bool answered;              /* it was, in time */
    int outcome;
} batch_part;

/* Room for a small batch that goes to one server, as the look for one answer is: on the stack. */
typedef struct small_room {
    command commands[SMALL];
    batch_part part;
} small_room;

typedef struct batch_state {
    sdi_redis_servers *servers;
    sdi_redis_trouble *trouble;
    int64_t deadline;
    bool own;
    command *commands;
    size_t command_count;
    batch_part *parts;
    size_t part_count;
    small_room *small;  /* NULL: the room is allocated */
    int64_t not_before; /* connections that were made before are no good; 0: all are */
    bool pause;         /* somebody asked for time */
    unsigned party;     /* of all its requests */
    sdi_combine_request *under_way;
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

/* Room for so many operations, each the only one of its server. */
static bool make_room(batch_state *batch, size_t count)
{
    if (batch->small) {
        batch->commands = batch->small->commands;
        batch->parts = &batch->small->part;
        return true;
    }
    batch->commands = sdi_calloc(count, sizeof *batch->commands);
    batch->parts = sdi_calloc(is_cluster(batch) ? count : 1, sizeof *batch->parts);
    return batch->commands && batch->parts;
}

static void free_room(batch_state *batch)
{
    if (batch->small)
        return;
    sdi_free(batch->commands);
    sdi_free(batch->parts);
}

static void add_part(batch_state *batch, sdi_redis_server *server)
{
    for (size_t i = 0; i < batch->part_count; i++)
        if (batch->parts[i].server == server)
            return;
    batch->parts[batch->part_count++] = (batch_part){.server = server, .outcome = SDI_REDIS_UNTRIED};
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
        at->sent = at->server;
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

static bool is_of(const batch_part *part, const command *asked)
{
    return asked->pending && asked->sent == part->server;
}

static sdi_redis_request *make_request(const batch_state *batch, const batch_part *part)
{
    const command *end = batch->commands + batch->command_count;
    size_t commands = 0, operations = 0;
    for (const command *at = batch->commands; at < end; at++)
        if (is_of(part, at)) {
            commands++;
            operations += at->count;
        }
    sdi_redis_request *request = sdi_redis_request_new(commands, operations);
    for (const command *at = batch->commands; request && at < end; at++)
        if (is_of(part, at))
            sdi_redis_request_add(request, at->operations, at->count, at->spelled, at->asking);
    if (request) {
        request->not_before = batch->not_before;
        request->shared.bytes = request->commands.text.length;
        request->shared.party = batch->party;
    }
    return request;
}

static int submit(batch_state *batch, batch_part *part)
{
    if (!sdi_breaker_allows(&part->server->breaker, sdi_now()))
        return SDI_REDIS_SPARED;
    part->request = make_request(batch, part);
    if (!part->request)
        return SDI_REDIS_NO_MEMORY;
    part->request->shared.beside = batch->under_way;
    batch->under_way = &part->request->shared;
    sdi_combine_submit(&part->server->combiner, &part->request->shared, batch->deadline);
    return SDI_REDIS_DONE;
}

/* Time is up. Who never had a connection cannot tell how the server is: the others' batches do. */
static void give_up(const batch_state *batch, batch_part *part)
{
    sdi_redis_request *request = part->request;
    switch (sdi_combine_abandon(&part->server->combiner, &request->shared)) {
    case SDI_COMBINE_ANSWERED:
        part->answered = true;
        break;
    case SDI_COMBINE_LEFT:
        part->request = NULL;
        part->outcome =
            sdi_redis_server_tell(part->server, batch->trouble, SDI_CACHE_FAULT_TIMEOUT, "no answer in time");
        break;
    case SDI_COMBINE_UNSENT:
        part->outcome = request->outcome;
        *batch->trouble = request->trouble;
        if (part->outcome == SDI_REDIS_UNTRIED)
            sdi_redis_tell(batch->trouble, 0, "no connection was free in time");
    }
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

static void settle_reply(batch_state *batch, command *settled, const sdi_redis_reply *reply)
{
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
    sdi_redis_request_hand_over(reply, settled->operations);
}

/* The replies stand in the order of the commands, each behind that to its ASKING if there was one. */
static void settle_replies(batch_state *batch, const batch_part *part)
{
    const sdi_redis_reply *reply = part->request->replies.list;
    for (command *at = batch->commands; at < batch->commands + batch->command_count; at++)
        if (is_of(part, at)) {
            reply += at->asking;
            settle_reply(batch, at, reply++);
        }
}

/* What one part's round trip came to. */
static int settle_part(batch_state *batch, batch_part *part)
{
    sdi_redis_request *request = part->request;
    if (part->answered) {
        part->outcome = request->outcome;
        if (*request->trouble.text)
            *batch->trouble = request->trouble;
        if (request->again) {
            batch->not_before = request->again > batch->not_before ? request->again : batch->not_before;
            return SDI_REDIS_DONE;
        }
        if (part->outcome == SDI_REDIS_DONE)
            settle_replies(batch, part);
    }
    if (part->outcome == SDI_REDIS_UNTRIED)
        return SDI_CACHE_FAULT_TIMEOUT;
    blame(batch, part->server, part->outcome);
    return part->outcome;
}

static int settle(batch_state *batch, size_t count)
{
    int outcome = SDI_REDIS_DONE;
    for (size_t i = 0; i < count; i++) {
        batch_part *part = &batch->parts[i];
        part->answered = part->request->shared.answered;
        if (!part->answered)
            give_up(batch, part);
        int one = settle_part(batch, part);
        outcome = outcome == SDI_REDIS_DONE ? one : outcome;
        sdi_redis_request_free(part->request);
    }
    return outcome;
}

/* Sends the pending commands, each server's as one request, and takes the answers. */
static int run_round(batch_state *batch)
{
    size_t count = 0;
    int outcome = assign(batch);
    batch->under_way = NULL;
    while (outcome == SDI_REDIS_DONE && count < batch->part_count) {
        outcome = submit(batch, &batch->parts[count]);
        count += outcome == SDI_REDIS_DONE;
    }
    sdi_combine_await_all(batch->under_way, batch->deadline);
    int settled = settle(batch, count);
    return outcome == SDI_REDIS_DONE ? settled : outcome;
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
    bool look = round == 0 || batch->pause || batch->not_before;
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
    small_room small;
    batch_state batch = {.servers = servers, .trouble = trouble, .deadline = deadline, .own = own};
    batch.party = servers->server ? 0 : sdi_combine_party();
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
