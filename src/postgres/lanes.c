#include "postgres/lanes.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/result.h"
#include "postgres/lane_request.h"
#include "postgres/link.h"

/* REQUESTS and COMMANDS in a batch, so that nobody waits for very many; a caller with more has a batch of his own
 * anyway. NEAR_US: a deadline so soon may pass on the way, and all the work be for nothing. */
enum { REQUESTS = 64, COMMANDS = 16, BYTES = 16384, NEAR_US = 10000 };

/* One batch at a time, driven by whoever leads it. */
struct lane {
    sdi_lanes *lanes;
    sdi_pg_connection *connection; /* NULL: at rest, or it could not be had */
    sdi_pg_command *commands;      /* [0] asks for the moment, then come the requests'; the last asks how far it is */
    size_t count, room;
    size_t from;        /* the first that has not run */
    size_t mended_next; /* read.c */
    sdi_pg_batch round; /* from there to the first error, and what the server skips behind it */
    sdi_pg_command tidy;
    bool tidying; /* the round is this one */
    int64_t asked_at;
    int status; /* negative: why the batch is over before its time */
    shopdata_error *error;
};

struct sdi_lanes {
    sdi_pool *pool;
    size_t node, max_bytes, count;
    sdi_metrics *metrics;
    sdi_combiner combiner;
    _Atomic uint64_t losses, told;
    struct lane lanes[];
};

/* ------------------------------------------------------------------------------------------------------- a batch */

/* Asked again with the same batch where there was no connection in time. */
static bool gather(struct lane *lane, const sdi_combine_request *first)
{
    size_t count = 2;
    for (const sdi_combine_request *at = first; at; at = at->next)
        count += ((const sdi_lane_request *)at)->count;
    if (count > lane->room) {
        sdi_pg_command *larger = sdi_realloc(lane->commands, count * sizeof *larger);
        if (!larger)
            return false;
        lane->commands = larger;
        lane->room = count;
    }
    bool primary = ((const sdi_lane_request *)first)->primary;
    lane->commands[0] = sdi_moment_of(primary);
    lane->count = 1;
    for (const sdi_combine_request *at = first; at; at = at->next) {
        const sdi_lane_request *request = (const sdi_lane_request *)at;
        for (size_t i = 0; i < request->count; i++)
            lane->commands[lane->count++] = request->commands[i];
    }
    lane->commands[lane->count++] = sdi_reached_command(primary);
    return true;
}

static void begin_round(struct lane *lane)
{
    lane->tidying = sdi_pg_statements_are_due(lane->connection);
    lane->tidy = sdi_pg_statements_drop();
    if (lane->tidying)
        sdi_pg_batch_begin(&lane->round, lane->connection, &lane->tidy, 1, false, SIZE_MAX);
    else
        sdi_pg_batch_begin(&lane->round, lane->connection, lane->commands + lane->from, lane->count - lane->from, false,
                           lane->lanes->max_bytes);
    sdi_pg_send(&lane->round);
}

/* SHOPDATA_ERR_TIMEOUT: there was none by then. */
static int take_connection(struct lane *lane, int64_t until)
{
    sdi_pool *pool = lane->lanes->pool;
    int status = SHOPDATA_OK;
    if (until)
        status = sdi_pool_take(pool, until, &lane->connection, &lane->error);
    else if (!(lane->connection = sdi_pool_take_idle(pool)))
        status = SHOPDATA_ERR_TIMEOUT;
    if (status == SHOPDATA_OK)
        sdi_pool_expendable(pool, lane->connection);
    if (status == SHOPDATA_ERR_TIMEOUT)
        sdi_error_clear(&lane->error);
    return status;
}

static bool start(void *context, sdi_combine_request *first, int64_t until)
{
    struct lane *lane = context;
    lane->count = 0;
    lane->status = gather(lane, first) ? take_connection(lane, until) : sdi_no_memory(&lane->error);
    if (lane->status == SHOPDATA_ERR_TIMEOUT)
        return false;
    if (lane->status < 0)
        return true;
    sdi_count(lane->lanes->metrics, SDI_M_SHARED_BATCHES, lane->lanes->node, 1);
    sdi_count(lane->lanes->metrics, SDI_M_SHARED_READS, lane->lanes->node, lane->count - 2);
    lane->from = lane->mended_next = 0;
    lane->asked_at = sdi_now();
    begin_round(lane);
    return true;
}

/* As sdi_pg_read: what the server skipped runs again, and a statement whose plan it no longer takes is made again.
 * Without the moment nothing is worth it. */
