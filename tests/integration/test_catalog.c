/* What the catalog of a real server answers, and the plans made of it: every statement of tests/plans/plans.h.
 *
 *   test_catalog          compares; skipped (77) unless SHOPDATA_PRIMARY tells a server
 *   test_catalog plans    prints the plans as they are, in the form of plans.h
 *   test_catalog record   prints the catalog's answers in the form of recorded.h, for the unit tests
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/map.h"
#include "plans/catalog_key.h"
#include "plans/plans.h"
#include "plans/server.h"

/* -------------------------------------------------------------------------------------------------------- printing */

static void print_literal(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '\n')
            printf("\\n");
        else if (*text == '\t')
            printf("\\t");
        else
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    putchar('"');
}

static void print_plan(const char *statement, const char *explained)
{
    printf("    {");
    print_literal(statement);
    printf(",\n     ");
    print_literal(explained);
    printf("},\n");
}

/* One row of an answer, with the name asked for in place of its number. */
static void print_row(const char *name, const PGresult *answer, int row)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_text(&text, name);
    for (int c = 1; c < PQnfields(answer); c++) {
        sdi_buffer_char(&text, '\t');
        sdi_buffer_text(&text, PQgetisnull(answer, row, c) ? "\\N" : PQgetvalue(answer, row, c));
    }
    printf("    ");
    print_literal(text.data);
    printf(",\n");
    sdi_buffer_free(&text);
}

/* One question is recorded at a time, each element of it once. */
typedef struct recording {
    size_t question;
    sdi_map seen;
} recording;

static void record_answer(recording *r, const sdi_catalog_question *question, const PGresult *answer)
{
    sdi_map now = SDI_MAP_INIT;
    for (int row = 0; row < PQntuples(answer); row++) {
        sdi_buffer name = SDI_BUFFER_INIT;
        catalog_key(question, strtoul(PQgetvalue(answer, row, 0), NULL, 10), &name);
        sdi_slice key = {name.data, name.length};
        if (!sdi_map_get(&r->seen, key))
            print_row(name.data, answer, row);
        sdi_map_set(&now, key, connection);
        sdi_buffer_free(&name);
    }
    size_t cursor = 0;
    sdi_slice key;
    while (sdi_map_next(&now, &cursor, &key))
        sdi_map_set(&r->seen, key, connection);
    sdi_map_free(&now);
}

static int ask_and_record(void *context, const sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                          shopdata_result *answers[SDI_CATALOG_QUESTIONS], shopdata_error **error_out)
{
    recording *r = context;
    PGresult *answer = ask(&questions[r->question]);
    record_answer(r, &questions[r->question], answer);
    PQclear(answer);
    return ask_server(NULL, questions, answers, error_out);
}

static void record_question(size_t question)
{
    recording r = {question, SDI_MAP_INIT};
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        if (!plans[i].explained)
            continue;
        sdi_sql *sql = parsed(plans[i].sql);
        sdi_catalog *catalog = NULL;
        if (sdi_catalog_load(sql, ask_and_record, &r, &catalog, NULL))
            die("sdi_catalog_load", "failed");
        sdi_catalog_free(catalog);
        sdi_sql_free(sql);
    }
    sdi_map_free(&r.seen);
}

static void record(void)
{
    static const char *const names[SDI_CATALOG_QUESTIONS] = {"recorded_columns", "recorded_names", "recorded_bounds",
                                                             "recorded_behind", "recorded_circumstances"};
    printf("/* recorded.h - what a server answered for the schema of plans.h: made by `test_catalog record`. */\n"
           "#ifndef SDI_TESTS_RECORDED_H\n#define SDI_TESTS_RECORDED_H\n/* clang-format off */\n");
    for (size_t q = 0; q < SDI_CATALOG_QUESTIONS; q++) {
        printf("\nstatic const char *const %s[] = {\n", names[q]);
        record_question(q);
        printf("    NULL,\n};\n");
    }
    printf("\n/* clang-format on */\n#endif\n");
}

/* ------------------------------------------------------------------------------------------------------- comparing */

static bool is_as_expected(const char *statement, const char *expected, bool print)
{
    sdi_sql *sql = parsed(statement);
    sdi_plan *plan = planned(sql);
    const char *explained = sdi_plan_explain(plan);
    bool same = !strcmp(explained, expected);
    if (print)
        print_plan(statement, explained);
    else if (!same)
        fprintf(stderr, "%s\nexpected:\n%s\nfound:\n%s\n\n", statement, expected, explained);
    sdi_plan_free(plan);
    sdi_sql_free(sql);
    return same || print;
}

static size_t compare(bool print, size_t *compared)
{
    size_t wrong = 0;
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        if (plans[i].explained) {
            wrong += !is_as_expected(plans[i].sql, plans[i].explained, print);
            ++*compared;
        } else if (print) {
            printf("\nKIND(\"%s\")\n", plans[i].sql);
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    size_t wrong = 0, compared = 0;
    if (!connect_to_server())
        return SKIPPED;
    if (!strcmp(mode, "record"))
        record();
    else
        wrong = compare(!strcmp(mode, "plans"), &compared);
    run("DROP SCHEMA shop CASCADE");
    PQfinish(connection);
    if (!*mode)
        printf("%zu plans, %zu wrong\n", compared, wrong);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
