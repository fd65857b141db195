#include "client/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"

/* A commit's WAL reaches a healthy standby in well under a millisecond: so long to wait before it is asked again. A
 * primary that is too old was deposed, or a token that nobody signed asks for a timeline that does not come. */
enum { REPLAY_PAUSE_US = 500, DEPOSED_PAUSE_US = 10000 };

/* One run of sdi_ask_read through the nodes. */
typedef struct trial {
    sdi_core *core;
    sdi_question *question;
    sdi_pg_command *commands; /* [0] asks for the moment, [1] may tell the settings, then come the caller's; the last
                               * asks how far the server has come by then */
    size_t count;
    size_t first, last; /* the caller's are from the one to before the other */
    uint64_t tried;     /* nodes that failed */
    bool certain;       /* no more "perhaps": the time to wait for a replica is up */
    int64_t wait_until; /* for a replica to replay */
    int64_t retries;
    int64_t asked_at;
    bool told; /* where the node stands, `moment`, and how far it has come behind the reads, `reached` (0: unknown) */
    sdi_moment moment;
    sdi_lsn reached;
    bool busy;     /* the last node had no connection to spare */
    size_t failed; /* the command that the server rejected; SIZE_MAX: none */
} trial;

/* What one go on one node came to. */
enum verdict { ANSWERED, TOO_OLD, ELSEWHERE, PRIMARY_ONLY, FINAL };

void sdi_ask_give(sdi_core *core, size_t node, sdi_pg_connection *connection, int status)
{
    sdi_pool *pool = sdi_router_pool(core->router, node);
    sdi_count(core->metrics, SDI_M_STATEMENTS_MENDED, 0, sdi_pg_mended(connection));
    if (status == SHOPDATA_ERR_UNAVAILABLE)
        sdi_router_failed(core->router, node, "a connection was lost in the middle of a statement");
    if (status == SHOPDATA_ERR_TIMEOUT && sdi_pg_broken(connection))
        sdi_pool_give_running(pool, connection);
    else
        sdi_pool_give(pool, connection);
}

int sdi_ask_take(sdi_core *core, size_t node, int64_t deadline, sdi_pg_connection **connection_out,
                 shopdata_error **error_out)
{
    shopdata_error *error = NULL;
    int status = sdi_pool_take(sdi_router_pool(core->router, node), deadline, connection_out, &error);
    if (status == SHOPDATA_ERR_UNAVAILABLE)
        sdi_router_failed(core->router, node, shopdata_error_message(error));
    sdi_error_move(error_out, error);
    return status;
}

static void forget_answers(trial *t)
{
    t->failed = SIZE_MAX;
    sdi_pg_commands_free(t->commands, t->count);
}

static void read_moment(trial *t, const sdi_pg_connection *connection)
{
    const sdi_pg_command *asked = &t->commands[0], *reached = &t->commands[t->last];
    t->told = asked->outcome == SDI_PG_DONE && sdi_moment_read(connection, asked->result, &t->moment);
    t->moment.asked_at = t->asked_at;
    t->reached = reached->outcome == SDI_PG_DONE ? sdi_reached_read(reached->result) : 0;
}

static bool read_stamp(trial *t, size_t node)
{
    sdi_question *question = t->question;
    const sdi_moment moment = t->moment;
    question->stamped = false;
    question->stamp.era = (sdi_era){0};
    if (!t->told || !sdi_router_observe(t->core->router, node, &moment)) /* of another database: its name leads
                                                                            elsewhere now */
        return false;
    question->moment = moment;
    question->node = node;
    question->source = moment.standby ? SHOPDATA_FROM_REPLICA : SHOPDATA_FROM_PRIMARY;
    question->behind_us = moment.standby ? sdi_router_behind(t->core->router, node) : 0;
    question->stamped = sdi_moment_stamp(&moment, &question->stamp);
    question->assumed = !question->stamped && moment.standby && moment.replay;
    if (question->assumed) {
        question->stamp = (sdi_stamp){sdi_router_era(t->core->router, node), .standby = true, .lsn = moment.replay};
        question->stamped = sdi_era_known(question->stamp.era);
    }
    return true;
}

static bool new_enough(const trial *t)
{
    const sdi_question *question = t->question;
    const sdi_need *need = &question->need;
    if (question->source == SHOPDATA_FROM_PRIMARY) /* one that was deposed has not got what came after */
        return !question->stamped || question->stamp.era.timeline >= need->era.timeline;
    if (need->primary)
        return false;
    return need->lsn == 0 ||
           (question->stamped && sdi_era_follows(question->stamp.era, need->era) && question->stamp.lsn >= need->lsn);
}

