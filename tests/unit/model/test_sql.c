#include <stdio.h>

#include "../unit.h"
#include "base/buffer.h"
#include "base/error.h"
#include "model/sql_facts.h"

/* The statement is refused, and the message says `word`. */
static void expect_refused(const char *sql, int expected, const char *word)
{
    shopdata_error *error = NULL;
    sdi_sql *parsed = NULL;
    int status = sdi_sql_parse(sql, &parsed, &error);
    ck_assert_msg(status == expected, "%.60s: status %d", sql, status);
    ck_assert_ptr_null(parsed);
    ck_assert_msg(strstr(shopdata_error_message(error), word) != NULL, "%.60s: %s", sql, shopdata_error_message(error));
    shopdata_error_free(error);
    ck_assert_int_eq(sdi_sql_parse(sql, &parsed, NULL), expected);
}

START_TEST(what_would_change_a_connection_is_refused)
{
    static const struct {
        const char *sql, *word;
    } expected[] = {
        {"BEGIN", "shopdata_begin"},
        {"START TRANSACTION READ ONLY", "shopdata_begin"},
        {"COMMIT", "shopdata_commit"},
        {"ROLLBACK", "shopdata_rollback"},
        {"SAVEPOINT a", "shopdata_begin"},
        {"PREPARE TRANSACTION 'x'", "shopdata_begin"},
        {"SET search_path = a", "conninfo"},
        {"SET LOCAL work_mem = '1MB'", "conninfo"},
        {"RESET ALL", "conninfo"},
        {"SELECT set_config('a.b', 'c', false)", "conninfo"},
        {"SELECT 1 FROM t WHERE pg_catalog.set_config('a.b', 'c', true) = ''", "conninfo"},
        {"DISCARD ALL", "DISCARD"},
        {"PREPARE a AS SELECT 1", "shopdata_statement_new"},
        {"EXECUTE a", "shopdata_query"},
        {"EXPLAIN ANALYZE EXECUTE a", "shopdata_query"},
        {"DEALLOCATE a", "shopdata_statement_free"},
        {"LISTEN a", "connection of your own"},
        {"UNLISTEN *", "connection of your own"},
        {"DECLARE c CURSOR FOR SELECT 1", "LIMIT"},
        {"FETCH c", "LIMIT"},
        {"CLOSE c", "LIMIT"},
        {"COPY t FROM STDIN", "shopdata_execute"},
        {"COPY t TO STDOUT", "shopdata_execute"},
        {"LOCK TABLE t", "FOR UPDATE"},
        {"LOAD 'x'", "session_preload_libraries"},
        {"CHECKPOINT", "administrator"},
        {"VACUUM t", "psql"},
        {"CREATE DATABASE d", "psql"},
        {"CREATE INDEX CONCURRENTLY i ON t (a)", "psql"},
        {"DROP INDEX CONCURRENTLY i", "psql"},
        {"REINDEX TABLE CONCURRENTLY t", "psql"},
        {"REINDEX DATABASE d", "psql"},
        {"CLUSTER", "psql"},
        {"ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "psql"},
        {"ALTER SYSTEM SET a = 1", "psql"},
        {"CREATE TEMP TABLE t (a int)", "temporary"},
        {"CREATE TABLE pg_temp.t (a int)", "temporary"},
        {"CREATE TEMP VIEW v AS SELECT 1", "temporary"},
        {"CREATE TEMP TABLE t AS SELECT 1", "temporary"},
        {"SELECT 1 INTO TEMP t", "temporary"},
        {"SELECT pg_advisory_lock(1)", "pg_advisory_xact_lock"},
        {"SELECT pg_try_advisory_lock_shared(1)", "pg_advisory_xact_lock"},
        {"SELECT pg_advisory_unlock_all()", "pg_advisory_xact_lock"},
        {"SELECT currval('s')", "RETURNING"},
        {"SELECT (SELECT lastval())", "RETURNING"},
        {"SELECT 1; SELECT 2", "more than one"},
        {"", "no statement"},
        {" ; -- nothing", "no statement"},
        {"SELECT $70000", "65535"},
        {"SELECT $2147483647", "65535"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_refused(expected[i].sql, SHOPDATA_ERR_REFUSED, expected[i].word);
}
END_TEST

START_TEST(what_does_not_parse_says_where)
{
    shopdata_error *error = NULL;
    sdi_sql *parsed = NULL;
    ck_assert_int_eq(sdi_sql_parse("SELECT * FORM t", &parsed, &error), SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_sqlstate(error), "42601");
    ck_assert_ptr_nonnull(strstr(shopdata_error_message(error), "\"FORM\""));
    ck_assert_ptr_nonnull(strstr(shopdata_error_message(error), "character 10"));
    shopdata_error_free(error);
    expect_refused("SELECT 'open", SHOPDATA_ERR_SQL, "unterminated");
}
END_TEST

static void parse_well(const char *sql)
{
    shopdata_error *error = NULL;
    sdi_sql *parsed = NULL;
    int status = sdi_sql_parse(sql, &parsed, &error);
    ck_assert_msg(status == SHOPDATA_OK, "%.60s: %s", sql, shopdata_error_message(error));
    sdi_sql_free(parsed);
}

/* `before` and `after` many times, around or behind one another. */
static void repeated(sdi_buffer *out, const char *begin, const char *piece, const char *middle, const char *end,
                     size_t times)
{
    sdi_buffer_clear(out);
    sdi_buffer_text(out, begin);
    for (size_t i = 0; i < times; i++)
        sdi_buffer_text(out, piece);
    sdi_buffer_text(out, middle);
    for (size_t i = 0; *end && i < times; i++)
        sdi_buffer_text(out, end);
    ck_assert(!out->failed);
}

START_TEST(deep_nesting_is_an_error_and_no_crash)
{
    static const struct {
        const char *begin, *piece, *middle, *end;
    } shapes[] = {
        {"SELECT ", "(", "1", ")"},
        {"SELECT ", "NOT ", "true", ""},
        {"SELECT ", "- ", "1", ""},
        {"SELECT 1", " + 1", "", ""},
        {"SELECT 1", "::int", "", ""},
        {"SELECT 1", " UNION ALL SELECT 1, 2", "", ""},
        {"SELECT ", "CASE WHEN ", "true", " THEN 1 END"},
        {"SELECT 1 FROM a", " JOIN b ON a AND b", "", ""},
        {"SELECT ", "ARRAY[", "1", "]"},
        {"SELECT ", "f(1, ", "1", ")"},
        {"SELECT ", "(SELECT ", "1", ")"},
        {"SELECT a", "[1]", "", ""},
        {"SELECT a", " IS NULL", "", ""},
        {"SELECT a", " COLLATE b", "", ""},
    };
    sdi_buffer sql = SDI_BUFFER_INIT;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        repeated(&sql, shapes[i].begin, shapes[i].piece, shapes[i].middle, shapes[i].end, 10000);
        expect_refused(sql.data, SHOPDATA_ERR_REFUSED, "nests deeper");
        repeated(&sql, shapes[i].begin, shapes[i].piece, shapes[i].middle, shapes[i].end, 200);
        parse_well(sql.data);
    }
    sdi_buffer_free(&sql);
}
END_TEST

START_TEST(what_is_long_but_flat_parses)
{
    sdi_buffer sql = SDI_BUFFER_INIT;
    repeated(&sql, "INSERT INTO t VALUES (1)", ", (1, -2, 'three', f($1))", "", "", 10000);
    parse_well(sql.data);
    repeated(&sql, "SELECT 1 FROM t WHERE a = 1", " OR a = 2 AND NOT b = 3", "", "", 10000);
    parse_well(sql.data);
    repeated(&sql, "SELECT CASE a", " WHEN 1 THEN 2", " END FROM t", "", 10000);
    parse_well(sql.data);
    repeated(&sql, "SELECT 1", ", CASE WHEN a THEN 1 END", " FROM t", "", 5000);
    parse_well(sql.data);
    sdi_buffer_free(&sql);
}
END_TEST

START_TEST(a_huge_statement_is_refused)
{
    sdi_buffer sql = SDI_BUFFER_INIT;
    repeated(&sql, "SELECT '", "x", "'", "", 1 << 20);
    expect_refused(sql.data, SHOPDATA_ERR_REFUSED, "parameters");
    sdi_buffer_free(&sql);
}
END_TEST

START_TEST(parameters_are_counted)
{
    static const struct {
        const char *sql;
        size_t parameters;
    } expected[] = {{"SELECT 1", 0},
                    {"SELECT $1 + $1", 1},
                    {"SELECT $3", 3},
                    {"INSERT INTO t SELECT * FROM (SELECT $2) x WHERE EXISTS (SELECT $65535)", 65535},
                    {"SELECT '$1', $$ $2 $$ -- $3", 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sdi_sql *sql = NULL;
        ck_assert_int_eq(sdi_sql_parse(expected[i].sql, &sql, NULL), SHOPDATA_OK);
        ck_assert_uint_eq(sdi_sql_parameters(sql), expected[i].parameters);
        sdi_sql_free(sql);
    }
    sdi_sql_free(NULL);
}
END_TEST

static bool has_name(const sdi_sql *sql, enum sdi_name_kind kind, const char *name)
{
    for (size_t i = 0; i < SDI_COUNT(sql->names, sdi_sql_name); i++) {
        const sdi_sql_name *of = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        if (of->kind == kind && !strcmp(of->name, name))
            return true;
    }
    return false;
}

/* A call is found wherever an expression may stand. */
START_TEST(no_place_hides_a_call)
{
    static const char *const places[] = {
        "SELECT hidden()",
        "SELECT 1 FROM hidden()",
        "SELECT 1 FROM ROWS FROM (f(), hidden()) x",
        "SELECT 1 FROM t WHERE a IN (1, hidden())",
        "SELECT 1 FROM t GROUP BY CUBE (hidden())",
        "SELECT 1 FROM t HAVING hidden()",
        "SELECT 1 FROM t ORDER BY hidden()",
        "SELECT 1 LIMIT hidden()",
        "SELECT 1 OFFSET hidden()",
        "SELECT DISTINCT ON (hidden()) 1 FROM t",
        "SELECT f(a) FILTER (WHERE hidden()) FROM t",
        "SELECT f(a ORDER BY hidden()) FROM t",
        "SELECT f() OVER (PARTITION BY hidden()) FROM t",
        "SELECT f() OVER w FROM t WINDOW w AS (ORDER BY hidden())",
        "SELECT CASE WHEN a THEN hidden() END FROM t",
        "SELECT COALESCE(a, hidden()), GREATEST(1) FROM t",
        "SELECT ARRAY[hidden()]",
        "SELECT (ROW(1, hidden())).a",
        "SELECT a[hidden()] FROM t",
        "SELECT hidden()::int",
        "SELECT hidden() COLLATE \"C\"",
        "SELECT hidden() IS NULL",
        "SELECT hidden() IS TRUE",
        "SELECT XMLELEMENT(NAME a, hidden())",
        "SELECT f(x => hidden())",
        "SELECT 1 FROM a JOIN b ON hidden()",
        "SELECT 1 FROM t TABLESAMPLE SYSTEM (hidden())",
        "SELECT 1 FROM (VALUES (hidden())) v",
        "WITH x AS (SELECT hidden()) SELECT 1",
        "SELECT 1 UNION SELECT hidden()",
        "INSERT INTO t VALUES (hidden())",
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = hidden()",
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE hidden()",
        "INSERT INTO t VALUES (1) RETURNING hidden()",
        "UPDATE t SET (a, b) = (SELECT 1, hidden())",
        "UPDATE t SET a[hidden()] = 1",
        "DELETE FROM t WHERE a = ANY (SELECT hidden())",
        "MERGE INTO t USING u ON true WHEN MATCHED AND hidden() THEN DELETE",
        "MERGE INTO t USING u ON true WHEN NOT MATCHED THEN INSERT VALUES (hidden())",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        sdi_sql *sql = NULL;
        ck_assert_msg(sdi_sql_parse(places[i], &sql, NULL) == SHOPDATA_OK, "%s", places[i]);
        ck_assert_msg(has_name(sql, SDI_NAME_FUNCTION, "hidden"), "%s", places[i]);
        sdi_sql_free(sql);
    }
}
END_TEST

START_TEST(a_read_is_told_from_a_write)
{
    static const struct {
        const char *sql;
        bool read;
    } statements[] = {
        {"SELECT 1", true},
        {"SELECT a FROM t WHERE b = $1 FOR UPDATE", true},
        {"WITH x AS (SELECT 1) SELECT * FROM x", true},
        {"VALUES (1)", true},
        {"TABLE t", true},
        {"SHOW timezone", true},
        {"EXPLAIN DELETE FROM t", true},
        {"EXPLAIN SELECT nextval('s')", true},
        {"EXPLAIN ANALYZE SELECT 1", true},
        {"SELECT mine.nextval('s')", true},
        {"SELECT nextval FROM t", true},
        {"EXPLAIN ANALYZE DELETE FROM t", false},
        {"INSERT INTO t VALUES (1) RETURNING a", false},
        {"WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", false},
        {"SELECT a INTO b FROM t", false},
        {"SELECT nextval('s')", false},
        {"SELECT pg_catalog.setval('s', 1)", false},
        {"SELECT pg_notify('a', 'b')", false},
        {"NOTIFY a", false},
        {"CREATE TABLE a (b int)", false},
        {"CALL p()", false},
        {"DO 'BEGIN END'", false},
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sdi_sql *sql = NULL;
        ck_assert_int_eq(sdi_sql_parse(statements[i].sql, &sql, NULL), SHOPDATA_OK);
        ck_assert_msg(sdi_sql_is_read(sql) == statements[i].read, "%s", statements[i].sql);
        sdi_sql_free(sql);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_would_change_a_connection_is_refused);
    tcase_add_test(cases, what_does_not_parse_says_where);
    tcase_add_test(cases, deep_nesting_is_an_error_and_no_crash);
    tcase_add_test(cases, what_is_long_but_flat_parses);
    tcase_add_test(cases, a_huge_statement_is_refused);
    tcase_add_test(cases, parameters_are_counted);
    tcase_add_test(cases, no_place_hides_a_call);
    tcase_add_test(cases, a_read_is_told_from_a_write);
}

UNIT_MAIN("model/sql", fill, 110)
