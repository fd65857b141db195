#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/ask.h"
#include "client/fencing.h"
#include "client/mark.h"
#include "client/session.h"

static sdi_pg_command command(const char *sql)
{
    return (sdi_pg_command){.sql = sql};
}

bool sdi_in_transaction(const shopdata_session *session)
{
    return session->transaction.connection != NULL || session->transaction.lost;
}

static bool is_parents(const shopdata_session *session)
{
    return session->transaction.generation != session->client->generation;
}

/* The transaction is over; its connection goes back as `status` of the last batch says. */
static void end(shopdata_session *session, int status)
{
    sdi_transaction *transaction = &session->transaction;
    if (!is_parents(session) && transaction->connection)
        sdi_ask_give(session->client->core, transaction->node, transaction->connection, status);
    transaction->connection = NULL;
    transaction->lost = transaction->schema = false;
    sdi_buffer_free(&transaction->tags);
}

static int check_open(shopdata_session *session, shopdata_error **error_out)
{
    if (!sdi_in_transaction(session))
        return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION, "no transaction is open; call shopdata_begin first");
    if (!is_parents(session))
        return SHOPDATA_OK;
    end(session, SHOPDATA_OK);
    return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                    "the transaction was begun before fork() and is the parent's; begin another one here");
}

static int check_there(shopdata_session *session, shopdata_error **error_out)
{
    int status = check_open(session, error_out);
    if (status != SHOPDATA_OK || !session->transaction.lost)
        return status;
    return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                    "the transaction was lost with its connection, and rolled back; call shopdata_rollback");
}

static int check_sound(shopdata_session *session, shopdata_error **error_out)
{
    int status = check_there(session, error_out);
    if (status != SHOPDATA_OK || sdi_pg_transaction(session->transaction.connection) != SDI_PG_FAILED)
        return status;
    return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                    "the transaction has failed; call shopdata_rollback, or shopdata_rollback_to a savepoint");
}

/* Runs commands and finds the first that the server rejected. A broken connection ends the transaction: the server
 * rolls it back. */
static int run(shopdata_session *session, sdi_pg_command *commands, size_t count, size_t *failed_out,
               shopdata_error **error_out)
{
    sdi_transaction *transaction = &session->transaction;
    int64_t limit = session->client->core->settings->max_result_bytes;
    int status =
        sdi_pg_run(transaction->connection, commands, count, (size_t)limit, sdi_session_deadline(session), error_out);
    *failed_out = SIZE_MAX;
    for (size_t i = 0; i < count && *failed_out == SIZE_MAX; i++)
        if (commands[i].outcome == SDI_PG_ERROR)
            *failed_out = i;
    if (status == SHOPDATA_OK && *failed_out != SIZE_MAX) {
        status = sdi_pg_command_failure(&commands[*failed_out], error_out);
    }
    if (sdi_pg_broken(transaction->connection)) {
        end(session, status == SHOPDATA_ERR_TOO_LARGE ? SHOPDATA_OK : status);
        transaction->lost = true;
    }
    return status;
}

int sdi_transaction_run(shopdata_session *session, sdi_pg_command *commands, size_t count, size_t *failed_out,
                        shopdata_error **error_out)
{
    *failed_out = SIZE_MAX;
    int status = check_sound(session, error_out);
    return status == SHOPDATA_OK ? run(session, commands, count, failed_out, error_out) : status;
}

static int run_one(shopdata_session *session, const char *sql, shopdata_error **error_out)
{
    size_t failed;
    sdi_pg_command one = command(sql);
    int status = run(session, &one, 1, &failed, error_out);
    sdi_pg_commands_free(&one, 1);
    return status;
}

/* A connection that was lost behind the answer is NULL. */
void sdi_saw_until(shopdata_session *session, const sdi_pg_connection *connection, const sdi_pg_command *moment_answer)
{
    sdi_moment moment;
    bool known = connection && moment_answer->outcome == SDI_PG_DONE &&
                 sdi_moment_read(connection, moment_answer->result, &moment);
    sdi_session_saw(session, known ? &(sdi_stamp){.era = moment.era, .seen = moment.insert} : NULL);
}