static bool goes_on(struct lane *lane)
{
    size_t error = sdi_pg_find(lane->commands, lane->from, lane->count, SDI_PG_ERROR);
    if (error == lane->count)
        return false;
    bool mended = sdi_pg_mend(lane->connection, lane->commands, error, &lane->mended_next);
    lane->from = mended ? error : error + 1;
    return mended || (error > 0 && lane->from < lane->count);
}

/* False: the batch is over. */
static bool next_round(struct lane *lane)
{
    lane->status = sdi_pg_batch_end(&lane->round, &lane->error);
    if (lane->tidying)
        sdi_pg_commands_free(&lane->tidy, 1);
    if (lane->status < 0)
        return false;
    if (lane->tidying)
        sdi_pg_statements_dropped(lane->connection);
    else if (!goes_on(lane))
        return false;
    begin_round(lane);
    return true;
}

/* ----------------------------------------------------------------------------------------------------- its answers */

/* False: nobody knows where the node stands, so nothing is worth its answers. */
static bool read_moment(const struct lane *lane, sdi_lanes_answer *answer)
{
    const sdi_pg_command *asked = &lane->commands[0], *reached = &lane->commands[lane->count - 1];
    if (asked->outcome != SDI_PG_DONE || !sdi_moment_read(lane->connection, asked->result, &answer->moment))
        return false;
    answer->moment.asked_at = lane->asked_at;
    answer->reached = reached->outcome == SDI_PG_DONE ? sdi_reached_read(reached->result) : 0;
    return true;
}

static void read_answers(struct lane *lane, sdi_lanes_answer *answer)
{
    *answer = (sdi_lanes_answer){.connected = lane->connection != NULL};
    if (lane->status == SHOPDATA_OK && !read_moment(lane, answer))
        lane->status = SDI_LANES_ALONE;
    if (lane->status == SHOPDATA_ERR_UNAVAILABLE)
        answer->loss = atomic_fetch_add(&lane->lanes->losses, 1) + 1;
}

/* A batch that broke for one, whose result is too large, is none of the others' business. */
static int status_of(const struct lane *lane, const sdi_lane_request *request)
{
    bool everybodys = lane->status >= 0 || !lane->connection || lane->status == SHOPDATA_ERR_UNAVAILABLE;
    bool own = sdi_pg_find(request->commands, 0, request->count, SDI_PG_ERROR) < request->count;
    return everybodys || own ? lane->status : SDI_LANES_ALONE;
}

static void move_outcomes(sdi_pg_command *to, sdi_pg_command *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i].outcome = from[i].outcome;
        to[i].sent = from[i].sent;
        to[i].result = from[i].result;
        to[i].error = from[i].error;
        from[i].result = NULL;
        from[i].error = NULL;
    }
}

static void answer_one(const struct lane *lane, sdi_lane_request *request, const sdi_lanes_answer *answer)
{
    request->answer = *answer;
    request->status = status_of(lane, request);
    if (request->status < 0)
        sdi_fail(&request->error, request->status, "%s", shopdata_error_message(lane->error));
}

static void give_back(struct lane *lane)
{
    sdi_count(lane->lanes->metrics, SDI_M_STATEMENTS_MENDED, 0, sdi_pg_mended(lane->connection));
    sdi_pg_commands_free(lane->commands, lane->count); /* the two of its own are left */
    sdi_pool_give(lane->lanes->pool, lane->connection);
    lane->connection = NULL;
}

static size_t answer_all(struct lane *lane, sdi_combine_request *first)
{
    sdi_lanes_answer answer;
    size_t answered = 0, at = 1;
    int64_t took = sdi_now() - lane->asked_at;
    read_answers(lane, &answer);
    for (sdi_combine_request *next = first; next; next = next->next, answered++) {
        sdi_lane_request *request = (sdi_lane_request *)next;
        if (lane->connection) {
            move_outcomes(request->commands, lane->commands + at, request->count);
            request->took = took / (int64_t)(lane->count - 2);
        }
        at += request->count;
        answer_one(lane, request, &answer);
    }
    if (lane->connection)
        give_back(lane);
    sdi_error_clear(&lane->error);
    return answered;
}

static size_t step(void *context, sdi_combine_request *first, int64_t until)
{
    struct lane *lane = context;
    while (lane->status == SHOPDATA_OK) {
        if (!sdi_pg_batch_go(&lane->round, until))
            return 0;
        if (!next_round(lane))
            break;
    }
    return answer_all(lane, first);
}

/* What still runs there is ended by the node's watcher, as for a caller of his own connection. */
static void break_off(void *context)
{
    struct lane *lane = context;
    if (!lane->connection)
        return;
    sdi_pg_break(&lane->round, SHOPDATA_ERR_TIMEOUT, "nobody waits for the answers any more", "");
    sdi_pg_batch_end(&lane->round, NULL);
    sdi_pg_commands_free(&lane->tidy, 1);
    sdi_pg_commands_free(lane->commands, lane->count);
    sdi_pool_give_running(lane->lanes->pool, lane->connection);
    lane->connection = NULL;
}

