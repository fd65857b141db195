/* read.c - a batch of reads through the tiers: the shared cache, the flights of others, a node of the database.
 *
 * A single query is a batch of one. The batch goes on until every read is done or one has failed. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "client/ask.h"
#include "client/lookup.h"
#include "client/session.h"
#include "client/slow.h"
#include "client/stale.h"
#include "client/store.h"

typedef struct round {
    shopdata_session *session;
    sdi_core *core;
    sdi_read *reads;
    size_t count;
    int64_t begin, deadline;
    size_t failed; /* the read that the server rejected; SIZE_MAX: none */
} round;

/* ------------------------------------------------------------------------------------------------------- preparing */

static int check_kind(const sdi_read *read, shopdata_error **error_out)
{
    enum sdi_plan_kind kind = sdi_plan_kind(read->planned->plan);
    if (kind == SDI_PLAN_WRITE)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "this statement writes; use shopdata_execute: %.60s",
                        read->call->statement->text);
    if (kind == SDI_PLAN_UNDECLARED)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "%s: %.60s", sdi_plan_reason(read->planned->plan),
                        read->call->statement->text);
    return SHOPDATA_OK;
}

/* Whether this call is cached, and then its key and tags. */
static int prepare_cached(const round *r, sdi_read *read, shopdata_error **error_out)
{
    const shopdata_call *call = read->call;
    sdi_slice space;
    if (!read->planned->final || sdi_plan_kind(read->planned->plan) != SDI_PLAN_CACHED || !read->policy->cache ||
        (read->flags & SHOPDATA_NO_CACHE) || !r->core->cache || !sdi_core_space(r->core, &space, NULL))
        return SHOPDATA_OK;
    if (!sdi_plan_tags(read->planned->plan, call->params, call->count, &read->tags))
        return SHOPDATA_OK;
    sdi_identity(read->planned->fingerprint, call->params, call->count, &read->identity);
    sdi_entry_key(space, (sdi_slice){read->identity.data, read->identity.length}, &read->key);
    if (sdi_tags_failed(&read->tags) || read->identity.failed || read->key.failed)
        return sdi_no_memory(error_out);
    read->cached = read->tags.count > 0 && read->tags.count <= SDI_READ_TAGS_MAX;
    return SHOPDATA_OK;
}

