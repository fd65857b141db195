#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "tool/check.h"

shopdata_result *sdi_check_ask(const sdi_checked_node *node, const sdi_settings *settings, const char *sql,
                               shopdata_error **error_out)
{
    sdi_pg_command ask = {.sql = sql};
    int64_t deadline = sdi_deadline_in(settings->deadline_ms);
    int status = sdi_pg_run(node->connection, &ask, 1, (size_t)settings->max_result_bytes, deadline, error_out);
    if (status == SHOPDATA_OK && ask.outcome != SDI_PG_DONE)
        sdi_pg_command_failure(&ask, error_out);
    return status == SHOPDATA_OK && ask.outcome == SDI_PG_DONE ? ask.result : NULL;
}

const char *sdi_check_cell(const shopdata_result *result, size_t row, size_t column)
{
    const char *text = NULL;
    shopdata_result_text(result, row, column, &text, NULL, NULL);
    return text ? text : "";
}

/* Where a connection string leads; of what it says nothing secret is shown. */
static void show_conninfo(const char *conninfo, sdi_buffer *out)
{
    static const char *const shown[] = {"host", "hostaddr", "port", "dbname", "user", "sslmode"};
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        for (const PQconninfoOption *at = options; at && at->keyword; at++)
            if (!strcmp(at->keyword, shown[i]) && at->val)
                sdi_buffer_printf(out, "%s%s=%s", out->length ? " " : "", at->keyword, at->val);
    PQconninfoFree(options);
}

static void show_title(const sdi_node_settings *node)
{
    sdi_buffer where = SDI_BUFFER_INIT;
    show_conninfo(node->conninfo, &where);
    sdi_report_title("node %s: %s", node->name, where.data ? where.data : "");
    sdi_buffer_free(&where);
}

static bool reach(const sdi_settings *settings, sdi_checked_node *node, sdi_report *report)
{
    shopdata_error *error = NULL;
    int64_t deadline = sdi_deadline_in(settings->pool.connect_timeout_ms);
    if (sdi_pg_connect(node->settings->conninfo, settings->pool.prepared, deadline, &node->connection, &error) == 0)
        return true;
    sdi_report_problem(report, "see that the server runs, that the network lets through, and that conninfo is right",
                       "cannot be reached: %s", shopdata_error_message(error));
    shopdata_error_free(error);
    return false;
}

static bool place(const sdi_settings *settings, sdi_checked_node *node, sdi_report *report)
{
    shopdata_error *error = NULL;
    sdi_pg_command ask = sdi_moment_command();
    int64_t begin = sdi_now();
    shopdata_result *answer = sdi_check_ask(node, settings, ask.sql, &error);
    double ms = (double)(sdi_now() - begin) / 1000;
    node->placed = answer && sdi_moment_read(node->connection, answer, &node->moment);
    shopdata_result_free(answer);
    if (!node->placed)
        sdi_report_problem(report,
                           "the library needs a PostgreSQL that tells its WAL positions; some that are only alike "
                           "(Aurora) refuse that",
                           "does not tell where it stands: %s",
                           error ? shopdata_error_message(error) : "a malformed answer");
    else
        sdi_report_good(report, "is a %s, and answered in %.1f ms", node->moment.standby ? "replica" : "primary", ms);
    shopdata_error_free(error);
    return node->placed;
}

static void check_version(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report)
{
    shopdata_result *answer = sdi_check_ask(node, settings,
                                            "SELECT current_setting('server_version'), "
                                            "current_setting('server_version_num')",
                                            NULL);
    if (strtol(sdi_check_cell(answer, 0, 1), NULL, 10) >= 140000)
        sdi_report_good(report, "PostgreSQL %s", sdi_check_cell(answer, 0, 0));
    else
        sdi_report_note(report, "upgrade to 14 or newer, which is what the library is tested with",
                        "PostgreSQL %s is old", sdi_check_cell(answer, 0, 0));
    shopdata_result_free(answer);
}

static void check_tls(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report)
{
    shopdata_result *answer = sdi_check_ask(
        node, settings,
        "SELECT ssl, coalesce(version, ''), inet_server_addr() IS NULL FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        NULL);
    if (*sdi_check_cell(answer, 0, 0) == 't')
        sdi_report_good(report, "%s", sdi_check_cell(answer, 0, 1));
    else if (*sdi_check_cell(answer, 0, 2) == 't')
        sdi_report_good(report, "a local socket: needs no TLS");
    else
        sdi_report_note(report, "add sslmode=verify-full and sslrootcert=FILE to conninfo",
                        "no TLS: who is on the way reads along");
    shopdata_result_free(answer);
}

/* It is not needed while the server is the primary, which it may not stay. */
static void check_monitor(const sdi_moment *moment, bool may_look, sdi_report *report)
{
    if (!moment->standby && !may_look)
        sdi_report_note(report, "GRANT pg_monitor to the role",
                        "the role is no member of pg_monitor: as a replica, after a failover, it could not fence");
}

/* Without these there are no fences. */
static void check_fences(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report)
{
    const sdi_moment *moment = &node->moment;
    shopdata_result *answer =
        sdi_check_ask(node, settings, "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')", NULL);
    bool may_look = *sdi_check_cell(answer, 0, 0) == 't';
    shopdata_result_free(answer);
    if (!moment->era.system)
        sdi_report_problem(report, "GRANT EXECUTE ON FUNCTION pg_control_system() to the role",
                           "no fences: its system identifier cannot be read");
    else if (moment->standby && !moment->era.timeline && !may_look)
        sdi_report_problem(report, "GRANT pg_monitor to the role",
                           "no fences: the role may not see the timeline (pg_stat_wal_receiver.received_tli)");
    else if (moment->standby && !moment->era.timeline)
        sdi_report_problem(report, "see why the replica does not stream (primary_conninfo, its log)",
                           "no fences: its wal receiver does not run, so its timeline is not known");
    else if (!moment->standby && !moment->snapshot_known)
        sdi_report_problem(report, "PostgreSQL 13 or newer has pg_current_snapshot()",
                           "no fences: its snapshot cannot be read");
    else
        sdi_report_good(report, "can fence: system %llu, timeline %u, %s", (unsigned long long)moment->era.system,
                        moment->era.timeline, moment->standby ? "replay position" : "snapshot and flush position");
    check_monitor(moment, may_look, report);
}

void sdi_check_node(const sdi_settings *settings, const sdi_node_settings *node, sdi_checked_node *checked,
                    sdi_report *report)
{
    checked->settings = node;
    show_title(node);
    if (!reach(settings, checked, report))
        return;
    if (place(settings, checked, report))
        check_fences(settings, checked, report);
    check_version(settings, checked, report);
    check_tls(settings, checked, report);
    sdi_check_server(settings, checked, report);
}
