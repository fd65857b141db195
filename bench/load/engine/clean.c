/* clean.c - `shopload clean` drops what load has made, and nothing else; `shopload status` tells what is there. */
#include <stdio.h>

#include "commands.h"
#include "fault.h"
#include "json.h"
#include "marker.h"
#include "options.h"
#include "schema.h"

static bool take_conninfo(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    *(const char **)into = value;
    return true;
}

/* The one option of both. */
static const load_option options[] = {
    {"conninfo", "FILE", "a file whose first line says where the primary is, as libpq has it", take_conninfo},
};

/* NULL: it has complained. */
static const char *conninfo_of(int count, char **arguments)
{
    load_fault fault;
    const char *conninfo = NULL;
    bool good = load_options_read(options, 1, count, arguments, &conninfo, &fault);
    if (good && !conninfo)
        good = load_fail(&fault, "--conninfo FILE is missing");
    if (!good)
        load_complain("%s: %s", arguments[0], fault.text);
    return good ? conninfo : NULL;
}

static void begin_line(load_json *json, const char *type)
{
    load_json_begin(json, NULL);
    load_json_text(json, "type", type);
}

static bool end_line(load_json *json)
{
    load_json_end(json);
    return load_json_line(json);
}

static int obey(int count, char **arguments, const char *head, PGconn *(*connect)(const char *path),
                bool (*work)(PGconn *database))
{
    if (load_options_asked(count, arguments)) {
        load_options_help(head, options, 1);
        return LOAD_EXIT_GOOD;
    }
    const char *conninfo = conninfo_of(count, arguments);
    if (!conninfo)
        return LOAD_EXIT_USAGE;
    PGconn *database = connect(conninfo);
    bool good = database && work(database);
    PQfinish(database);
    return good ? LOAD_EXIT_GOOD : LOAD_EXIT_FAILED;
}

/* ---- clean */

static bool clean(PGconn *database)
{
    enum load_state state;
    load_marker marker;
    bool kept = false;
    if (!load_marker_look(database, &state, &marker))
        return false;
    if (state == LOAD_STATE_FOREIGN) {
        load_complain("database %s has a schema `shopbench` that is not ours (no marker): it is left alone",
                      PQdb(database));
        return false;
    }
    bool there = state == LOAD_STATE_PARTIAL || state == LOAD_STATE_COMPLETE;
    if (there && (!load_sql(database, "BEGIN") || !load_schema_drop(database, &kept) || !load_sql(database, "COMMIT")))
        return false;
    load_json json = {.file = stdout};
    begin_line(&json, "cleaned");
    load_json_flag(&json, "was_there", there);
    load_json_flag(&json, "schema_kept", kept);
    return end_line(&json);
}

int load_clean_main(int count, char **arguments)
{
    return obey(count, arguments, "shopload clean - drops what load has made\n\n", load_connect_primary, clean);
}

/* ---- status */

static bool tell(PGconn *database)
{
    enum load_state state;
    load_marker marker = {.complete = false};
    if (!load_marker_look(database, &state, &marker))
        return false;
    load_json json = {.file = stdout};
    begin_line(&json, "status");
    load_json_text(&json, "state", load_state_name(state));
    if (state == LOAD_STATE_PARTIAL || state == LOAD_STATE_COMPLETE)
        load_json_size(&json, &marker.size);
    return end_line(&json);
}

int load_status_main(int count, char **arguments)
{
    return obey(count, arguments, "shopload status - tells what is there\n\n", load_connect, tell);
}
