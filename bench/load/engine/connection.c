#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

/* The first line, without its end; NULL: it has complained. */
static char *first_line(const char *path)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    if (!file || getline(&line, &size, file) <= 0) {
        load_complain("--conninfo %s: %s", path, file ? "the file is empty" : "it cannot be read");
        free(line);
        line = NULL;
    }
    if (line)
        line[strcspn(line, "\r\n")] = '\0';
    if (file)
        fclose(file);
    return line;
}

/* libpq's own message quotes what it does not understand, and that may be a password. */
static bool is_conninfo(const char *text, const char *path)
{
    PQconninfoOption *parsed = PQconninfoParse(text, NULL);
    if (!parsed)
        load_complain("--conninfo %s: not a connection string such as `host=db1 dbname=shop user=shop` (it is not "
                      "shown, because it may hold a password)",
                      path);
    PQconninfoFree(parsed);
    return parsed != NULL;
}

/* What stands before "dbname" may be overruled by the text. */
static PGconn *connect_by(const char *conninfo)
{
    static const char *const names[] = {"connect_timeout", "fallback_application_name", "dbname", NULL};
    const char *const values[] = {"10", "shopbench", conninfo, NULL};
    PGconn *database = PQconnectdbParams(names, values, 1);
    if (PQstatus(database) == CONNECTION_OK)
        return database;
    load_complain("cannot connect: %s", PQerrorMessage(database));
    PQfinish(database);
    return NULL;
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

PGconn *load_connect(const char *path)
{
    char *conninfo = first_line(path);
    PGconn *database = conninfo && is_conninfo(conninfo, path) ? connect_by(conninfo) : NULL;
    free(conninfo);
    if (database)
        PQsetNoticeReceiver(database, ignore_notice, NULL);
    return database;
}

PGconn *load_connect_primary(const char *path)
{
    int64_t standby = 0;
    PGconn *database = load_connect(path);
    if (!database)
        return NULL;
    if (load_ask(database, "SELECT pg_is_in_recovery()", NULL, &standby) && !standby)
        return database;
    if (standby)
        load_complain("%s:%s is a replica and cannot be written: name the primary (the writer's endpoint)",
                      PQhost(database), PQport(database));
    PQfinish(database);
    return NULL;
}

/* What would help, where that is known. */
static const char *cure(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state)
        return "";
    if (strcmp(state, "25006") == 0)
        return " (the server, the database or the role is read-only: see default_transaction_read_only)";
    if (strcmp(state, "42501") == 0)
        return " (the role needs CREATE on this database, and must own what an earlier load has made)";
    return strncmp(state, "53", 2) == 0 ? " (make room, then give the same command again: it goes on)" : "";
}

PGresult *load_checked(PGconn *database, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN)
        return result;
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    load_complain("%s:%s: %s%s", PQhost(database), PQport(database), primary ? primary : PQerrorMessage(database),
                  cure(result));
    PQclear(result);
    return NULL;
}

PGresult *load_rows(PGconn *database, const char *sql)
{
    return load_checked(database, PQexec(database, sql));
}

bool load_sql(PGconn *database, const char *sql)
{
    PGresult *result = load_rows(database, sql);
    PQclear(result);
    return result != NULL;
}

bool load_ask_text(PGconn *database, const char *sql, const char *parameter, char *text, size_t size)
{
    PGresult *result =
        load_checked(database, PQexecParams(database, sql, parameter != NULL, NULL, &parameter, NULL, NULL, 0));
    if (result)
        snprintf(text, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return result != NULL;
}

bool load_ask(PGconn *database, const char *sql, const char *parameter, int64_t *answer_out)
{
    char text[32];
    if (!load_ask_text(database, sql, parameter, text, sizeof text))
        return false;
    *answer_out = strcmp(text, "t") == 0 ? 1 : strtoll(text, NULL, 10);
    return true;
}