/* On a standby, 40001 is a conflict with recovery and 25006 a read that must write: others may do better. */
static enum verdict judge_rejection(const trial *t, const sdi_pg_command *command)
{
    const char *sqlstate = shopdata_error_sqlstate(command->error);
    if (t->question->source != SHOPDATA_FROM_REPLICA)
        return FINAL;
    if (!strcmp(sqlstate, "40001"))
        return ELSEWHERE;
    return strcmp(sqlstate, "25006") ? FINAL : PRIMARY_ONLY;
}

static enum verdict judge_commands(trial *t)
{
    for (size_t i = 1; i < t->last; i++) {
        if (t->commands[i].outcome == SDI_PG_DONE)
            continue;
        t->failed = i;
        return judge_rejection(t, &t->commands[i]);
    }
    t->failed = SIZE_MAX;
    return ANSWERED;
}

/* What the server said before the connection broke: a command it rejected (too large, say), else nobody's fault. */
static enum verdict judge_broken(trial *t)
{
    for (size_t i = 1; i < t->last; i++)
        if (t->commands[i].outcome == SDI_PG_ERROR) {
            t->failed = i;
            break;
        }
    return FINAL;
}

static enum verdict judge(trial *t, size_t node, int status)
{
    if (status == SHOPDATA_ERR_UNAVAILABLE)
        return ELSEWHERE;
    if (status != SHOPDATA_OK)
        return judge_broken(t);
    if (!read_stamp(t, node))
        return ELSEWHERE;
    return new_enough(t) ? judge_commands(t) : TOO_OLD;
}

/* What must not be: a stamp that is newer than the answer. */
static int stamp_again(trial *t, sdi_pg_connection *connection, shopdata_error **error)
{
    sdi_pg_commands_free(t->commands, 1);
    return sdi_pg_read(connection, t->commands, 1, (size_t)t->core->settings->max_result_bytes, t->question->deadline,
                       error);
}

/* One whose role has changed since it was last heard of answers in full, and is believed. */
static int ask_node(trial *t, const sdi_choice *choice, sdi_pg_connection *connection, shopdata_error **error)
{
    size_t most = (size_t)t->core->settings->max_result_bytes;
    t->asked_at = sdi_now();
    t->commands[0] = sdi_moment_of(choice->primary);
    t->commands[t->last] = sdi_reached_command(choice->primary);
    int status = sdi_pg_read(connection, t->commands, t->count, most, t->question->deadline, error);
    if (status != SHOPDATA_OK || !sdi_moment_missed(&t->commands[0]))
        return status;
    forget_answers(t);
    t->commands[0] = sdi_moment_command();
    t->commands[t->last] = sdi_reached_command(!choice->primary);
    return sdi_pg_read(connection, t->commands, t->count, most, t->question->deadline, error);
}

/* What took long together is not known one by one. */
static void measure(trial *t)
{
    int64_t took = sdi_now() - t->asked_at;
    for (size_t i = t->first; i < t->last; i++)
        if (t->commands[i].speed && t->commands[i].outcome == SDI_PG_DONE)
            sdi_pg_speed_learn(t->commands[i].speed, took);
}

static enum verdict go_alone(trial *t, const sdi_choice *choice, int *status, shopdata_error **error)
{
    sdi_core *core = t->core;
    sdi_pg_connection *connection;
    *status = sdi_ask_take(core, choice->node, t->question->deadline, &connection, error);
    t->busy = *status == SHOPDATA_ERR_BUSY;
    if (*status != SHOPDATA_OK)
        return *status == SHOPDATA_ERR_TIMEOUT ? FINAL : ELSEWHERE;
    sdi_pool_expendable(sdi_router_pool(core->router, choice->node), connection);
    *status = ask_node(t, choice, connection, error);
    SDI_STEP(answered);
    if (!SDI_RULE(stamp_first) && *status == SHOPDATA_OK)
        *status = stamp_again(t, connection, error);
    if (*status == SHOPDATA_OK)
        measure(t);
    read_moment(t, connection);
    sdi_ask_give(core, choice->node, connection, *status);
    return judge(t, choice->node, *status);
}

/* Many know of a lost connection; the node has failed once. */
static void tell_loss(trial *t, size_t node, const sdi_lanes_answer *answer, const shopdata_error *error)
{
    if (!sdi_lanes_tell(sdi_router_lanes(t->core->router, node), answer->loss))
        return;
    const char *lost = "a connection was lost in the middle of a statement";
    sdi_router_failed(t->core->router, node, answer->connected ? lost : shopdata_error_message(error));
}

