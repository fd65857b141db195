#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "client/ask.h"
#include "client/fencing.h"
#include "client/mark.h"
#include "client/session.h"
#include "client/slow.h"

/* A write that is a transaction of its own goes in one round trip (in strict mode in two, see mark.h). Of a session
 * without settings BEGIN stands in their place, and what stands before it is not sent. */
enum { BEGIN, SETTINGS, CHANGE, XID, COMMIT, MOMENT, STEPS };

typedef struct write {
    shopdata_session *session;
    shopdata_statement *statement;
    sdi_planned *planned;
    const shopdata_param *params;
    size_t count;
    int64_t deadline;
    bool unprepared; /* the prepared form was no longer taken */
    sdi_buffer keys; /* of the fences */
} write;

static int check_kind(const write *w, shopdata_error **error_out)
{
    if (sdi_plan_kind(w->planned->plan) != SDI_PLAN_UNDECLARED)
        return SHOPDATA_OK;
    return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "%s: %.60s", sdi_plan_reason(w->planned->plan),
                    w->statement->text);
}

static int find_keys(write *w, shopdata_error **error_out)
{
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_fence_tags(w->session->client->core, w->planned->plan, w->params, w->count, &tags);
    sdi_fence_keys(w->session->client->core, &tags, &w->keys);
    bool failed = sdi_tags_failed(&tags) || w->keys.failed;
    sdi_tags_free(&tags);
    return failed ? sdi_no_memory(error_out) : SHOPDATA_OK;
}

static sdi_pg_command change_command(const write *w)
{
    return (sdi_pg_command){.sql = w->statement->text,
                            .statement = w->unprepared ? 0 : w->planned->number,
                            .params = w->params,
                            .count = w->count};
}

/* After an error the server skips the rest of the pipeline, a ROLLBACK in it too: it goes by itself. */
static int roll_back(sdi_pg_connection *connection, int64_t deadline)
{
    sdi_pg_command rollback = {.sql = "ROLLBACK"};
    sdi_interrupt_hold();
    int status = sdi_pg_run(connection, &rollback, 1, SIZE_MAX, deadline, NULL);
    sdi_interrupt_resume();
    sdi_pg_commands_free(&rollback, 1);
    return status;
}

static size_t first_error(const sdi_pg_command *steps)
{
    for (size_t i = BEGIN; i <= COMMIT; i++)
        if (steps[i].outcome == SDI_PG_ERROR)
            return i;
    return STEPS;
}

/* COMMIT was sent along: a result too large to take, too, leaves open whether the server got that far. */
static bool fate_unknown(const sdi_pg_command *steps, size_t at)
{
    if (!steps[COMMIT].sent)
        return false;
    return at == STEPS || shopdata_error_status(steps[at].error) == SHOPDATA_ERR_TOO_LARGE;
}

enum next { DONE, REPEAT };

/* Some rejections mean "not here" or "not so", and are worth another go. */
static enum next rejected(write *w, size_t node, const shopdata_error *error)
{
    const char *sqlstate = shopdata_error_sqlstate(error);
    if (!strcmp(sqlstate, "25006") && !sdi_passed(w->deadline)) {
        uint64_t seen = sdi_router_changes(w->session->client->core->router);
        sdi_router_suspect(w->session->client->core->router, node);
        sdi_router_wait(w->session->client->core->router, seen, w->deadline);
        return REPEAT;
    }
    if (!w->unprepared && (!strcmp(sqlstate, "0A000") || !strcmp(sqlstate, "26000"))) {
        w->unprepared = true;
        return REPEAT;
    }
    return DONE;
}

/* After the write's position is known: whoever makes a plan under the new number asks a node that has replayed it. */
static void note_schema(const write *w)
{
    if (sdi_plan_changes_schema(w->planned->plan))
        sdi_core_schema_changed(w->session->client->core);
}

static int succeed(write *w, sdi_committing *c, shopdata_result **result_out)
{
    int status = SHOPDATA_OK;
    sdi_pg_command *steps = c->steps + c->count - STEPS;
    if (sdi_wrote(&steps[XID]))
        status = sdi_written(w->session, c, &w->keys);
    else
        sdi_saw_until(w->session, c->connection, &steps[MOMENT]);
    note_schema(w);
    *result_out = steps[CHANGE].result;
    steps[CHANGE].result = NULL;
    return status;
}

