#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "model/param.h"
#include "postgres/link.h"

enum { WINDOW = 65536, OID_BYTEA = 17, FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

static bool grow(void **array, size_t count, size_t size)
{
    void *larger = sdi_realloc(*array, count * size);
    if (larger)
        *array = larger;
    return larger != NULL;
}

static bool make_room(sdi_pg_arguments *arguments, size_t count)
{
    if (count <= arguments->capacity)
        return true;
    size_t room = count + 8;
    if (!grow((void **)&arguments->values, room, sizeof *arguments->values) ||
        !grow((void **)&arguments->lengths, room, sizeof *arguments->lengths) ||
        !grow((void **)&arguments->formats, room, sizeof *arguments->formats) ||
        !grow((void **)&arguments->types, room, sizeof *arguments->types))
        return false;
    arguments->capacity = room;
    return true;
}

/* Texts go into one buffer, which moves as it grows: only offsets until all are in. */
static void set_argument(sdi_pg_arguments *arguments, size_t i, const shopdata_param *param)
{
    arguments->values[i] = NULL;
    arguments->lengths[i] = 0;
    arguments->formats[i] = param->kind == SHOPDATA_BYTES ? FORMAT_BINARY : FORMAT_TEXT;
    arguments->types[i] = param->kind == SHOPDATA_BYTES ? OID_BYTEA : 0;
    if (param->kind == SHOPDATA_BYTES) {
        arguments->values[i] = param->value.bytes.data;
        arguments->lengths[i] = (int)param->value.bytes.length;
    } else if (param->kind != SHOPDATA_NULL) {
        arguments->lengths[i] = (int)arguments->text.length;
        sdi_param_text(param, &arguments->text);
        sdi_buffer_char(&arguments->text, '\0');
    }
}

static bool fill_arguments(sdi_pg_arguments *arguments, const sdi_pg_command *command)
{
    sdi_buffer_clear(&arguments->text);
    if (!make_room(arguments, command->count))
        return false;
    for (size_t i = 0; i < command->count; i++)
        set_argument(arguments, i, &command->params[i]);
    if (arguments->text.failed || arguments->text.length > INT_MAX)
        return false;
    for (size_t i = 0; i < command->count; i++) {
        int kind = command->params[i].kind;
        if (kind != SHOPDATA_NULL && kind != SHOPDATA_BYTES)
            arguments->values[i] = arguments->text.data + arguments->lengths[i];
    }
    return true;
}

static size_t arguments_size(const sdi_pg_arguments *arguments, const sdi_pg_command *command)
{
    size_t size = arguments->text.length;
    for (size_t i = 0; i < command->count; i++)
        size += command->params[i].kind == SHOPDATA_BYTES ? command->params[i].value.bytes.length : 4;
    return size;
}

static int send_prepare(sdi_pg_batch *batch, const sdi_pg_step *step)
{
    const sdi_pg_command *command = &batch->commands[step->command];
    sdi_pg_arguments *arguments = &batch->connection->arguments;
    char name[SDI_PG_STATEMENT_NAME];
    sdi_pg_statement_name(step->key, name);
    return PQsendPrepare(batch->connection->pq, name, command->sql, (int)command->count, arguments->types);
}

static int send_execute(sdi_pg_batch *batch, const sdi_pg_step *step)
{
    const sdi_pg_command *command = &batch->commands[step->command];
    sdi_pg_arguments *with = &batch->connection->arguments;
    int count = (int)command->count;
    if (step->key == 0)
        return PQsendQueryParams(batch->connection->pq, command->sql, count, with->types, with->values, with->lengths,
                                 with->formats, FORMAT_TEXT);
    char name[SDI_PG_STATEMENT_NAME];
    sdi_pg_statement_name(step->key, name);
    return PQsendQueryPrepared(batch->connection->pq, name, count, with->values, with->lengths, with->formats,
                               FORMAT_TEXT);
}

static bool send_step(sdi_pg_batch *batch, const sdi_pg_step *step)
{
    PGconn *pq = batch->connection->pq;
    if (step->kind == SDI_PG_SYNC)
        return PQpipelineSync(pq) || sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "", PQerrorMessage(pq));
    sdi_pg_command *command = &batch->commands[step->command];
    sdi_pg_arguments *arguments = &batch->connection->arguments;
    if (!fill_arguments(arguments, command))
        return sdi_pg_break(batch, SHOPDATA_ERR_NO_MEMORY, "", "");
    batch->window += strlen(command->sql) + arguments_size(arguments, command);
    command->sent |= step->kind == SDI_PG_EXECUTE; /* closing flushes what libpq holds: queued counts as sent */
    if (!(step->kind == SDI_PG_PREPARE ? send_prepare(batch, step) : send_execute(batch, step)))
        return sdi_pg_break(batch, SHOPDATA_ERR_UNAVAILABLE, "", PQerrorMessage(pq));
    return true;
}

static bool flush(sdi_pg_batch *batch)
{
    int left = PQflush(batch->connection->pq);
    batch->writing = left > 0;
    if (left == 0)
        batch->window = 0;
    return left >= 0;
}

/* No more than a window at a time: libpq would copy all of a large batch, and keep the answers that arrive meanwhile.
 * A write that fails is not the end yet: what the server said before it hung up is still to be read. */
bool sdi_pg_send(sdi_pg_batch *batch)
{
    while (batch->sent < batch->count) {
        if (batch->window >= WINDOW && (!flush(batch) || batch->writing))
            return true;
        if (!send_step(batch, &batch->steps[batch->sent]))
            return false;
        batch->sent++;
    }
    flush(batch);
    return true;
}
