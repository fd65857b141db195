/* Reads that do not depend on one another share a Sync; what one's error did to the others is mended here. */
#include "base/error.h"
#include "postgres/link.h"

size_t sdi_pg_find(const sdi_pg_command *commands, size_t from, size_t count, enum sdi_pg_outcome outcome)
{
    while (from < count && commands[from].outcome != outcome)
        from++;
    return from;
}

/* sdi_pg_run drops the statements before it runs again what the server would not take: once, then it is an error. */
bool sdi_pg_mend(sdi_pg_connection *connection, sdi_pg_command *commands, size_t at, size_t *mended_next)
{
    if (!connection->start_over || at < *mended_next || sdi_pg_transaction(connection) != SDI_PG_IDLE)
        return false;
    *mended_next = at + 1;
    connection->mended++;
    sdi_pg_commands_free(&commands[at], 1);
    return true;
}

/* The command that leads those behind it; `count` if there is none. */
static size_t find_lead(const sdi_pg_command *commands, size_t count)
{
    size_t i = 0;
    while (i < count && !commands[i].leads)
        i++;
    return i;
}

/* Its effect ended with the Sync: those behind it run again with it in front, and what they had answered is dropped. */
static size_t start_at(sdi_pg_command *commands, size_t error, size_t lead)
{
    if (lead >= error)
        return error;
    sdi_pg_commands_free(commands + lead, error - lead);
    return lead;
}

int sdi_pg_read(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, size_t max_bytes,
                int64_t deadline, shopdata_error **error_out)
{
    size_t from = 0, mended_next = 0, lead = find_lead(commands, count);
    while (from < count) {
        int status = sdi_pg_run(connection, commands + from, count - from, max_bytes, deadline, error_out);
        if (status < 0)
            return status;
        size_t error = sdi_pg_find(commands, from, count, SDI_PG_ERROR);
        if (error == count)
            return 0;
        if (sdi_pg_mend(connection, commands, error, &mended_next))
            from = start_at(commands, error, lead);
        else if (lead < count)
            return 0;
        else
            from = error + 1;
    }
    return 0;
}
