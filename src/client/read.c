/* read.c - a batch of reads through the tiers: the shared cache, the flights of others, a node of the database.
 *
 * A single query is a batch of one. The batch goes on until every read is done or one has failed. */
#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "base/random.h"
#include "client/ask.h"
#include "client/coherence.h"
#include "client/lease.h"
#include "client/peek.h"
#include "client/round.h"
#include "client/settle.h"
#include "client/slow.h"
#include "client/stale.h"
#include "client/store.h"

/* ------------------------------------------------------------------------------------------------------ the fences */

static bool lacks_fence(const sdi_read *read)
{
    return read->state == SDI_READ_OPEN && read->fences_read && read->missing;
}

static bool any_missing(const sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (lacks_fence(&r->reads[i]))
            return true;
    return false;
}

/* A primary that does not answer is given up by its watcher after about this time, so a sample need not wait longer. */
static int64_t sample_deadline(const sdi_round *r)
{
    return sdi_deadline_within(r->deadline, r->core->settings->pool.connect_timeout_ms);
}

/* With the primary gone nobody knows what was written last: replicas answer, within the lag limit, and nothing is
 * cached under a missing fence. */
static void go_without_floor(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (lacks_fence(&r->reads[i]))
            r->reads[i].fences_read = r->reads[i].cached = false;
}

/* What was found out before the database is asked. */
typedef struct floor_found {
    bool claimed;     /* since the last sample */
    bool placed;      /* the placeholders stand: the cache said so */
    bool sampled;     /* the round's `floor` is known */
    bool installable; /* the placeholders stood before it was sampled */
} floor_found;

/* A lease to claim, or a fence missing: asked of the cache in one round trip. After one that was not answered comes a
 * new nonce, for its placeholder may still come to stand. Else the old one goes on, as long as no fence may still be on
 * its way to it: its own placeholder is no other's. */
static void claim(sdi_round *r, floor_found *floor)
{
    bool wanted = any_missing(r);
    for (size_t i = 0; i < r->count && !wanted; i++)
        wanted = sdi_lease_wanted(&r->reads[i]);
    if (!wanted)
        return;
    floor->claimed = true;
    if (!r->nonce)
        r->nonce = SDI_RULE(nonce) ? sdi_nonce() : 1;
    floor->placed = sdi_claim(r->core, r->reads, r->count, r->nonce, r->deadline);
    if (!floor->placed)
        r->nonce = 0;
    SDI_STEP(claimed);
}

/* The order is the point: first the placeholder, then the sample. A write that returns between the two deletes the
 * placeholder, so a floor older than it is never installed. Where the cache did not say that the placeholder stands, it
 * may come to stand later, behind that write: then this floor must not be installed. */
static int sample_floor(sdi_round *r, floor_found *floor)
{
    if (!floor->claimed)
        claim(r, floor);
    floor->installable = floor->placed;
    floor->claimed = floor->placed = false;
    int status = sdi_floor_sample(r->core, sample_deadline(r), &r->floor);
    SDI_STEP(sampled);
    floor->sampled = status == SHOPDATA_OK;
    floor->installable &= floor->sampled && r->floor.whole;
    for (size_t i = 0; i < r->count && floor->sampled; i++)
        if (lacks_fence(&r->reads[i]))
            sdi_demand_floor(&r->reads[i], &r->floor);
    return status;
}

/* Every read that is still open has an old answer. */
static bool may_fall_back(const sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_OPEN && !r->reads[i].old)
            return false;
    return true;
}

/* While the primary stands its word is waited for: without it an answer may be older than a write that has returned. */
static int find_floor(sdi_round *r, floor_found *floor, shopdata_error **error_out)
{
    enum { PAUSE_MS = 10 };
    size_t primary;
    while (any_missing(r)) {
        uint64_t seen = sdi_router_changes(r->core->router);
        int status = sample_floor(r, floor);
        if (status == SHOPDATA_OK)
            return SHOPDATA_OK;
        if (status == SHOPDATA_ERR_NO_MEMORY)
            return sdi_no_memory(error_out);
        if (!sdi_router_primary(r->core->router, &primary)) {
            go_without_floor(r);
            return SHOPDATA_OK;
        }
        if (sdi_passed(r->deadline) || may_fall_back(r))
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

static int fall_back(sdi_round *r, int status, shopdata_error **error)
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

/* What another process asks for is left to it; who has an old answer need not even wait. */
static void leave_awaited(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_AWAITED)
            sdi_stale_serve(r->core, &r->reads[i], SDI_STALE_REFRESHING);
}

static bool holds_lease(const sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].lease == SDI_LEASE_HELD)
            return true;
    return false;
}

