#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "tool/check.h"

static const sdi_checked_node *primary_of(const sdi_checked_node *nodes, size_t count, sdi_report *report)
{
    const sdi_checked_node *primary = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].placed || nodes[i].moment.standby)
            continue;
        if (primary)
            sdi_report_problem(report, "turn the one of the older timeline into a replica (pg_rewind)",
                               "%s and %s both say that they are the primary", primary->settings->name,
                               nodes[i].settings->name);
        if (!primary || nodes[i].moment.era.timeline > primary->moment.era.timeline)
            primary = &nodes[i];
    }
    if (!primary)
        sdi_report_problem(report, "add the primary as a node; which one it is is found out",
                           "none of the nodes is a primary: nothing can be written, and nothing new is cached");
    return primary;
}

/* The first one that was reached is what the others are held against. */
static void check_same(const sdi_checked_node *first, const sdi_checked_node *other, sdi_report *report)
{
    const char *name = other->settings->name;
    if (strcmp(sdi_pg_identity(first->connection), sdi_pg_identity(other->connection)) != 0)
        sdi_report_problem(report, "the same dbname and user for all nodes, and no search_path of its own for one",
                           "%s leads to another database, role or search_path than %s", name, first->settings->name);
    if (first->placed && other->placed && first->moment.era.system && other->moment.era.system &&
        first->moment.era.system != other->moment.era.system)
        sdi_report_problem(report, "all nodes must be one primary and its streaming replicas",
                           "%s is not of the same cluster as %s: its system identifier is another", name,
                           first->settings->name);
}

/* Asked anew: what the primary said may be older than what the replica has replayed since, and the other way round. */
static bool ask_again(const sdi_settings *settings, sdi_checked_node *replica)
{
    sdi_pg_command ask = sdi_moment_command();
    shopdata_result *answer = sdi_check_ask(replica, settings, ask.sql, NULL);
    bool told = answer && sdi_moment_read(replica->connection, answer, &replica->moment);
    shopdata_result_free(answer);
    return told;
}

static void check_lag(const sdi_settings *settings, const sdi_checked_node *primary, sdi_checked_node *replica,
                      sdi_report *report)
{
    const char *name = replica->settings->name;
    if (!ask_again(settings, replica))
        return;
    const sdi_moment *moment = &replica->moment;
    uint64_t bytes = primary->moment.flush > moment->replay ? primary->moment.flush - moment->replay : 0;
    double seconds = bytes && moment->replay_age_seconds > 0 ? moment->replay_age_seconds : 0;
    if (moment->era.timeline && moment->era.timeline != primary->moment.era.timeline)
        sdi_report_problem(report, "let it follow the new primary (pg_rewind, primary_conninfo)",
                           "%s is on timeline %u, the primary on %u: its answers are not used", name,
                           moment->era.timeline, primary->moment.era.timeline);
    else if (seconds * 1000 > (double)settings->route.max_lag_ms)
        sdi_report_note(report, "look at its log, its disk and what runs on it",
                        "%s is %.1f s and %" PRIu64 " bytes behind, more than route.max_lag", name, seconds, bytes);
    else
        sdi_report_good(report, "%s is %" PRIu64 " bytes behind", name, bytes);
}

void sdi_check_fleet(const sdi_settings *settings, sdi_checked_node *nodes, size_t count, sdi_report *report)
{
    const sdi_checked_node *first = NULL;
    sdi_report_title("the nodes together");
    const sdi_checked_node *primary = primary_of(nodes, count, report);
    if (primary)
        sdi_report_good(report, "%s is the primary", primary->settings->name);
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].connection)
            continue;
        if (first)
            check_same(first, &nodes[i], report);
        else
            first = &nodes[i];
        if (primary && nodes[i].placed && nodes[i].moment.standby)
            check_lag(settings, primary, &nodes[i], report);
    }
}
