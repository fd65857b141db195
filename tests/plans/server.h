/* server.h - plans made with a real server: plain libpq, one connection, the schema of plans.h. */
#ifndef SDI_TESTS_SERVER_H
#define SDI_TESTS_SERVER_H

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/catalog_facts.h"
#include "model/plan.h"
#include "model/result.h"
#include "model/sql_facts.h"
#include "schema.h"

enum { SKIPPED = 77 };

static PGconn *connection;

static inline void die(const char *what, const char *message)
{
    fprintf(stderr, "%s: %s\n", what, message);
    exit(EXIT_FAILURE);
}

static inline void run(const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        die(sql, PQerrorMessage(connection));
    PQclear(result);
}

static inline PGresult *ask(const sdi_catalog_question *question)
{
    PGresult *result = PQexecParams(connection, question->sql, (int)question->count, NULL,
                                    (const char *const *)question->texts, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        die("catalog question", PQerrorMessage(connection));
    return result;
}

static inline shopdata_result *as_result(const PGresult *from)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    for (int c = 0; c < PQnfields(from); c++)
        sdi_result_column(&builder, PQfname(from, c), PQftype(from, c));
    for (int r = 0; r < PQntuples(from); r++)
        for (int c = 0; c < PQnfields(from); c++)
            sdi_result_cell(&builder, PQgetisnull(from, r, c) ? NULL : PQgetvalue(from, r, c),
                            (size_t)PQgetlength(from, r, c));
    return sdi_result_build(&builder);
}

static inline sdi_sql *parsed(const char *text)
{
    shopdata_error *error = NULL;
    sdi_sql *sql = NULL;
    if (sdi_sql_parse(text, &sql, &error))
        die(text, shopdata_error_message(error));
    return sql;
}

static inline int ask_server(void *context, const sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                             shopdata_result *answers[SDI_CATALOG_QUESTIONS], shopdata_error **error_out)
{
    (void)context, (void)error_out;
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++) {
        PGresult *answer = ask(&questions[i]);
        answers[i] = as_result(answer);
        PQclear(answer);
    }
    return SHOPDATA_OK;
}

static inline sdi_plan *planned(const sdi_sql *sql)
{
    sdi_catalog *catalog = NULL;
    sdi_plan *plan = NULL;
    if (sdi_catalog_load(sql, ask_server, NULL, &catalog, NULL) || sdi_plan_make(sql, catalog, NULL, 0, &plan, NULL))
        die("sdi_plan_make", "failed");
    sdi_catalog_free(catalog);
    return plan;
}

static inline PGconn *opened(const char *conninfo)
{
    PGconn *new = PQconnectdb(conninfo);
    if (PQstatus(new) != CONNECTION_OK)
        die("connect", PQerrorMessage(new));
    return new;
}

/* False without a server. */
static inline bool connect_to_server(void)
{
    const char *conninfo = getenv("SHOPDATA_PRIMARY"), *superuser = getenv("SHOPDATA_SUPERUSER_PRIMARY");
    if (!conninfo || !*conninfo || !superuser)
        return false;
    connection = opened(superuser);
    run("SET client_min_messages = warning");
    run(plans_preparation);
    PQfinish(connection);
    connection = opened(conninfo);
    run("SET client_min_messages = warning");
    for (const char *const *statement = plans_schema; *statement; statement++)
        run(*statement);
    return true;
}

#endif