static int lost(write *w, size_t node, sdi_pg_connection *connection, int broke, shopdata_error **error)
{
    sdi_pg_backend_id backend = sdi_pg_backend(connection);
    sdi_ask_give(w->session->client->core, node, connection, broke);
    int status = sdi_ambiguous(w->session, node, &backend, &w->keys, error);
    note_schema(w);
    return status;
}

/* What the server rejected has not happened, nor what was not committed. */
static int fail(write *w, sdi_committing *c, size_t at, int *broke, shopdata_error **error)
{
    int status = *broke != SHOPDATA_OK ? *broke : c->refused;
    if (at < STEPS) {
        sdi_error_clear(error);
        status = sdi_pg_command_failure(&(c->steps + c->count - STEPS)[at], error);
    }
    if (*broke == SHOPDATA_OK && sdi_pg_transaction(c->connection) != SDI_PG_IDLE)
        *broke = roll_back(c->connection, sdi_session_deadline(w->session));
    sdi_mark_withdraw(c->core, &w->keys, &c->mark);
    return status;
}

/* Judges the answers and gives the connection back. */
static int conclude(write *w, size_t node, sdi_committing *c, int broke, enum next *next, shopdata_result **result_out,
                    shopdata_error **error)
{
    const sdi_pg_command *steps = c->steps + c->count - STEPS;
    size_t at = first_error(steps);
    int status;
    if (steps[COMMIT].outcome == SDI_PG_DONE) {
        sdi_error_clear(error); /* what failed after COMMIT never turns success into failure */
        status = succeed(w, c, result_out);
    } else if (fate_unknown(steps, at)) {
        return lost(w, node, c->connection, broke, error);
    } else {
        status = fail(w, c, at, &broke, error);
        *next = rejected(w, node, *error);
    }
    sdi_ask_give(c->core, node, c->connection, broke);
    return status;
}

static int try_once(write *w, enum next *next, shopdata_result **result_out, shopdata_error **error)
{
    size_t node;
    sdi_pg_connection *connection;
    sdi_core *core = w->session->client->core;
    int status = sdi_ask_primary(core, w->deadline, &node, &connection, error);
    if (status != SHOPDATA_OK)
        return status;
    sdi_count(core->metrics, SDI_M_NODE_QUERIES, node, 1);
    const sdi_pg_command begin = sdi_pg_fixed("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    sdi_pg_command steps[STEPS] = {
        begin, begin, change_command(w), sdi_xid_command(), sdi_pg_fixed("COMMIT"), sdi_moment_of(true)};
    size_t first = sdi_settings_command(w->session, &steps[SETTINGS]) ? BEGIN : SETTINGS;
    sdi_committing committing = {.core = core,
                                 .connection = connection,
                                 .steps = steps + first,
                                 .count = STEPS - first,
                                 .keys = &w->keys,
                                 .deadline = w->deadline};
    int broke = sdi_commit_run(&committing, error);
    status = conclude(w, node, &committing, broke, next, result_out, error);
    if (status >= SHOPDATA_OK)
        sdi_sign(core, *result_out, node, SHOPDATA_FROM_PRIMARY);
    sdi_pg_commands_free(steps, STEPS);
    return status;
}

static int write_alone(write *w, shopdata_result **result_out, shopdata_error **error_out)
{
    shopdata_error *error = NULL;
    enum next next;
    int status;
    do {
        sdi_error_clear(&error);
        next = DONE;
        status = try_once(w, &next, result_out, &error);
    } while (next == REPEAT && !sdi_passed(w->deadline));
    sdi_error_move(error_out, error);
    return status;
}

static int write_in_transaction(write *w, shopdata_result **result_out, shopdata_error **error_out)
{
    size_t failed;
    sdi_transaction *transaction = &w->session->transaction;
    sdi_pg_command change = change_command(w);
    if (!sdi_buffer_reserve(&transaction->tags, w->keys.length))
        return sdi_no_memory(error_out); /* before it runs: a change whose tags are forgotten must not be committed */
    int status = sdi_transaction_run(w->session, &change, 1, &failed, error_out);
    if (status == SHOPDATA_OK) {
        transaction->schema |= sdi_plan_changes_schema(w->planned->plan);
        sdi_buffer_append(&transaction->tags, w->keys.data, w->keys.length);
        *result_out = change.result;
        change.result = NULL;
        sdi_sign(w->session->client->core, *result_out, transaction->node, SHOPDATA_FROM_PRIMARY);
    }
    sdi_pg_commands_free(&change, 1);
    return status;
}