static int prepare(const round *r, sdi_read *read, const shopdata_call *call, shopdata_error **error_out)
{
    read->call = call;
    read->session = r->session;
    read->flags = call->flags | r->session->flags;
    int status = sdi_statement_check(call->statement, r->session->client, call->params, call->count, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_statement_plan(call->statement, false, r->deadline, &read->planned, error_out);
    if (status == SHOPDATA_OK)
        status = check_kind(read, error_out);
    if (status != SHOPDATA_OK)
        return status;
    read->policy = sdi_settings_policy(r->core->settings, call->statement->policy);
    return sdi_in_transaction(r->session) ? SHOPDATA_OK : prepare_cached(r, read, error_out);
}

static int prepare_all(round *r, const shopdata_call *calls, shopdata_error **error_out)
{
    for (size_t i = 0; i < r->count; i++) {
        int status = prepare(r, &r->reads[i], &calls[i], error_out);
        if (status != SHOPDATA_OK) {
            r->failed = i;
            return status;
        }
    }
    return SHOPDATA_OK;
}

static sdi_pg_command command_of(const sdi_read *read)
{
    return (sdi_pg_command){.sql = read->call->statement->text,
                            .statement = read->call->statement->number,
                            .params = read->call->params,
                            .count = read->call->count};
}

/* ---------------------------------------------------------------------------------------------------- the database */

static bool wants_primary(const sdi_read *read)
{
    return (read->flags & SHOPDATA_PRIMARY) || read->mixed_eras ||
           sdi_plan_kind(read->planned->plan) == SDI_PLAN_PRIMARY;
}

/* Some of the reads, asked of the database together. */
typedef struct group {
    size_t *members; /* numbers of reads */
    size_t count;
    sdi_need need;
    bool impatient; /* all have an old answer to fall back on */
} group;

/* While fences can be read they say how new an answer must be. Else, for want of better, it must show this process's
 * own writes, and may not lag too far: of other processes' writes nothing is known then. */
static void need_of(const round *r, const sdi_read *read, sdi_need *need)
{
    sdi_raise(&need->era, &need->lsn, r->session->era, r->session->last_write);
    if (read->fences_read) {
        size_t kind = read->result && !shopdata_result_rows(read->result) ? 1 : 0;
        if (read->demanded[kind])
            sdi_raise(&need->era, &need->lsn, read->demand[kind].era, read->demand[kind].lsn);
        return;
    }
    need->limit_lag = true;
    if (sdi_plan_kind(read->planned->plan) == SDI_PLAN_CACHED)
        sdi_core_last_write(r->core, &need->era, &need->lsn);
}

static void gather(const round *r, group *g, bool primary)
{
    g->count = 0;
    g->need = (sdi_need){.primary = primary};
    g->impatient = true;
    for (size_t i = 0; i < r->count; i++) {
        if (r->reads[i].state != SDI_READ_OPEN || wants_primary(&r->reads[i]) != primary)
            continue;
        g->members[g->count++] = i;
        g->impatient &= r->reads[i].old != NULL;
        need_of(r, &r->reads[i], &g->need);
    }
}

/* An answer of the primary has all that was written before it was asked. A replica's must pass what the fences demand;
 * a primary that was deposed does not know the newer era. */
static bool fresh_enough(const sdi_read *read, const sdi_question *question)
{
    size_t kind = shopdata_result_rows(read->result) ? 0 : 1;
    if (!read->fences_read)
        return true;
    if (question->source == SHOPDATA_FROM_PRIMARY)
        return !question->stamped || !read->demanded[kind] ||
               question->stamp.era.timeline >= read->demand[kind].era.timeline;
    return question->stamped && sdi_answer_passes(read, read->result, &question->stamp);
}

/* What is written in an answer before anybody else sees it: that it is as old as the look at the fences it passed,
 * which came before it was read; or, where there were none, how far its node was behind. */
static void sign_freshness(sdi_read *read, const sdi_question *question)
{
    if (read->fences_read)
        read->result->read_at = read->looked_at;
    else if (question->behind_us != 0)
        read->result->staleness_ms = question->behind_us < 0 ? -1 : question->behind_us / 1000 + 1;
}

static void take_answers(round *r, const group *g, const sdi_question *question, sdi_pg_command *commands)
{
    for (size_t i = 0; i < g->count; i++) {
        sdi_read *read = &r->reads[g->members[i]];
        shopdata_result_free(read->result);
        read->result = commands[i].result;
        commands[i].result = NULL;
        read->stamped = question->stamped && !question->assumed;
        read->stamp = question->stamp;
        read->unstored = true;
        sign_freshness(read, question);
        if (fresh_enough(read, question))
            read->state = SDI_READ_DONE;
    }
}

static int ask_group(round *r, const group *g, shopdata_error **error_out)
{
    size_t failed;
    sdi_question question = {.need = g->need, .deadline = r->deadline, .impatient = g->impatient};
    sdi_pg_command *commands = sdi_calloc(g->count, sizeof *commands);
    if (!commands)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < g->count; i++)
        commands[i] = command_of(&r->reads[g->members[i]]);
    int status = sdi_ask_read(r->core, &question, commands, g->count, &failed, error_out);
    if (status == SHOPDATA_OK)
        take_answers(r, g, &question, commands);
    else if (failed != SIZE_MAX)
        r->failed = g->members[failed];
    sdi_pg_commands_free(commands, g->count);
    sdi_free(commands);
    return status;
}

/* An answer that the fences refuse is asked again with what they demand of it (an empty one's demand is only known when
 * it is empty), and at last of the primary, whose answers are always new enough. */