/* Fences that the cache did not confirm may come late, behind a write: then they must not find the placeholder of the
 * next time. Others wait for a lease: one that is held is given back by an interrupted call too. */
static void store(sdi_round *r, const floor_found *floor)
{
    const sdi_point *point = floor->sampled && floor->installable ? &r->floor.point : NULL;
    bool late = sdi_interrupted();
    SDI_STEP(store);
    sdi_interrupt_hold();
    if (!sdi_store(r->core, r->reads, r->count, r->nonce, point, late ? SDI_NEVER : r->deadline))
        r->nonce = 0;
    sdi_interrupt_resume();
    SDI_STEP(stored);
}

static int ask_and_store(sdi_round *r, shopdata_error **error)
{
    floor_found floor = {0};
    claim(r, &floor);
    leave_awaited(r);
    sdi_settle_await(r->core, r->reads, r->count, r->deadline);
    int status = find_floor(r, &floor, error);
    if (status == SHOPDATA_OK)
        status = sdi_round_ask(r, error);
    if (r->core->cache && (status == SHOPDATA_OK || holds_lease(r)))
        store(r, &floor);
    return fall_back(r, status, error);
}

/* ----------------------------------------------------------------------------------------------------- the flights */

/* The read leaves its flight, at the latest at the deadline, with the answer if that is new enough for it. A sample
 * that the leader took after this one came is as good for it as one of its own. */
static void leave_flight(sdi_round *r, sdi_read *read, int64_t deadline)
{
    sdi_landing landing;
    shopdata_result *answer = sdi_flight_wait(&r->core->flights, read->flight, deadline, &landing);
    read->flight = NULL;
    read->state = SDI_READ_OPEN;
    if (answer && lacks_fence(read) && landing.floor.number >= read->came)
        sdi_demand_floor(read, &landing.floor);
    if (answer && (sdi_answer_passes(read, answer, &landing.stamp) || !SDI_RULE(joiner_judges))) {
        sdi_count(r->core->metrics, SDI_M_FLIGHTS_JOINED, 0, 1);
        read->result = answer;
        read->stamp = landing.stamp;
        read->state = SDI_READ_DONE;
    } else {
        shopdata_result_free(answer);
    }
}

/* Who finds another asking does not wait if he has an old answer. */
static void board(sdi_round *r, sdi_read *read)
{
    read->flight = sdi_flight_board(&r->core->flights, (sdi_slice){read->key.data, read->key.length}, &read->leads);
    if (!read->flight || read->leads)
        return;
    read->state = SDI_READ_JOINED;
    read->came = sdi_floor_next(r->core);
    if (!read->old)
        return;
    leave_flight(r, read, sdi_now());
    if (read->state == SDI_READ_OPEN)
        sdi_stale_serve(r->core, read, SDI_STALE_REFRESHING);
}

static void board_flights(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (sdi_read_looks(read))
            board(r, read);
    }
}

/* Those who wait for what another process asks fly on, unless all shall land. */
static void land_flights(sdi_round *r, bool all)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (!read->flight || !read->leads || (!all && read->state == SDI_READ_AWAITED))
            continue;
        bool good = read->state == SDI_READ_DONE && read->stamped;
        sdi_landing landing = {.stamp = read->stamp};
        if (read->floor == r->floor.number)
            landing.floor = r->floor;
        sdi_flight_land(&r->core->flights, read->flight, good ? read->result : NULL, &landing);
        read->flight = NULL;
    }
}

static void wait_for_flights(sdi_round *r, int64_t deadline)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_JOINED)
            leave_flight(r, &r->reads[i], deadline);
}

/* ------------------------------------------------------------------------------------------------------- the batch */

static bool all_done(const sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state != SDI_READ_DONE)
            return false;
    return true;
}

