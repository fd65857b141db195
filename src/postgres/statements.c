/* Prepared statements of one connection, named by their identity.
 *
 * The table starts over (DEALLOCATE ALL, in a round trip of its own) when it is full, and when an error shows that the
 * server holds something else: one mechanism for both, and after a change of a table it mends all statements on it at
 * once. Dropping the least recently used one by one would be no better where it counts: a program that walks through
 * more statements than there is room for misses each time either way.
 *
 * DEALLOCATE never goes into the caller's batch: it takes a snapshot, and BEGIN ISOLATION LEVEL behind it would fail.
 */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "postgres/link.h"

static char sent, held;

/* The parameter types are part of what is prepared: bytes are declared as bytea, all else is left to the server. */
uint64_t sdi_pg_statement_key(const sdi_pg_connection *connection, const sdi_pg_command *command)
{
    if (!connection->prepared || command->statement == 0)
        return 0;
    uint64_t key = command->statement;
    for (size_t i = 0; i < command->count; i++) {
        uint64_t with_bytes[] = {key, i};
        if (command->params[i].kind == SHOPDATA_BYTES)
            key = sdi_hash64(with_bytes, sizeof with_bytes);
    }
    return key ? key : 1;
}

void sdi_pg_statement_name(uint64_t key, char name[SDI_PG_STATEMENT_NAME])
{
    static const char begin[] = "shopdata_";
    memcpy(name, begin, sizeof begin - 1);
    sdi_hex(name + sizeof begin - 1, key, 16);
    name[sizeof begin - 1 + 16] = '\0';
}

static sdi_slice key_slice(const uint64_t *key)
{
    return (sdi_slice){(const char *)key, sizeof *key};
}

enum sdi_pg_known sdi_pg_statement_want(sdi_pg_connection *connection, uint64_t key)
{
    if (sdi_map_get(&connection->statements, key_slice(&key)))
        return SDI_PG_KNOWN;
    if (connection->statements.used >= SDI_PG_STATEMENTS_MAX)
        return SDI_PG_NO_ROOM;
    return sdi_map_set(&connection->statements, key_slice(&key), &sent) ? SDI_PG_UNKNOWN : SDI_PG_NO_ROOM;
}

void sdi_pg_statement_settle(sdi_pg_connection *connection, uint64_t key, bool prepared)
{
    if (!prepared)
        sdi_map_remove(&connection->statements, key_slice(&key));
    else if (!sdi_map_set(&connection->statements, key_slice(&key), &held))
        connection->start_over = true;
}

bool sdi_pg_statements_stale(const PGresult *answer)
{
    const char *state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char *routine = PQresultErrorField(answer, PG_DIAG_SOURCE_FUNCTION);
    if (!state)
        return false;
    if (!strcmp(state, "0A000"))
        return routine && !strcmp(routine, "RevalidateCachedQuery");
    return !strcmp(state, "26000") || !strcmp(state, "42P05");
}

bool sdi_pg_statements_are_due(const sdi_pg_connection *connection)
{
    bool due = connection->start_over || connection->statements.used >= SDI_PG_STATEMENTS_MAX;
    return due && sdi_pg_transaction(connection) == SDI_PG_IDLE;
}

sdi_pg_command sdi_pg_statements_drop(void)
{
    return (sdi_pg_command){.sql = "DEALLOCATE ALL"};
}

void sdi_pg_statements_dropped(sdi_pg_connection *connection)
{
    sdi_map_free(&connection->statements);
    connection->start_over = false;
}

int sdi_pg_statements_tidy(sdi_pg_connection *connection, int64_t deadline, shopdata_error **error_out)
{
    if (!sdi_pg_statements_are_due(connection))
        return 0;
    sdi_pg_command drop = sdi_pg_statements_drop();
    int status = sdi_pg_batch_run(connection, &drop, 1, false, SIZE_MAX, deadline, error_out);
    sdi_pg_commands_free(&drop, 1);
    if (status == 0)
        sdi_pg_statements_dropped(connection);
    return status;
}