static int ask_open(round *r, group *g, bool primary, shopdata_error **error_out)
{
    for (int tries = 0;; tries++) {
        gather(r, g, primary);
        if (!g->count)
            return SHOPDATA_OK;
        if (tries == 3)
            return sdi_fail(error_out, SHOPDATA_ERR_UNAVAILABLE,
                            "the primary that answers is older than what was written already: it was replaced");
        if (tries == 2) {
            g->need.primary = true;
            sdi_count(r->core->metrics, SDI_M_FRESHNESS_PRIMARY, 0, g->count);
        }
        int status = ask_group(r, g, error_out);
        if (status != SHOPDATA_OK)
            return status;
    }
}

static int ask_database(round *r, shopdata_error **error_out)
{
    group g = {.members = sdi_calloc(r->count, sizeof *g.members)};
    if (!g.members)
        return sdi_no_memory(error_out);
    int status = ask_open(r, &g, false, error_out);
    if (status == SHOPDATA_OK)
        status = ask_open(r, &g, true, error_out);
    sdi_free(g.members);
    return status;
}

/* ------------------------------------------------------------------------------------------------------ the fences */

static bool lacks_fence(const sdi_read *read)
{
    return read->state == SDI_READ_OPEN && read->fences_read && read->missing;
}

static bool any_missing(const round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (lacks_fence(&r->reads[i]))
            return true;
    return false;
}

/* A primary that does not answer is given up by its watcher after about this time, so a sample need not wait longer. */
static int64_t sample_deadline(const round *r)
{
    return sdi_deadline_within(r->deadline, r->core->settings->pool.connect_timeout_ms);
}

/* The order is the point: first the placeholder, then the sample. A write that returns between the two deletes the
 * placeholder, so a floor older than it is never installed. Where the cache did not say that the placeholder stands, it
 * may come to stand later, behind that write: then this floor must not be installed. */
static bool sample_floor(round *r, uint64_t nonce, sdi_point *floor, bool *installable)
{
    *installable = sdi_placehold(r->core, r->reads, r->count, nonce, r->deadline);
    if (!sdi_floor_sample(r->core, sample_deadline(r), floor))
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (lacks_fence(&r->reads[i]))
            sdi_demand_floor(&r->reads[i], floor);
    return true;
}

/* With the primary gone nobody knows what was written last: replicas answer, within the lag limit, and nothing is
 * cached under a missing fence. */
static void go_without_floor(round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (lacks_fence(&r->reads[i]))
            r->reads[i].fences_read = r->reads[i].cached = false;
}

/* What was found out before the database is asked. */
typedef struct floor_found {
    bool sampled;     /* `point` is known */
    bool installable; /* the placeholders with `nonce` stood before it was sampled */
    uint64_t nonce;
    sdi_point point;
} floor_found;

/* Every read that is still open has an old answer. */
static bool may_fall_back(const round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_OPEN && !r->reads[i].old)
            return false;
    return true;
}

/* While the primary stands its word is waited for: without it an answer may be older than a write that has returned.
 * Each try has a nonce of its own, for the placeholder of one that timed out may still come to stand. */
static int find_floor(round *r, floor_found *floor, shopdata_error **error_out)
{
    enum { PAUSE_MS = 10 };
    size_t primary;
    while (any_missing(r)) {
        uint64_t seen = sdi_router_changes(r->core->router);
        floor->nonce = sdi_nonce();
        floor->sampled = sample_floor(r, floor->nonce, &floor->point, &floor->installable);
        if (floor->sampled)
            return SHOPDATA_OK;
        if (!sdi_router_primary(r->core->router, &primary)) {
            go_without_floor(r);
            return SHOPDATA_OK;
        }
        if (sdi_now() >= r->deadline || may_fall_back(r))
            return sdi_fail(error_out, SHOPDATA_ERR_TIMEOUT, "the primary did not tell in time what was written last");
        sdi_router_wait(r->core->router, seen, sdi_deadline_within(r->deadline, PAUSE_MS));
    }
    return SHOPDATA_OK;
}

