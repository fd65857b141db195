#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tool/check.h"

/* The settings that matter, as pg_settings has them: times in milliseconds. */
typedef struct server {
    bool synchronous, feedback;
    int64_t streaming_delay_ms; /* -1: for ever */
    int64_t status_interval_ms;
    int64_t statement_timeout_ms;
    int64_t connections, reserved;
} server;

static const char question[] =
    "SELECT current_setting('synchronous_commit') <> 'off', current_setting('hot_standby_feedback')::bool,"
    " (SELECT setting FROM pg_settings WHERE name = 'max_standby_streaming_delay'),"
    " (SELECT setting::int * 1000 FROM pg_settings WHERE name = 'wal_receiver_status_interval'),"
    " (SELECT setting FROM pg_settings WHERE name = 'statement_timeout'),"
    " current_setting('max_connections'), current_setting('superuser_reserved_connections')";

static int64_t number(const shopdata_result *answer, size_t column)
{
    return strtoll(sdi_check_cell(answer, 0, column), NULL, 10);
}

static bool read_server(const sdi_settings *settings, const sdi_checked_node *node, server *s)
{
    shopdata_result *answer = sdi_check_ask(node, settings, question, NULL);
    if (!answer)
        return false;
    *s = (server){.synchronous = *sdi_check_cell(answer, 0, 0) == 't',
                  .feedback = *sdi_check_cell(answer, 0, 1) == 't',
                  .streaming_delay_ms = number(answer, 2),
                  .status_interval_ms = number(answer, 3),
                  .statement_timeout_ms = number(answer, 4),
                  .connections = number(answer, 5),
                  .reserved = number(answer, 6)};
    shopdata_result_free(answer);
    return true;
}

static void check_standby(const sdi_settings *settings, const server *s, sdi_report *report)
{
    if (!s->feedback)
        sdi_report_note(report, "hot_standby_feedback = on (the primary then keeps dead rows a little longer)",
                        "hot_standby_feedback is off: vacuum on the primary cancels long reads here; they are tried "
                        "elsewhere");
    else if (!s->status_interval_ms)
        sdi_report_note(report, "wal_receiver_status_interval = 1s",
                        "wal_receiver_status_interval is 0: hot_standby_feedback does nothing so");
    else
        sdi_report_good(report, "hot_standby_feedback is on, told every %" PRId64 " ms", s->status_interval_ms);
    if (s->streaming_delay_ms < 0 || s->streaming_delay_ms > settings->route.max_lag_ms)
        sdi_report_note(report, "max_standby_streaming_delay at most route.max_lag, or leave it where long reports run",
                        "max_standby_streaming_delay is %" PRId64 " ms: a long read may hold up the replay so long, "
                        "longer than route.max_lag, %" PRId64 " ms",
                        s->streaming_delay_ms, settings->route.max_lag_ms);
}

static void check_primary(const server *s, sdi_report *report)
{
    if (s->synchronous)
        sdi_report_good(report, "synchronous_commit is not off");
    else
        sdi_report_note(report, "synchronous_commit = on",
                        "synchronous_commit is off: rows lost in a crash stay cached until their TTL");
}

static void check_timeout(const sdi_settings *settings, const server *s, sdi_report *report)
{
    if (s->statement_timeout_ms && s->statement_timeout_ms < settings->deadline_ms)
        sdi_report_note(report, "ALTER ROLE ... SET statement_timeout, at least as long as the deadline",
                        "statement_timeout is %" PRId64 " ms, shorter than shopdata.deadline, %" PRId64 " ms",
                        s->statement_timeout_ms, settings->deadline_ms);
}

/* A process has pool.size connections to each node, and its watcher one. */
static void check_connections(const sdi_settings *settings, const server *s, sdi_report *report)
{
    int64_t each = settings->pool.size + 1, room = (s->connections - s->reserved) / each;
    if (room >= 1)
        sdi_report_good(report,
                        "max_connections is %" PRId64 ": room for %" PRId64 " processes of pool.size %" PRId64
                        " and a watcher",
                        s->connections, room, settings->pool.size);
    else
        sdi_report_problem(report, "a smaller pool.size, a larger max_connections, or a pooler in between",
                           "max_connections is %" PRId64 ", too few for one process of pool.size %" PRId64,
                           s->connections, settings->pool.size);
}

static void check_rights(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report)
{
    static const char sql[] =
        "SELECT count(*) FILTER (WHERE has_table_privilege(c.oid, 'SELECT')),"
        " count(*) FILTER (WHERE has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')"
        " AND has_table_privilege(c.oid, 'DELETE')), count(*), current_user"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'";
    shopdata_result *answer = sdi_check_ask(node, settings, sql, NULL);
    int64_t reads = number(answer, 0), writes = number(answer, 1), tables = number(answer, 2);
    const char *role = sdi_check_cell(answer, 0, 3);
    if (tables && !reads)
        sdi_report_problem(report, "GRANT SELECT on what the service reads",
                           "role %s may read none of %" PRId64 " tables", role, tables);
    else if (tables && !writes && !node->moment.standby)
        sdi_report_note(report, "GRANT INSERT, UPDATE, DELETE on what the service writes, if it does",
                        "role %s may read %" PRId64 " of %" PRId64 " tables and write none", role, reads, tables);
    else
        sdi_report_good(report, "role %s may read %" PRId64 " and write %" PRId64 " of %" PRId64 " tables", role, reads,
                        node->moment.standby ? 0 : writes, tables);
    shopdata_result_free(answer);
}

void sdi_check_server(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report)
{
    server s;
    if (!read_server(settings, node, &s)) {
        sdi_report_note(report, "see what this server lacks of PostgreSQL", "its settings cannot be read");
        return;
    }
    if (node->placed && node->moment.standby)
        check_standby(settings, &s, report);
    else if (node->placed)
        check_primary(&s, report);
    check_timeout(settings, &s, report);
    check_connections(settings, &s, report);
    check_rights(settings, node, report);
}
