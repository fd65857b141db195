#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "postgres/link.h"

enum { CHUNK_ROWS = 64 };

static sdi_pg_command *current(sdi_pg_batch *batch)
{
    return &batch->commands[batch->steps[batch->answered].command];
}

/* An answer comes in pieces, so that one without end stops at the limit and not in memory. */
static void ask_for_pieces(PGconn *pq)
{
#ifdef LIBPQ_HAS_CHUNK_MODE
    PQsetChunkedRowsMode(pq, CHUNK_ROWS);
#else
    PQsetSingleRowMode(pq);
#endif
}

static void add_columns(sdi_pg_batch *batch, const PGresult *answer)
{
    if (batch->described)
        return;
    batch->described = true;
    for (int column = 0; column < PQnfields(answer); column++)
        sdi_result_column(&batch->builder, PQfname(answer, column), PQftype(answer, column));
}

static void add_row(sdi_pg_batch *batch, const PGresult *answer, int row)
{
    for (int column = 0; column < PQnfields(answer); column++) {
        bool null = PQgetisnull(answer, row, column);
        sdi_result_cell(&batch->builder, null ? NULL : PQgetvalue(answer, row, column),
                        (size_t)PQgetlength(answer, row, column));
    }
}

static bool too_large(sdi_pg_batch *batch)
{
    sdi_pg_command *command = current(batch);
    command->outcome = SDI_PG_ERROR;
    sdi_fail(&command->error, SHOPDATA_ERR_TOO_LARGE,
             "%s: the result is over the limit of %zu bytes: ask for fewer rows, or raise max_result_bytes",
             batch->connection->node, batch->max_bytes);
    return sdi_pg_break(batch, SHOPDATA_ERR_TOO_LARGE, "a result is over the limit of max_result_bytes", "");
}

/* The server now waits for data, or sends them, in a form that has no place in a pipeline. */
static bool is_copy(sdi_pg_batch *batch)
{
    static const char text[] = "COPY FROM STDIN and TO STDOUT do not run here: use INSERT or SELECT";
    sdi_pg_command *command = current(batch);
    command->outcome = SDI_PG_ERROR;
    sdi_pg_fail(&command->error, SHOPDATA_ERR_REFUSED, batch->connection->node, text, "");
    return sdi_pg_break(batch, SHOPDATA_ERR_REFUSED, text, "");
}

static bool add_rows(sdi_pg_batch *batch, const PGresult *answer)
{
    add_columns(batch, answer);
    for (int row = 0; row < PQntuples(answer); row++) {
        add_row(batch, answer, row);
        if (sdi_result_size(&batch->builder) > batch->max_bytes)
            return too_large(batch);
    }
    return true;
}

static bool finish(sdi_pg_batch *batch)
{
    sdi_pg_command *command = current(batch);
    command->result = sdi_result_build(&batch->builder);
    batch->described = false;
    if (!command->result)
        return sdi_pg_break(batch, SHOPDATA_ERR_NO_MEMORY, "", "");
    command->result->changed = batch->changed;
    batch->changed = 0;
    command->outcome = SDI_PG_DONE;
    return true;
}

static bool says(const char *sql, const char *word)
{
    sql += strspn(sql, " \t\r\n");
    size_t length = strlen(word);
    return !strncasecmp(sql, word, length) && strchr(" ;\t\r\n", sql[length]);
}

/* The COMMIT of a failed transaction is answered with a friendly ROLLBACK: nobody may take that for a success. */
static bool rolled_back(const sdi_pg_command *command, const PGresult *answer)
{
    return !strcmp(PQcmdStatus((PGresult *)answer), "ROLLBACK") &&
           (says(command->sql, "COMMIT") || says(command->sql, "END"));
}