/* The database cannot answer now: out of reach, too busy or too slow, which may pass. */
static bool cannot_answer(int status, const shopdata_error *error)
{
    return status == SHOPDATA_ERR_UNAVAILABLE || status == SHOPDATA_ERR_BUSY || status == SHOPDATA_ERR_TIMEOUT ||
           (status == SHOPDATA_ERR_SQL && shopdata_error_is_retriable(error));
}

static int fall_back(round *r, int status, shopdata_error **error)
{
    if (!cannot_answer(status, *error) || !may_fall_back(r))
        return status;
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_OPEN)
            sdi_stale_serve(r->core, &r->reads[i], SDI_STALE_UNAVAILABLE);
    sdi_error_clear(error);
    r->failed = SIZE_MAX;
    return SHOPDATA_OK;
}

static int ask_and_store(round *r, shopdata_error **error)
{
    floor_found floor = {0};
    int status = find_floor(r, &floor, error);
    if (status == SHOPDATA_OK)
        status = ask_database(r, error);
    if (status == SHOPDATA_OK && r->core->cache)
        sdi_store(r->core, r->reads, r->count, floor.nonce, floor.sampled && floor.installable ? &floor.point : NULL,
                  r->deadline);
    return fall_back(r, status, error);
}

/* ----------------------------------------------------------------------------------------------------- the flights */

/* The read leaves its flight, at the latest at the deadline, with the answer if that is new enough for it. */
static void leave_flight(round *r, sdi_read *read, int64_t deadline)
{
    sdi_stamp stamp;
    shopdata_result *answer = sdi_flight_wait(&r->core->flights, read->flight, deadline, &stamp);
    read->flight = NULL;
    read->state = SDI_READ_OPEN;
    if (answer && sdi_answer_passes(read, answer, &stamp)) {
        sdi_count(r->core->metrics, SDI_M_FLIGHTS_JOINED, 0, 1);
        read->result = answer;
        read->state = SDI_READ_DONE;
    } else {
        shopdata_result_free(answer);
    }
}

/* Who finds another asking does not wait if he has an old answer. */
static void board(round *r, sdi_read *read)
{
    read->flight = sdi_flight_board(&r->core->flights, (sdi_slice){read->key.data, read->key.length}, &read->leads);
    if (!read->flight || read->leads)
        return;
    read->state = SDI_READ_JOINED;
    if (!read->old)
        return;
    leave_flight(r, read, sdi_now());
    if (read->state == SDI_READ_OPEN)
        sdi_stale_serve(r->core, read, SDI_STALE_REFRESHING);
}

static void board_flights(round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (read->state == SDI_READ_OPEN && read->cached && read->fences_read)
            board(r, read);
    }
}

static void land_flights(round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (!read->flight || !read->leads)
            continue;
        bool good = read->state == SDI_READ_DONE && read->stamped;
        sdi_flight_land(&r->core->flights, read->flight, good ? read->result : NULL, &read->stamp);
        read->flight = NULL;
    }
}

static void wait_for_flights(round *r, int64_t deadline)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_JOINED)
            leave_flight(r, &r->reads[i], deadline);
}

/* ------------------------------------------------------------------------------------------------------- the batch */

static bool all_done(const round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state != SDI_READ_DONE)
            return false;
    return true;
}

static bool any_cached(const round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].cached)
            return true;
    return false;
}

static void look_into_cache(round *r)
{
    if (!any_cached(r))
        return;
    if (sdi_unfenced_none(r->core, r->deadline) && sdi_lookup(r->core, r->reads, r->count, r->deadline))
        return;
    for (size_t i = 0; i < r->count; i++)
        r->reads[i].cached = r->reads[i].fences_read = false; /* it does not answer, or is not trusted */
}

/* Whoever joined a flight in vain (its leader failed, or his answer is too old for the fences this one read) looks
 * again, most likely finds the leader's entry, and else asks alone. */