/* After a transaction that did not commit, and whose connection is as `status` says: what it saw counts all the same.
 */
static void look_back(shopdata_session *session, int status)
{
    size_t failed;
    sdi_pg_command moment = sdi_moment_of(true);
    if (status == SHOPDATA_OK)
        run(session, &moment, 1, &failed, NULL);
    sdi_saw_until(session, session->transaction.connection, &moment);
    sdi_pg_commands_free(&moment, 1);
}

static int run_begin(shopdata_session *session, const char *text, shopdata_error **error_out)
{
    size_t failed;
    sdi_pg_command both[2] = {command(text)};
    size_t count = sdi_settings_command(session, &both[1]) ? 2 : 1;
    int status = run(session, both, count, &failed, error_out);
    sdi_pg_commands_free(both, count);
    return status;
}

static const char *begin_text(unsigned isolation)
{
    static const char *const texts[] = {
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE",
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",   "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
    };
    unsigned level = isolation & ~(unsigned)SHOPDATA_READ_ONLY;
    return level > SHOPDATA_SERIALIZABLE ? NULL : texts[level + (isolation & SHOPDATA_READ_ONLY ? 3 : 0)];
}

int sdi_begin(shopdata_session *session, unsigned isolation, shopdata_error **error_out)
{
    sdi_core *core = session->client->core;
    sdi_transaction *transaction = &session->transaction;
    const char *text = begin_text(isolation);
    if (!text)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "unknown isolation %u; use enum shopdata_isolation",
                        isolation);
    if (sdi_in_transaction(session) && !is_parents(session))
        return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                        "a transaction is open already; commit or roll it back, or use shopdata_savepoint");
    if (sdi_in_transaction(session))
        end(session, SHOPDATA_OK);
    int status =
        sdi_ask_primary(core, sdi_session_deadline(session), &transaction->node, &transaction->connection, error_out);
    if (status != SHOPDATA_OK)
        return status;
    transaction->generation = session->client->generation;
    sdi_count(core->metrics, SDI_M_TRANSACTIONS, 0, 1);
    status = run_begin(session, text, error_out);
    if (status != SHOPDATA_OK && sdi_in_transaction(session))
        end(session, status);
    return status;
}

static int run_rollback(shopdata_session *session, shopdata_error **error_out)
{
    size_t failed;
    sdi_pg_command both[2] = {command("ROLLBACK"), sdi_moment_of(true)};
    int status = run(session, both, 2, &failed, error_out);
    sdi_saw_until(session, session->transaction.connection, &both[1]);
    sdi_pg_commands_free(both, 2);
    return failed == 1 ? SHOPDATA_OK : status;
}

/* Of a commit that was refused: also if for want of the caller's patience. */
static void undo(shopdata_session *session)
{
    sdi_interrupt_hold();
    run_rollback(session, NULL);
    sdi_interrupt_resume();
}