/* Nothing is asked of anybody for what this process keeps. */
static void look_locally(sdi_round *r)
{
    int64_t now = sdi_uptime();
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (!read->cached || read->looked_locally || !sdi_coherence_serves(r->core, read->policy, read->flags))
            continue;
        read->result = sdi_coherence_look(r->core, r->session, read->local_key, now, true, &read->seen);
        if (read->result)
            read->state = SDI_READ_DONE;
    }
}

static bool any_cached(const sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].cached)
            return true;
    return false;
}

/* The cache does not answer, or is not trusted. In strict mode every fence is as good as missing: what was written last
 * is asked of the primary. Else nobody is. */
static void go_without_cache(sdi_round *r)
{
    bool strict = sdi_mode_marks(r->core->settings->cache.mode);
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        read->fences_read = strict && read->cached && read->tags.count;
        read->cached = false;
        if (read->fences_read)
            sdi_miss_fences(read);
    }
}

static void look_into_cache(sdi_round *r)
{
    if (!any_cached(r))
        return;
    if (!sdi_lookup(r->core, r->reads, r->count, r->deadline))
        go_without_cache(r);
}

/* ------------------------------------------------------------------------------------------------------ the leases */

/* The next moment at which somebody stops waiting; 0: nobody waits. */
static int64_t awaited_until(const sdi_round *r)
{
    int64_t until = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_AWAITED && (!until || r->reads[i].lease_until < until))
            until = r->reads[i].lease_until;
    return until < r->deadline ? until : r->deadline;
}

/* Is it still worth waiting for what another process asks? */
static bool goes_on_waiting(const sdi_round *r, const sdi_read *read)
{
    int64_t now = sdi_now();
    return read->lease == SDI_LEASE_AWAITED && read->cached && now < read->lease_until && !sdi_passed(r->deadline);
}

/* Looks once more for all that is awaited: it is there, or an old answer is, or the waiting goes on, or is over. */
static void look_for_awaited(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_AWAITED)
            r->reads[i].state = SDI_READ_OPEN;
    look_into_cache(r);
    for (size_t i = 0; i < r->count; i++) {
        sdi_read *read = &r->reads[i];
        if (read->state != SDI_READ_OPEN || sdi_stale_serve(r->core, read, SDI_STALE_REFRESHING))
            continue;
        if (goes_on_waiting(r, read))
            read->state = SDI_READ_AWAITED;
        else if (read->lease == SDI_LEASE_AWAITED)
            read->lease = SDI_LEASE_OVER;
    }
}

/* Waits for other processes. Says whether anything was awaited in vain, and has to be asked after all. */
static bool await_leases(sdi_round *r)
{
    enum { PAUSE_US = 1000, PAUSE_MAX_US = 20000, JITTER_PERCENT = 50 };
    int64_t until, pause = PAUSE_US;
    while ((until = awaited_until(r))) {
        int64_t left = until - sdi_now();
        sdi_sleep(sdi_jitter(pause < left ? pause : left > 0 ? left : 0, JITTER_PERCENT));
        pause = pause * 3 / 2 < PAUSE_MAX_US ? pause * 3 / 2 : PAUSE_MAX_US;
        look_for_awaited(r);
    }
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].state == SDI_READ_OPEN)
            return true;
    return false;
}

/* From now on every read asks for itself. */
static void claim_no_more(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->reads[i].lease == SDI_LEASE_NONE)
            r->reads[i].lease = SDI_LEASE_OVER;
}

/* First what this batch asks itself, and only then what others do: two that waited for each other would wait long. */
static int ask_or_wait(sdi_round *r, shopdata_error **error)
{
    board_flights(r);
    int status = ask_and_store(r, error);
    land_flights(r, false);
    if (status == SHOPDATA_OK && await_leases(r))
        status = ask_and_store(r, error);
    land_flights(r, true);
    wait_for_flights(r, status == SHOPDATA_OK ? r->deadline : sdi_now()); /* a batch that has failed waits for nobody */
    return status;
}

/* Whoever joined a flight in vain (its leader failed, or his answer is too old for the fences this one read) looks
 * again, most likely finds the leader's entry, and else asks alone. */