static int through_the_tiers(round *r, shopdata_error **error)
{
    look_into_cache(r);
    if (all_done(r))
        return SHOPDATA_OK;
    board_flights(r);
    int status = ask_and_store(r, error);
    land_flights(r);
    wait_for_flights(r, status == SHOPDATA_OK ? r->deadline : sdi_now()); /* a batch that has failed waits for nobody */
    if (status != SHOPDATA_OK || all_done(r))
        return status;
    look_into_cache(r);
    return ask_and_store(r, error);
}

static int in_transaction(round *r, shopdata_error **error_out)
{
    sdi_pg_command *commands = sdi_calloc(r->count, sizeof *commands);
    if (!commands)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < r->count; i++)
        commands[i] = command_of(&r->reads[i]);
    size_t node = r->session->transaction.node;
    int status = sdi_transaction_run(r->session, commands, r->count, &r->failed, error_out);
    for (size_t i = 0; i < r->count && status == SHOPDATA_OK; i++) {
        r->reads[i].result = commands[i].result;
        commands[i].result = NULL;
        sdi_sign(r->core, r->reads[i].result, node, SHOPDATA_FROM_PRIMARY);
    }
    sdi_pg_commands_free(commands, r->count);
    sdi_free(commands);
    return status;
}

/* Of a batch the cache's answers are left out: its time is that of the others. */
static void tell_slow(const round *r, int64_t took, int status)
{
    for (size_t i = 0; i < r->count; i++) {
        const sdi_read *read = &r->reads[i];
        bool cached = read->result && read->result->source == SHOPDATA_FROM_CACHE;
        if (read->call && read->call->statement && (r->count == 1 || !cached))
            sdi_tell_slow(r->core, &(sdi_slow_call){"read", took, status, read->call->statement,
                                                    status == SHOPDATA_OK ? read->result : NULL});
    }
}

static void hand_out(round *r, int64_t took, shopdata_result **results_out)
{
    for (size_t i = 0; i < r->count; i++) {
        shopdata_result *result = r->reads[i].result;
        size_t source = (size_t)result->source - 1;
        sdi_count(r->core->metrics, SDI_M_QUERIES, source, 1);
        sdi_count(r->core->metrics, SDI_M_RESULT_ROWS, source, shopdata_result_rows(result));
        sdi_count(r->core->metrics, SDI_M_RESULT_BYTES, source, result->rows_length);
        sdi_observe(r->core->metrics, SDI_M_QUERY_SECONDS, source, took);
        if (result->staleness_ms > 0)
            sdi_observe(r->core->metrics, SDI_M_STALENESS, 0, result->staleness_ms * 1000);
        results_out[i] = result;
        r->reads[i].result = NULL;
    }
}

static void free_reads(round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_planned_done(r->reads[i].planned);
        sdi_tags_free(&r->reads[i].tags);
        sdi_buffer_free(&r->reads[i].identity);
        sdi_buffer_free(&r->reads[i].key);
        shopdata_result_free(r->reads[i].result);
        shopdata_result_free(r->reads[i].old);
    }
    sdi_free(r->reads);
}

int sdi_read_many(shopdata_session *session, const shopdata_call *calls, size_t count, shopdata_result **results_out,
                  shopdata_error **error_out)
{
    shopdata_error *error = NULL;
    round r = {.session = session,
               .core = session->client->core,
               .reads = sdi_calloc(count, sizeof *r.reads),
               .count = count,
               .begin = sdi_now(),
               .deadline = sdi_session_deadline(session),
               .failed = SIZE_MAX};
    if (!r.reads)
        return sdi_no_memory(error_out);
    int status = prepare_all(&r, calls, &error);
    if (status == SHOPDATA_OK)
        status = sdi_in_transaction(session) ? in_transaction(&r, &error) : through_the_tiers(&r, &error);
    int64_t took = sdi_now() - r.begin;
    if (sdi_is_slow(r.core, took))
        tell_slow(&r, took, status);
    if (status == SHOPDATA_OK)
        hand_out(&r, took, results_out);
    else if (count > 1 && r.failed != SIZE_MAX)
        sdi_error_prefix(error, "call %zu: ", r.failed);
    sdi_error_move(error_out, error);
    free_reads(&r);
    return status;
}
