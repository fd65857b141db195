#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/ask.h"
#include "client/round.h"
#include "client/settle.h"
#include "client/stale.h"

/* What locks rows does so until its batch is over: it shares none. */
sdi_pg_command sdi_read_command(const sdi_read *read)
{
    bool locks = sdi_plan_kind(read->planned->plan) == SDI_PLAN_PRIMARY;
    return (sdi_pg_command){.sql = read->call->statement->text,
                            .statement = read->planned->number,
                            .speed = locks ? NULL : &read->planned->speed,
                            .params = read->call->params,
                            .count = read->call->count};
}

static bool wants_primary(const sdi_read *read)
{
    return (read->flags & SHOPDATA_PRIMARY) || read->mixed_eras || sdi_is_pending(read) ||
           sdi_plan_kind(read->planned->plan) == SDI_PLAN_PRIMARY;
}

/* Some of the reads, asked of the database together. */
typedef struct group {
    size_t *members; /* numbers of reads */
    size_t count;
    sdi_need need;
    bool impatient; /* all have an old answer to fall back on */
} group;

/* A replica that has not come so far answers by another schema than the key tells of. Without a primary it shall
 * answer all the same, but nobody else. */
static bool knows_schema(const sdi_read *read, const sdi_question *question)
{
    const sdi_need *need = &read->planned->need;
    return question->source == SHOPDATA_FROM_PRIMARY || need->lsn == 0 ||
           (sdi_era_follows(question->stamp.era, need->era) && question->stamp.lsn >= need->lsn);
}

/* A node that has not come so far does not know all that the plan found. */
static void need_of_schema(const sdi_round *r, const sdi_read *read, sdi_need *need)
{
    size_t primary;
    if (read->planned->final && sdi_router_primary(r->core->router, &primary))
        sdi_raise(&need->era, &need->lsn, read->planned->need.era, read->planned->need.lsn);
}

/* Fences that cannot be read, because the cache does not answer or the caller does not want it asked: for want of
 * better, an answer must show this process's own writes. */
static bool lacks_fences(const sdi_round *r, const sdi_read *read)
{
    return sdi_mode_fences(r->core->settings->cache.mode) && sdi_plan_kind(read->planned->plan) == SDI_PLAN_CACHED;
}

/* While fences can be read they say how new an answer must be. Else it may not lag too far: of other processes' writes
 * nothing is known then. A write that stands, but whose position did not come to be known, is looked for on the
 * primary: the process's others while there is one. */
static void need_of(const sdi_round *r, const sdi_read *read, sdi_need *need)
{
    int64_t tolerated_ms = r->session->max_staleness_ms;
    need_of_schema(r, read, need);
    if (read->fences_read && !tolerated_ms) {
        size_t kind = read->result && !shopdata_result_rows(read->result) ? 1 : 0;
        if (read->demanded[kind])
            sdi_raise(&need->era, &need->lsn, read->demand[kind].era, read->demand[kind].lsn);
        return;
    }
    size_t node;
    if (SDI_RULE(own_writes))
        need->primary |= !sdi_session_position(r->session, &need->era, &need->lsn);
    need->limit_lag = true;
    need->lag_max_ms = tolerated_ms ? tolerated_ms : r->core->settings->route.max_lag_ms;
    if (lacks_fences(r, read) && !tolerated_ms && SDI_RULE(own_writes))
        need->primary |= !sdi_last_write(r->core, &need->era, &need->lsn) && sdi_router_primary(r->core->router, &node);
}

static void gather(const sdi_round *r, group *g, bool primary)
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

/* No further behind than the session tolerates. */
static bool lags_little(const sdi_read *read, const sdi_question *question)
{
    return question->behind_us >= 0 && question->behind_us <= read->session->max_staleness_ms * 1000;
}

/* An answer of the primary has all that was written before it was asked. A replica's must pass what the fences demand;
 * a primary that was deposed does not know the newer era. */
static bool fresh_enough(const sdi_read *read, const sdi_question *question)
{
    size_t kind = shopdata_result_rows(read->result) ? 0 : 1;
    if (!read->fences_read)
        return !read->session->max_staleness_ms || lags_little(read, question);
    if (question->source == SHOPDATA_FROM_PRIMARY)
        return !question->stamped || !read->demanded[kind] ||
               question->stamp.era.timeline >= read->demand[kind].era.timeline;
    return question->stamped && sdi_answer_passes(read, read->result, &question->stamp);
}

/* What is written in an answer before anybody else sees it: that it is as old as the look at the fences it passed,
 * which came before it was read; or, where there were none, how far its node was behind. What is kept without fences
 * goes on ageing from there: where that is not known, nothing is kept. */
static void sign_freshness(sdi_read *read, const sdi_question *question)
{
    shopdata_result *answer = read->result;
    if (read->fences_read) {
        answer->read_at = read->looked_at;
    } else if (read->cached && question->behind_us >= 0) {
        answer->read_at -= question->behind_us;
        answer->staleness_ms = sdi_stale_ms(read, answer, false);
    } else if (question->behind_us != 0) {
        answer->staleness_ms = question->behind_us < 0 ? -1 : question->behind_us / 1000 + 1;
        read->stamped = false;
    }
}

/* Good for this session, and nobody else. */
static bool tolerated(sdi_core *core, sdi_read *read, const sdi_question *question)
{
    if (!read->session->max_staleness_ms || !question->stamped || !lags_little(read, question) ||
        !sdi_stale_allowed(core, read, &question->stamp))
        return false;
    read->stamped = read->unstored = false;
    read->result->staleness_ms = question->behind_us / 1000 + 1;
    return true;
}

static void take_answers(sdi_round *r, const group *g, const sdi_question *question, sdi_pg_command *commands)
{
    for (size_t i = 0; i < g->count; i++) {
        sdi_read *read = &r->reads[g->members[i]];
        shopdata_result_free(read->result);
        read->result = commands[i].result;
        commands[i].result = NULL;
        read->stamped = question->stamped && !question->assumed && knows_schema(read, question);
        read->stamp = question->stamp;
        read->unstored = true;
        if (question->source == SHOPDATA_FROM_PRIMARY)
            sdi_settle_find(read, &question->moment);
        sign_freshness(read, question);
        if (fresh_enough(read, question) || tolerated(r->core, read, question))
            read->state = SDI_READ_DONE;
    }
}

static int ask_group(sdi_round *r, const group *g, shopdata_error **error_out)
{
    size_t failed;
    sdi_pg_command settings;
    bool declared = sdi_settings_command(r->session, &settings);
    sdi_question question = {
        .need = g->need, .deadline = r->deadline, .impatient = g->impatient, .settings = declared ? &settings : NULL};
    sdi_pg_command *commands = sdi_calloc(g->count, sizeof *commands);
    if (!commands)
        return sdi_no_memory(error_out);
    for (size_t i = 0; i < g->count; i++)
        commands[i] = sdi_read_command(&r->reads[g->members[i]]);
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
static int ask_open(sdi_round *r, group *g, bool primary, shopdata_error **error_out)
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

int sdi_round_ask(sdi_round *r, shopdata_error **error_out)
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