static enum verdict go_shared(trial *t, const sdi_choice *choice, int *status, shopdata_error **error)
{
    sdi_lanes_answer answer = {.loss = 0};
    sdi_lanes *lanes = sdi_router_lanes(t->core->router, choice->node);
    *status = sdi_lanes_read(lanes, choice->primary, t->commands + t->first, t->last - t->first, t->question->deadline,
                             &answer, error);
    SDI_STEP(answered);
    t->busy = *status == SHOPDATA_ERR_BUSY;
    if (*status == SHOPDATA_ERR_UNAVAILABLE)
        tell_loss(t, choice->node, &answer, *error);
    if (*status == SDI_LANES_ALONE || t->busy)
        return ELSEWHERE;
    t->told = *status == SHOPDATA_OK;
    t->moment = answer.moment;
    t->reached = answer.reached;
    t->asked_at = answer.moment.asked_at;
    return judge(t, choice->node, *status);
}

/* Settings go before the reads of one caller only. */
static bool may_share(const trial *t, size_t node)
{
    return t->first == 1 && SDI_RULE(stamp_first) &&
           sdi_lanes_suit(sdi_router_lanes(t->core->router, node), t->commands + t->first, t->last - t->first,
                          t->question->deadline);
}

static enum verdict go(trial *t, const sdi_choice *choice, int *status, shopdata_error **error)
{
    sdi_core *core = t->core;
    enum verdict verdict = FINAL;
    *status = SDI_LANES_ALONE;
    sdi_count(core->metrics, SDI_M_NODE_QUERIES, choice->node, t->last - t->first);
    SDI_STEP(ask);
    if (may_share(t, choice->node))
        verdict = go_shared(t, choice, status, error);
    if (*status == SDI_LANES_ALONE)
        verdict = go_alone(t, choice, status, error);
    sdi_router_done(core->router, choice, *status == SHOPDATA_OK ? sdi_now() - t->asked_at : -1);
    return verdict;
}

static int choose(trial *t, sdi_choice *choice, shopdata_error **error_out)
{
    sdi_router *router = t->core->router;
    for (;;) {
        uint64_t seen = sdi_router_changes(router);
        int status = sdi_router_choose(router, &t->question->need, t->tried, t->certain, choice, NULL);
        if (status == SHOPDATA_OK)
            return status;
        if (status == SHOPDATA_ERR_BUSY)
            return sdi_router_choose(router, &t->question->need, t->tried, t->certain, choice, error_out);
        if (t->busy)
            return sdi_fail(error_out, SHOPDATA_ERR_BUSY,
                            "all connections are in use, and stayed so for pool.wait_timeout (pool.size is %lld)",
                            (long long)t->core->settings->pool.size);
        if (t->question->impatient)
            return sdi_router_unavailable(router, t->question->need.primary, error_out);
        if (t->tried) { /* all failed once: whoever is back first gets it */
            t->tried = 0;
            continue;
        }
        if (!sdi_router_wait(router, seen, t->question->deadline))
            return sdi_router_unavailable(router, t->question->need.primary, error_out);
    }
}

/* Too old is no fault: the same replica is asked again a moment later, until the time to wait is up; then the
 * primary. */
static void wait_for_replay(trial *t)
{
    if (t->question->source == SHOPDATA_FROM_PRIMARY)
        sdi_sleep(DEPOSED_PAUSE_US);
    else if (sdi_now() < t->wait_until)
        sdi_sleep(REPLAY_PAUSE_US);
    else {
        if (!t->certain)
            sdi_count(t->core->metrics, SDI_M_FRESHNESS_PRIMARY, 0, 1);
        t->certain = true;
    }
}

/* The connection's error, or the server's of the command that it rejected. */
static const char *why_again(const trial *t, const shopdata_error *error)
{
    if (!error && t->failed != SIZE_MAX)
        error = t->commands[t->failed].error;
    return shopdata_error_message(error ? error : t->commands[0].error);
}

/* Says whether to go on, and prepares for it. */
static bool again(trial *t, enum verdict verdict, size_t node, const shopdata_error *error)
{
    if (verdict == ANSWERED || verdict == FINAL || sdi_passed(t->question->deadline))
        return false;
    if (verdict == TOO_OLD) {
        wait_for_replay(t);
        return true;
    }
    if (t->retries-- <= 0)
        return false;
    sdi_count(t->core->metrics, SDI_M_READ_RETRIES, 0, 1);
    SDI_LOG(t->core->log, SDI_LOG_READ_RETRIED, SDI_TEXT(sdi_router_name(t->core->router, node)),
            SDI_TEXT(why_again(t, error)));
    if (verdict == PRIMARY_ONLY)
        t->question->need.primary = true;
    t->tried |= (uint64_t)1 << node;
    return true;
}

/* The server answered, but where it stands is not known, or not far enough. */
static int without_stamp(trial *t, shopdata_error **error_out)
{
    shopdata_error *said = t->commands[0].error;
    if (!said)
        return sdi_fail(error_out, SHOPDATA_ERR_TIMEOUT, "no node was new enough before the deadline");
    return sdi_fail_sql(error_out, shopdata_error_sqlstate(said), shopdata_error_message(said));
}