int sdi_rollback(shopdata_session *session, shopdata_error **error_out)
{
    int status = check_open(session, error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (!session->transaction.lost)
        status = run_rollback(session, error_out);
    else
        sdi_session_saw(session, NULL);
    end(session, status);
    return status;
}

void sdi_transaction_abandon(shopdata_session *session)
{
    if (!sdi_in_transaction(session))
        return;
    if (is_parents(session)) {
        end(session, SHOPDATA_OK);
        return;
    }
    sdi_core *core = session->client->core;
    sdi_count(core->metrics, SDI_M_TRANSACTIONS_ABANDONED, 0, 1);
    SDI_LOG(core->log, SDI_LOG_TRANSACTION_ABANDONED,
            SDI_TEXT(sdi_router_name(core->router, session->transaction.node)));
    sdi_rollback(session, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- commit */

enum { XID, COMMIT, MOMENT, COMMIT_STEPS };

sdi_pg_command sdi_xid_command(void)
{
    return sdi_pg_fixed("SELECT pg_catalog.pg_current_xact_id_if_assigned(),"
                        " pg_catalog.current_setting('synchronous_commit') <> 'off'");
}

bool sdi_wrote(const sdi_pg_command *xid)
{
    return xid->outcome == SDI_PG_DONE && shopdata_result_is_null(xid->result, 0, 0) == 0;
}

/* What holds behind COMMIT says nothing of it: a transaction may have a setting of its own. */
static bool was_synchronous(const sdi_pg_command *xid)
{
    sdi_slice text;
    return sdi_result_at(xid->result, 0, 1, &text) && *text.data == 't';
}

/* The write stands: its fences are moved, or deleted where its point did not come to be known. */
int sdi_written(shopdata_session *session, const sdi_committing *c, sdi_buffer *keys)
{
    sdi_moment moment;
    sdi_change change = {.settled.count = 0};
    sdi_point *point = &change.point;
    const sdi_pg_command *xid = &c->steps[c->count - 3], *asked = &c->steps[c->count - 1];
    bool known = asked->outcome == SDI_PG_DONE && sdi_moment_read(c->connection, asked->result, &moment) &&
                 sdi_moment_written(&moment, was_synchronous(xid), point);
    sdi_session_wrote(session, known ? point : NULL);
    if (known)
        sdi_placed(c->core, point);
    if (known &&
        c->mark.made) /* not up to the insert position: a crash may lose that, and the xid be given out again */
        change.settled = (sdi_pendings){1, {{c->mark.pending.xid, moment.flush}}};
    SDI_STEP(committed);
    int status = sdi_fence(c->core, keys, known ? &change : NULL);
    SDI_STEP(fenced);
    if (status == SHOPDATA_OK || c->mark.made)
        return SHOPDATA_OK;
    sdi_session_unfenced(session, keys);
    return status;
}

/* Nobody knows whether the write stands: it is taken as if it did. First its backend is made sure to be gone, so that
 * it cannot commit after the fences were deleted. */
int sdi_ambiguous(shopdata_session *session, size_t node, const sdi_pg_backend_id *backend, sdi_buffer *keys,
                  shopdata_error **error_out)
{
    sdi_core *core = session->client->core;
    sdi_doubtful_end(core, node, backend, keys);
    sdi_session_wrote(session, NULL);
    SDI_STEP(ended);
    if (SDI_RULE(ambiguous_fenced) && sdi_fence(core, keys, NULL) == SHOPDATA_UNFENCED)
        sdi_session_unfenced(session, keys);
    SDI_LOG(core->log, SDI_LOG_COMMIT_AMBIGUOUS, SDI_TEXT(sdi_router_name(core->router, node)));
    sdi_error_clear(error_out);
    return sdi_fail(error_out, SHOPDATA_ERR_AMBIGUOUS,
                    "the connection to %s was lost after COMMIT was sent: the write may or may not stand; look before "
                    "you repeat it",
                    sdi_router_name(core->router, node));
}

static int conclude(shopdata_session *session, sdi_committing *c, int broke, sdi_buffer *keys,
                    shopdata_error **error_out)
{
    sdi_pg_command *steps = c->steps;
    if (steps[COMMIT].outcome == SDI_PG_DONE) {
        sdi_error_clear(error_out); /* what failed after COMMIT never turns success into failure */
        if (sdi_wrote(&steps[XID]))
            return sdi_written(session, c, keys);
        sdi_saw_until(session, c->connection, &steps[MOMENT]);
        return SHOPDATA_OK;
    }
    if (c->refused != SHOPDATA_OK)
        undo(session);
    else
        look_back(session, broke);
    for (size_t i = XID; i <= COMMIT; i++)
        if (steps[i].outcome == SDI_PG_ERROR)
            return sdi_pg_command_failure(&steps[i], error_out);
    return broke != SHOPDATA_OK ? broke : c->refused;
}

/* COMMIT was sent, and no answer came to it. */
static bool fate_unknown(const sdi_committing *c, int broke)
{
    const sdi_pg_command *steps = c->steps;
    bool read_only = steps[XID].outcome == SDI_PG_DONE && !sdi_wrote(&steps[XID]);
    return broke != SHOPDATA_OK && steps[COMMIT].sent && steps[COMMIT].outcome == SDI_PG_NOT_RUN &&
           steps[XID].outcome != SDI_PG_ERROR && !read_only;
}

static int commit(shopdata_session *session, sdi_committing *c, sdi_buffer *keys, shopdata_error **error)
{
    sdi_transaction *transaction = &session->transaction;
    size_t node = transaction->node;
    sdi_pg_backend_id backend = sdi_pg_backend(c->connection);
    int broke = sdi_commit_run(c, error);
    int status = conclude(session, c, broke, keys, error);
    bool unknown = fate_unknown(c, broke);
    if (sdi_in_transaction(session))
        end(session, broke);
    if (unknown)
        return sdi_ambiguous(session, node, &backend, keys, error);
    if (status < SHOPDATA_OK)
        sdi_mark_withdraw(c->core, keys, &c->mark);
    return status;
}

int sdi_commit(shopdata_session *session, shopdata_error **error_out)
{
    sdi_transaction *transaction = &session->transaction;
    sdi_core *core = session->client->core;
    int status = check_sound(session, error_out);
    if (status != SHOPDATA_OK && sdi_in_transaction(session))
        sdi_rollback(session, NULL); /* it is over in every case */
    if (status != SHOPDATA_OK)
        return status;
    sdi_pg_command steps[COMMIT_STEPS] = {sdi_xid_command(), command("COMMIT"), sdi_moment_of(true)};
    shopdata_error *error = NULL;
    sdi_buffer keys = transaction->tags;
    bool schema = transaction->schema;
    transaction->tags = (sdi_buffer)SDI_BUFFER_INIT;
    sdi_committing committing = {.core = core,
                                 .connection = transaction->connection,
                                 .steps = steps,
                                 .count = COMMIT_STEPS,
                                 .keys = &keys,
                                 .deadline = sdi_session_deadline(session)};
    status = commit(session, &committing, &keys, &error);
    /* After the write's position is known: a plan made under the new number then asks who has replayed it. */
    if (schema)
        sdi_core_schema_changed(core);
    sdi_error_move(error_out, error);
    sdi_pg_commands_free(steps, COMMIT_STEPS);
    sdi_buffer_free(&keys);
    return status;
}

/* ------------------------------------------------------------------------------------------------------ savepoints */

static int quote_name(const char *name, sdi_buffer *text, shopdata_error **error_out)
{
    enum { NAME_MAX_BYTES = 63 };
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > NAME_MAX_BYTES)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a savepoint's name has 1 to %d bytes, not %zu",
                        NAME_MAX_BYTES, length);
    sdi_buffer_char(text, '"');
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '"')
            sdi_buffer_char(text, '"');
        sdi_buffer_char(text, name[i]);
    }
    sdi_buffer_char(text, '"');
    return SHOPDATA_OK;
}

int sdi_savepoint(shopdata_session *session, enum sdi_savepoint what, const char *name, shopdata_error **error_out)
{
    static const char *const texts[] = {"SAVEPOINT ", "ROLLBACK TO SAVEPOINT ", "RELEASE SAVEPOINT "};
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_text(&text, texts[what]);
    int status = quote_name(name, &text, error_out);
    if (status == SHOPDATA_OK)
        status = what == SDI_SAVEPOINT_BACK ? check_there(session, error_out) : check_sound(session, error_out);
    if (status == SHOPDATA_OK)
        status = text.failed ? sdi_no_memory(error_out) : run_one(session, text.data, error_out);
    sdi_buffer_free(&text);
    return status;
}