static void tell(const write *w, int64_t took, int status, const shopdata_result *result)
{
    sdi_core *core = w->session->client->core;
    if (status >= SHOPDATA_OK) {
        sdi_count(core->metrics, SDI_M_WRITES, 0, 1);
        sdi_observe(core->metrics, SDI_M_WRITE_SECONDS, 0, took);
    }
    if (w->statement && sdi_is_slow(core, took))
        sdi_tell_slow(core, &(sdi_slow_call){"write", took, status, w->statement, result});
}

int sdi_write(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params, size_t count,
              shopdata_result **result_out, shopdata_error **error_out)
{
    write w = {.session = session,
               .statement = statement,
               .params = params,
               .count = count,
               .deadline = sdi_session_deadline(session)};
    shopdata_result *result = NULL;
    int64_t begin = sdi_now();
    int status = sdi_statement_check(statement, session->client, params, count, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_session_plan(session, statement, true, w.deadline, &w.planned, error_out);
    if (status == SHOPDATA_OK)
        status = check_kind(&w, error_out);
    if (status == SHOPDATA_OK)
        status = find_keys(&w, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_in_transaction(session) ? write_in_transaction(&w, &result, error_out)
                                             : write_alone(&w, &result, error_out);
    tell(&w, sdi_now() - begin, status, result);
    sdi_planned_done(w.planned);
    sdi_buffer_free(&w.keys);
    if (status >= SHOPDATA_OK && result_out)
        *result_out = result;
    else
        shopdata_result_free(result);
    return status;
}

/* ------------------------------------------------------------------------------------------------------ invalidate */

/* A write bumps a row's tag and its table's; a bulk change the table's two. Who invalidates by hand means the same. For
 * a tag of the application's own the second name is nobody's: no harm. */
static void add_with_kin(sdi_tags *tags, const char *tag)
{
    const char *slash = strchr(tag, '/');
    sdi_tags_add(tags, sdi_slice_of(tag));
    if (slash) {
        sdi_tags_add(tags, (sdi_slice){tag, (size_t)(slash - tag)});
        return;
    }
    sdi_buffer bulk = SDI_BUFFER_INIT;
    sdi_buffer_printf(&bulk, "%s/*", tag);
    if (bulk.failed)
        tags->texts.failed = true;
    else
        sdi_tags_add(tags, (sdi_slice){bulk.data, bulk.length});
    sdi_buffer_free(&bulk);
}

static int wait_for_space(sdi_core *core, shopdata_error **error_out)
{
    sdi_slice space;
    int64_t deadline = sdi_deadline_in(core->settings->deadline_ms);
    for (;;) {
        uint64_t seen = sdi_router_changes(core->router);
        if (sdi_core_space(core, &space, NULL))
            return SHOPDATA_OK;
        if (!sdi_router_wait(core->router, seen, deadline))
            return sdi_router_unavailable(core->router, false, error_out);
    }
}

int sdi_invalidate(shopdata_client *client, const char *const *tags, size_t count, shopdata_error **error_out)
{
    sdi_core *core = client->core;
    sdi_tags named = SDI_TAGS_INIT;
    sdi_buffer keys = SDI_BUFFER_INIT;
    if (!sdi_mode_fences(core->settings->cache.mode))
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED,
                        "cache.mode is ttl: there are no fences to move, an answer is kept until its ttl is up");
    int status = wait_for_space(core, error_out);
    if (status != SHOPDATA_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        add_with_kin(&named, tags[i]);
    sdi_fence_keys(core, &named, &keys);
    status = sdi_tags_failed(&named) || keys.failed ? sdi_no_memory(error_out) : sdi_fence(core, &keys, NULL);
    sdi_tags_free(&named);
    sdi_buffer_free(&keys);
    return status;
}