static int try_nodes(trial *t, shopdata_error **error_out)
{
    for (;;) {
        sdi_choice choice;
        shopdata_error *error = NULL;
        int status = choose(t, &choice, &error);
        if (status != SHOPDATA_OK) {
            sdi_error_move(error_out, error);
            return status;
        }
        enum verdict verdict = go(t, &choice, &status, &error);
        if (verdict == ANSWERED)
            return SHOPDATA_OK;
        if (!again(t, verdict, choice.node, error)) {
            if (status == SHOPDATA_OK && t->failed == SIZE_MAX)
                status = without_stamp(t, &error);
            sdi_error_move(error_out, error);
            return status;
        }
        shopdata_error_free(error);
        forget_answers(t);
    }
}

void sdi_sign(const sdi_core *core, shopdata_result *answer, size_t node, enum shopdata_source source)
{
    answer->source = source;
    answer->read_at = sdi_wall();
    snprintf(answer->node, sizeof answer->node, "%s", sdi_router_name(core->router, node));
}

static void sign_answers(trial *t)
{
    sdi_question *question = t->question;
    int64_t took = sdi_now() - t->asked_at;
    question->stamp.seen = t->reached;
    for (size_t i = t->first; i < t->last; i++) {
        sdi_sign(t->core, t->commands[i].result, question->node, question->source);
        t->commands[i].result->read_at -= took; /* what was written while it ran may not be in it */
    }
}

static int conclude(trial *t, int status, size_t *failed_out, shopdata_error **error_out)
{
    *failed_out = SIZE_MAX;
    if (t->failed == SIZE_MAX)
        return status;
    if (t->failed >= t->first)
        *failed_out = t->failed - t->first;
    sdi_error_clear(error_out);
    sdi_pg_command *command = &t->commands[t->failed];
    return command->error ? sdi_pg_command_failure(command, error_out) : SHOPDATA_ERR_SQL;
}

int sdi_ask_read(sdi_core *core, sdi_question *question, sdi_pg_command *commands, size_t count, size_t *failed_out,
                 shopdata_error **error_out)
{
    size_t first = question->settings ? 2 : 1, last = first + count;
    sdi_pg_command *all = sdi_calloc(last + 1, sizeof *all);
    *failed_out = SIZE_MAX;
    if (!all)
        return sdi_no_memory(error_out);
    if (question->settings)
        all[1] = *question->settings;
    memcpy(all + first, commands, count * sizeof *all);
    trial t = {.core = core,
               .question = question,
               .commands = all,
               .count = last + 1,
               .first = first,
               .last = last,
               .wait_until = sdi_deadline_in(core->settings->route.wait_for_replica_ms),
               .retries = core->settings->route.retries,
               .failed = SIZE_MAX};
    shopdata_error *error = NULL;
    int status = try_nodes(&t, &error);
    if (status == SHOPDATA_OK && t.failed == SIZE_MAX)
        sign_answers(&t);
    status = conclude(&t, status, failed_out, &error);
    sdi_error_move(error_out, error);
    sdi_pg_commands_free(all, first);
    sdi_pg_commands_free(all + last, 1);
    memcpy(commands, all + first, count * sizeof *all);
    sdi_free(all);
    return status;
}

int sdi_ask_catalog(sdi_core *core, sdi_need *need, sdi_pg_command *commands, size_t count, int64_t deadline,
                    shopdata_error **error_out)
{
    size_t failed;
    sdi_question question = {.need.primary = need->primary, .deadline = deadline};
    sdi_core_catalog_need(core, &question.need.era, &question.need.lsn);
    sdi_raise(&need->era, &need->lsn, question.need.era, question.need.lsn);
    int status = sdi_ask_read(core, &question, commands, count, &failed, error_out);
    if (status == SHOPDATA_OK && question.stamped)
        sdi_raise(&need->era, &need->lsn, question.stamp.era, question.stamp.seen);
    return status;
}

int sdi_ask_primary(sdi_core *core, int64_t deadline, size_t *node_out, sdi_pg_connection **connection_out,
                    shopdata_error **error_out)
{
    sdi_router *router = core->router;
    for (;;) {
        uint64_t seen = sdi_router_changes(router);
        if (sdi_router_primary(router, node_out)) {
            int status = sdi_ask_take(core, *node_out, deadline, connection_out, error_out);
            if (status != SHOPDATA_ERR_UNAVAILABLE || sdi_passed(deadline))
                return status;
            sdi_error_clear(error_out); /* the failure changed what is known, so the wait below ends at once */
        }
        if (!sdi_router_wait(router, seen, deadline))
            return sdi_router_unavailable(router, true, error_out);
    }
}