static bool done(sdi_pg_batch *batch, const PGresult *answer)
{
    const sdi_pg_step *step = &batch->steps[batch->answered];
    sdi_pg_command *command = current(batch);
    if (step->kind == SDI_PG_PREPARE) {
        sdi_pg_statement_settle(batch->connection, step->key, true);
        return true;
    }
    if (!rolled_back(command, answer))
        return finish(batch);
    command->outcome = SDI_PG_ERROR;
    sdi_fail_sql(&command->error, "25P02", "the transaction had failed: COMMIT has rolled it back");
    return true;
}

/* An error without SQLSTATE is libpq's own, for want of memory say: then nobody knows what the server said. */
static bool failed(sdi_pg_batch *batch, const PGresult *answer)
{
    sdi_pg_connection *connection = batch->connection;
    bool own = !PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    if (own || sdi_pg_fatal(answer) || PQstatus(connection->pq) == CONNECTION_BAD)
        return sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "", PQresultErrorMessage(answer));
    const sdi_pg_step *step = &batch->steps[batch->answered];
    sdi_pg_command *command = current(batch);
    sdi_result_builder_free(&batch->builder);
    batch->described = false;
    if (step->key != 0 && sdi_pg_statements_stale(answer))
        connection->start_over = true;
    if (step->kind == SDI_PG_PREPARE)
        sdi_pg_statement_settle(connection, step->key, false);
    command->outcome = SDI_PG_ERROR;
    command->error = sdi_pg_sql_error(answer);
    return true;
}

static void skipped(sdi_pg_batch *batch)
{
    const sdi_pg_step *step = &batch->steps[batch->answered];
    if (step->kind == SDI_PG_PREPARE)
        sdi_pg_statement_settle(batch->connection, step->key, false);
}

/* With chunks the count stands on the last piece that has rows, with single rows on the empty one behind them. */
static void note_changed(sdi_pg_batch *batch, const PGresult *answer)
{
    const char *count = PQcmdTuples((PGresult *)answer);
    if (*count)
        batch->changed = strtoull(count, NULL, 10);
}

static bool take(sdi_pg_batch *batch, const PGresult *answer)
{
    ExecStatusType status = PQresultStatus(answer);
    note_changed(batch, answer);
    switch (status) {
    case PGRES_SINGLE_TUPLE:
#ifdef LIBPQ_HAS_CHUNK_MODE
    case PGRES_TUPLES_CHUNK:
#endif
        return add_rows(batch, answer);
    case PGRES_TUPLES_OK:
        return add_rows(batch, answer) && finish(batch);
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return done(batch, answer);
    case PGRES_FATAL_ERROR:
        return failed(batch, answer);
    case PGRES_PIPELINE_ABORTED:
        skipped(batch);
        return true;
    case PGRES_PIPELINE_SYNC:
        return true;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return is_copy(batch);
    default:
        return sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "an answer that cannot be read here", PQresStatus(status));
    }
}

/* A step's answers end with NULL; a Sync's does not. Row mode must be set before libpq reads the first of them. */
static bool receive_one(sdi_pg_batch *batch, bool *busy)
{
    PGconn *pq = batch->connection->pq;
    enum sdi_pg_step_kind kind = batch->steps[batch->answered].kind;
    if (!batch->reading && kind == SDI_PG_EXECUTE && !current(batch)->small)
        ask_for_pieces(pq);
    batch->reading = true;
    *busy = PQisBusy(pq);
    if (*busy)
        return true;
    PGresult *answer = PQgetResult(pq);
    if (!answer && (kind == SDI_PG_SYNC || !batch->heard))
        return sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "out of step with the server", PQerrorMessage(pq));
    bool good = !answer || take(batch, answer);
    batch->heard = true;
    if (!answer || PQresultStatus(answer) == PGRES_PIPELINE_SYNC) {
        batch->answered++;
        batch->reading = batch->heard = false;
    }
    PQclear(answer);
    return good;
}

bool sdi_pg_receive(sdi_pg_batch *batch)
{
    bool busy = false;
    while (!busy && batch->answered < batch->sent)
        if (!receive_one(batch, &busy))
            return false;
    return true;
}