static int through_the_tiers(sdi_round *r, shopdata_error **error)
{
    look_locally(r);
    if (all_done(r))
        return SHOPDATA_OK;
    look_into_cache(r);
    if (all_done(r))
        return SHOPDATA_OK;
    int status = ask_or_wait(r, error);
    if (status != SHOPDATA_OK || all_done(r))
        return status;
    look_into_cache(r);
    claim_no_more(r);
    return ask_and_store(r, error);
}

static int in_transaction(sdi_round *r, shopdata_error **error_out)
{
    sdi_pg_command *commands = sdi_calloc(r->count, sizeof *commands);
    if (!commands)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < r->count; i++)
        commands[i] = sdi_read_command(&r->reads[i]);
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
static void tell_slow(const sdi_round *r, int64_t took, int status)
{
    for (size_t i = 0; i < r->count; i++) {
        const sdi_read *read = &r->reads[i];
        bool cached = read->result &&
                      (read->result->source == SHOPDATA_FROM_CACHE || read->result->source == SHOPDATA_FROM_LOCAL);
        if (read->call && read->call->statement && (r->count == 1 || !cached))
            sdi_tell_slow(r->core, &(sdi_slow_call){"read", took, status, read->call->statement,
                                                    status == SHOPDATA_OK ? read->result : NULL});
    }
}

void sdi_count_answer(sdi_core *core, const shopdata_result *result, int64_t took)
{
    size_t source = (size_t)result->source - 1;
    sdi_count(core->metrics, SDI_M_QUERIES, source, 1);
    sdi_count(core->metrics, SDI_M_RESULT_ROWS, source, shopdata_result_rows(result));
    sdi_count(core->metrics, SDI_M_RESULT_BYTES, source, result->rows_length);
    sdi_observe(core->metrics, SDI_M_QUERY_SECONDS, source, took);
    if (result->staleness_ms >= 0)
        sdi_observe(core->metrics, SDI_M_STALENESS, 0, result->staleness_ms * 1000);
    else
        sdi_count(core->metrics, SDI_M_STALENESS_UNKNOWN, 0, 1);
}

static void hand_out(sdi_round *r, int64_t took, shopdata_result **results_out)
{
    for (size_t i = 0; i < r->count; i++) {
        shopdata_result *result = r->reads[i].result;
        sdi_count_answer(r->core, result, took);
        if (result->source == SHOPDATA_FROM_LOCAL)
            sdi_session_saw_local(r->session, &r->reads[i].seen);
        else
            sdi_session_saw(r->session, &r->reads[i].stamp);
        results_out[i] = result;
        r->reads[i].result = NULL;
    }
}

static void end_reads(sdi_round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sdi_planned_done(r->reads[i].planned);
        sdi_tags_free(&r->reads[i].tags);
        sdi_settle_free(r->core, &r->reads[i], false);
        sdi_buffer_free(&r->reads[i].identity);
        sdi_buffer_free(&r->reads[i].key);
        shopdata_result_free(r->reads[i].result);
        shopdata_result_free(r->reads[i].old);
    }
}

static int run_round(shopdata_session *session, sdi_read *reads, size_t count, shopdata_result **results_out,
                     shopdata_error **error_out)
{
    shopdata_error *error = NULL;
    sdi_round r = {.session = session,
                   .core = session->client->core,
                   .reads = reads,
                   .count = count,
                   .begin = sdi_now(),
                   .deadline = sdi_session_deadline(session),
                   .failed = SIZE_MAX};
    int status = sdi_round_prepare(&r, &error);
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
    end_reads(&r);
    return status;
}

/* A read is large: a single one, as most are, stands on the stack. */
int sdi_read_many(shopdata_session *session, const shopdata_call *calls, size_t count, shopdata_result **results_out,
                  shopdata_error **error_out)
{
    bool looked = false;
    shopdata_result *kept = count == 1 ? sdi_local_hit(session, calls, true, &looked) : NULL;
    if (kept) {
        *results_out = kept;
        return SHOPDATA_OK;
    }
    sdi_read one, *reads = count == 1 ? &one : sdi_malloc(count * sizeof *reads);
    if (!reads)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < count; i++)
        sdi_read_begin(&reads[i], &calls[i]);
    reads->looked_locally = looked;
    int status = run_round(session, reads, count, results_out, error_out);
    if (reads != &one)
        sdi_free(reads);
    return status;
}
