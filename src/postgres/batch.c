#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "postgres/link.h"

enum { KEPT_TEXT = 1 << 20 };

bool sdi_pg_break(sdi_pg_batch *batch, int status, const char *what, const char *text)
{
    batch->connection->broken = true;
    batch->status = status;
    if (status == SHOPDATA_ERR_NO_MEMORY)
        sdi_no_memory(&batch->error);
    else
        sdi_pg_fail(&batch->error, status, batch->connection->node, what, text);
    return false;
}

static void add_step(sdi_pg_batch *batch, enum sdi_pg_step_kind kind, size_t command, uint64_t key)
{
    batch->steps[batch->count++] = (sdi_pg_step){kind, command, key};
}

static void plan_command(sdi_pg_batch *batch, size_t i)
{
    uint64_t key = sdi_pg_statement_key(batch->connection, &batch->commands[i]);
    enum sdi_pg_known known = key ? sdi_pg_statement_want(batch->connection, key) : SDI_PG_NO_ROOM;
    if (known == SDI_PG_UNKNOWN)
        add_step(batch, SDI_PG_PREPARE, i, key);
    add_step(batch, SDI_PG_EXECUTE, i, known == SDI_PG_NO_ROOM ? 0 : key);
}

static bool plan(sdi_pg_batch *batch, size_t count, bool apart)
{
    batch->steps = sdi_malloc((3 * count + 1) * sizeof *batch->steps);
    if (!batch->steps)
        return false;
    for (size_t i = 0; i < count; i++) {
        plan_command(batch, i);
        if (apart || i + 1 == count)
            add_step(batch, SDI_PG_SYNC, i, 0);
    }
    return true;
}

/* The connection is lost, but what the server had said before lies in libpq's buffer. */
static bool lost(sdi_pg_batch *batch)
{
    char *reason = sdi_strdup(PQerrorMessage(batch->connection->pq));
    bool good = sdi_pg_receive(batch);
    if (good && batch->answered < batch->count)
        good = sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "", reason ? reason : "the connection was lost");
    sdi_free(reason);
    return good;
}

/* Looks up now and then, for whoever may have given the connection up. */
static int wait_for_socket(sdi_pg_connection *connection, short events, int64_t deadline)
{
    enum { LOOK_UP_MS = 50 };
    for (;;) {
        int64_t until = sdi_deadline_within(deadline, LOOK_UP_MS);
        int ready = sdi_pg_wait(connection->pq, events, until);
        if (ready != 0 || until == deadline || sdi_interrupted() || atomic_load(&connection->given_up))
            return ready;
    }
}

/* Looks for the answers for a moment before anybody sleeps until they come. */
static void look(sdi_pg_batch *batch)
{
    sdi_busy_poll *busy_poll = batch->connection->busy_poll;
    if (!busy_poll || batch->writing || batch->sent < batch->count || !sdi_busy_poll_begin(busy_poll))
        return;
    bool good;
    int64_t since = batch->looked_at = sdi_now();
    do
        good = PQconsumeInput(batch->connection->pq) ? sdi_pg_receive(batch) : lost(batch);
    while (good && batch->answered < batch->count && sdi_busy_poll_again(since));
    sdi_busy_poll_end(busy_poll);
}

static void learn(const sdi_pg_batch *batch)
{
    if (batch->looked_at)
        sdi_busy_poll_learn(batch->connection->busy_poll, sdi_now() - batch->looked_at);
}

static bool is_over(const sdi_pg_batch *batch)
{
    return batch->status < 0 || batch->answered == batch->count;
}

/* True once there is something to go on with, or the batch has failed. */
static bool await(sdi_pg_batch *batch, int64_t until)
{
    sdi_pg_connection *connection = batch->connection;
    int ready = wait_for_socket(connection, batch->writing ? POLLIN | POLLOUT : POLLIN, until);
    if (ready == 0 && !atomic_load(&connection->given_up))
        return false;
    if (ready == 0)
        sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "the server does not answer any more", "");
    else if (ready & ~POLLOUT && !PQconsumeInput(connection->pq))
        lost(batch);
    return true;
}

/* Reads while it writes: a server whose answers nobody takes stops reading, and a large batch would never end. */
bool sdi_pg_batch_go(sdi_pg_batch *batch, int64_t until)
{
    while (!is_over(batch)) {
        if (!sdi_pg_send(batch) || !sdi_pg_receive(batch))
            return true;
        if (!batch->waited)
            look(batch);
        batch->waited = true;
        if (!is_over(batch) && !await(batch, until))
            return false;
    }
    return true;
}

static void tidy_arguments(sdi_pg_arguments *arguments)
{
    if (arguments->text.capacity > KEPT_TEXT || arguments->text.failed)
        sdi_buffer_free(&arguments->text);
}

static void reset(sdi_pg_command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        commands[i].outcome = SDI_PG_NOT_RUN;
        commands[i].sent = false;
        commands[i].result = NULL;
        commands[i].error = NULL;
    }
}

void sdi_pg_batch_begin(sdi_pg_batch *batch, sdi_pg_connection *connection, sdi_pg_command *commands, size_t count,
                        bool apart, size_t max_bytes)
{
    reset(commands, count);
    *batch = (sdi_pg_batch){
        .connection = connection, .commands = commands, .max_bytes = max_bytes, .builder = SDI_RESULT_BUILDER_INIT};
    if (!plan(batch, count, apart))
        sdi_pg_break(batch, SHOPDATA_ERR_NO_MEMORY, "", "");
}

int sdi_pg_batch_end(sdi_pg_batch *batch, shopdata_error **error_out)
{
    learn(batch);
    sdi_free(batch->steps);
    sdi_result_builder_free(&batch->builder);
    tidy_arguments(&batch->connection->arguments);
    if (batch->error)
        sdi_error_move(error_out, batch->error);
    return batch->status;
}

int sdi_pg_batch_run(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, bool apart,
                     size_t max_bytes, int64_t deadline, shopdata_error **error_out)
{
    reset(commands, count);
    if (connection->broken)
        return sdi_pg_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, connection->node, "the connection is broken", "");
    if (sdi_interrupted())
        return sdi_pg_fail(error_out, SHOPDATA_ERR_TIMEOUT, connection->node, "nothing was sent any more", "");
    sdi_pg_batch batch;
    sdi_pg_batch_begin(&batch, connection, commands, count, apart, max_bytes);
    if (!sdi_pg_batch_go(&batch, deadline))
        sdi_pg_break(&batch, SHOPDATA_ERR_TIMEOUT, "no answer before the deadline", "");
    return sdi_pg_batch_end(&batch, error_out);
}

int sdi_pg_run(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, size_t max_bytes,
               int64_t deadline, shopdata_error **error_out)
{
    reset(commands, count);
    if (count == 0)
        return 0;
    int status = sdi_pg_statements_tidy(connection, deadline, error_out);
    if (status < 0)
        return status;
    return sdi_pg_batch_run(connection, commands, count, false, max_bytes, deadline, error_out);
}

int sdi_pg_command_failure(sdi_pg_command *command, shopdata_error **error_out)
{
    int status = shopdata_error_status(command->error);
    sdi_error_move(error_out, command->error);
    command->error = NULL;
    return status;
}

sdi_pg_command sdi_pg_fixed(const char *sql)
{
    return (sdi_pg_command){.sql = sql, .statement = sdi_hash64(sql, strlen(sql)), .small = true};
}

void sdi_pg_commands_free(sdi_pg_command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        shopdata_result_free(commands[i].result);
        shopdata_error_free(commands[i].error);
        commands[i].result = NULL;
        commands[i].error = NULL;
    }
}
