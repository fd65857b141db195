#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "postgres/link.h"

enum { PIN, CHECK_INTERVAL, SYSTEM, SELF, QUESTIONS };

/* Pinned are the settings that an answer or its text depends on, and the isolation that stamps rest on: the replay
 * position read in one statement bounds the next one's snapshot only where each statement has its own.
 * client_connection_check_interval lets the server notice a client that is gone while a statement runs; older servers
 * and some platforms do not have it. */
static const char *const questions[QUESTIONS] = {
    [PIN] = "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('client_encoding', 'UTF8'),"
            " ('TimeZone', 'UTC'), ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('bytea_output', 'hex'),"
            " ('extra_float_digits', '1'), ('standard_conforming_strings', 'on'), ('transform_null_equals', 'off'),"
            " ('array_nulls', 'on'), ('quote_all_identifiers', 'off'), ('gin_fuzzy_search_limit', '0'),"
            " ('timezone_abbreviations', 'Default'), ('xmlbinary', 'base64'), ('xmloption', 'content'),"
            " ('default_transaction_isolation', 'read committed')) AS pinned (name, value)",
    [CHECK_INTERVAL] = "SET client_connection_check_interval = '2s'",
    [SYSTEM] = "SELECT system_identifier FROM pg_catalog.pg_control_system()",
    [SELF] = "SELECT pid, backend_start, pg_catalog.current_database(), current_user,"
             " pg_catalog.current_setting('search_path')"
             " FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())",
};

static const char *cell(const shopdata_result *result, size_t column)
{
    sdi_slice text;
    return sdi_result_at(result, 0, column, &text) ? text.data : "";
}

static void keep_system(sdi_pg_connection *connection, const sdi_pg_command *answer)
{
    if (answer->outcome == SDI_PG_DONE)
        connection->system = strtoull(cell(answer->result, 0), NULL, 10);
}

static int keep_self(sdi_pg_connection *connection, const sdi_pg_command *answer, shopdata_error **error_out)
{
    const shopdata_result *self = answer->result;
    connection->backend.pid = (int32_t)strtol(cell(self, 0), NULL, 10);
    snprintf(connection->backend.started, sizeof connection->backend.started, "%s", cell(self, 1));
    sdi_buffer identity = SDI_BUFFER_INIT;
    sdi_buffer_printf(&identity, "%s\n%s\n%s", cell(self, 2), cell(self, 3), cell(self, 4));
    connection->identity = sdi_buffer_take(&identity);
    return connection->identity ? 0 : sdi_no_memory(error_out);
}

/* Without these the connection is not what its users rely on. */
static int require(sdi_pg_connection *connection, sdi_pg_command *answer, shopdata_error **error_out)
{
    if (answer->outcome == SDI_PG_DONE)
        return 0;
    return sdi_pg_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, connection->node, "setting up the session",
                       shopdata_error_message(answer->error));
}

int sdi_pg_setup(sdi_pg_connection *connection, int64_t deadline, shopdata_error **error_out)
{
    sdi_pg_command commands[QUESTIONS] = {0};
    for (size_t i = 0; i < QUESTIONS; i++)
        commands[i].sql = questions[i];
    int status = sdi_pg_batch_run(connection, commands, QUESTIONS, true, SIZE_MAX, deadline, error_out);
    if (status == 0)
        status = require(connection, &commands[PIN], error_out);
    if (status == 0)
        status = require(connection, &commands[SELF], error_out);
    if (status == 0) {
        keep_system(connection, &commands[SYSTEM]);
        status = keep_self(connection, &commands[SELF], error_out);
    }
    sdi_pg_commands_free(commands, QUESTIONS);
    return status;
}