static void drop(sdi_combine_request *request)
{
    sdi_lane_request_free((sdi_lane_request *)request);
}

static const sdi_combine_way way = {start, step, break_off, drop};

/* ------------------------------------------------------------------------------------------------------- the lanes */

sdi_lanes *sdi_lanes_new(sdi_pool *pool, const sdi_pool_settings *settings, size_t node, size_t max_bytes,
                         sdi_metrics *metrics)
{
    void *contexts[SDI_LANES_MAX];
    int64_t most = settings->shared < settings->size ? settings->shared : settings->size;
    size_t count = settings->prepared ? (size_t)most : 0;
    sdi_combine_bounds bounds = {.requests = REQUESTS, .bytes = SIZE_MAX, .few = count};
    sdi_lanes *lanes = sdi_calloc(1, sizeof *lanes + count * sizeof lanes->lanes[0]);
    if (!lanes)
        return NULL;
    lanes->pool = pool;
    lanes->node = node;
    lanes->max_bytes = max_bytes;
    lanes->metrics = metrics;
    lanes->count = count;
    for (size_t i = 0; i < count; i++) {
        lanes->lanes[i].lanes = lanes;
        contexts[i] = &lanes->lanes[i];
    }
    if (!count || sdi_combiner_init(&lanes->combiner, &way, contexts, count, &bounds))
        return lanes;
    sdi_free(lanes);
    return NULL;
}

void sdi_lanes_free(sdi_lanes *lanes)
{
    if (!lanes)
        return;
    for (size_t i = 0; i < lanes->count; i++)
        sdi_free(lanes->lanes[i].commands);
    sdi_combiner_free(&lanes->combiner);
    sdi_free(lanes);
}

/* What another thread of the parent was filling is left behind. */
void sdi_lanes_abandon(sdi_lanes *lanes)
{
    if (!lanes)
        return;
    for (size_t i = 0; i < lanes->count; i++)
        if (!sdi_combiner_is_busy(&lanes->combiner, &lanes->lanes[i]))
            sdi_free(lanes->lanes[i].commands);
    sdi_combiner_abandon(&lanes->combiner);
    sdi_free(lanes);
}

size_t sdi_lanes_waiting(sdi_lanes *lanes)
{
    return lanes->count ? sdi_combiner_waiting(&lanes->combiner) : 0;
}

bool sdi_lanes_suit(const sdi_lanes *lanes, const sdi_pg_command *commands, size_t count, int64_t deadline)
{
    if (!lanes->count || count > COMMANDS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!commands[i].speed || !sdi_pg_speed_is_quick(commands[i].speed))
            return false;
    return deadline - sdi_now() > NEAR_US && sdi_lane_request_bytes(commands, count) <= BYTES;
}

/* One that failed runs alone the next time: its neighbours would wait for a further round trip. */
static void take_outcomes(sdi_lane_request *request, sdi_pg_command *commands)
{
    move_outcomes(commands, request->commands, request->count);
    for (size_t i = 0; i < request->count; i++)
        if (commands[i].outcome == SDI_PG_ERROR)
            sdi_pg_speed_forget(commands[i].speed);
        else if (request->status == SHOPDATA_OK)
            sdi_pg_speed_learn(commands[i].speed, request->took);
}

int sdi_lanes_read(sdi_lanes *lanes, bool primary, sdi_pg_command *commands, size_t count, int64_t deadline,
                   sdi_lanes_answer *answer_out, shopdata_error **error_out)
{
    sdi_lane_request *request = sdi_lane_request_new(commands, count);
    if (!request)
        return sdi_no_memory(error_out);
    request->primary = primary;
    enum sdi_combine_end end = sdi_combine_run(&lanes->combiner, &request->base, deadline);
    if (end == SDI_COMBINE_UNSENT)
        sdi_lane_request_free(request);
    if (end != SDI_COMBINE_ANSWERED)
        return sdi_pool_out_of_time(lanes->pool, end == SDI_COMBINE_LEFT, error_out);
    int status = request->status;
    if (status != SDI_LANES_ALONE)
        take_outcomes(request, commands);
    *answer_out = request->answer;
    sdi_error_move(error_out, request->error);
    request->error = NULL;
    sdi_lane_request_free(request);
    return status;
}

bool sdi_lanes_tell(sdi_lanes *lanes, uint64_t loss)
{
    uint64_t told = atomic_load(&lanes->told);
    while (told < loss)
        if (atomic_compare_exchange_weak(&lanes->told, &told, loss))
            return true;
    return false;
}
