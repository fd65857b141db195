/* The PostgreSQL room on real servers: connections, batches, reads, moments, pools. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "model/result.h"
#include "postgres/moment.h"
#include "postgres/pool.h"

enum { BIG = 64 << 20 };

static const char *primary, *standby;

/* --------------------------------------------------------------------------------------------------------- helpers */

static int64_t soon(void)
{
    return sdi_deadline_in(20000);
}

static void check_ok(int status, shopdata_error *error)
{
    ck_assert_msg(status == 0, "%d: %s", status, shopdata_error_message(error));
}

static sdi_pg_connection *open_to(const char *conninfo, bool prepared)
{
    sdi_pg_connection *connection = NULL;
    shopdata_error *error = NULL;
    check_ok(sdi_pg_connect(conninfo, prepared, soon(), &connection, &error), error);
    return connection;
}

static sdi_pg_command sql(const char *text)
{
    return (sdi_pg_command){.sql = text};
}

static sdi_pg_command prepared(const char *text, uint64_t statement)
{
    return (sdi_pg_command){.sql = text, .statement = statement};
}

static void run(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count)
{
    shopdata_error *error = NULL;
    check_ok(sdi_pg_run(connection, commands, count, BIG, soon(), &error), error);
}

static void check_done(const sdi_pg_command *command)
{
    ck_assert_msg(command->outcome == SDI_PG_DONE, "%s: outcome %d: %s", command->sql, (int)command->outcome,
                  shopdata_error_message(command->error));
}

static void do_sql(sdi_pg_connection *connection, const char *text)
{
    sdi_pg_command command = sql(text);
    run(connection, &command, 1);
    check_done(&command);
    sdi_pg_commands_free(&command, 1);
}

static const char *cell(const sdi_pg_command *command, size_t row, size_t column)
{
    sdi_slice text;
    check_done(command);
    return sdi_result_at(command->result, row, column, &text) ? text.data : NULL;
}

static void check_cell(const sdi_pg_command *command, size_t row, size_t column, const char *expected)
{
    const char *text = cell(command, row, column);
    ck_assert_msg(text ? expected && !strcmp(text, expected) : !expected, "%s, row %zu, column %zu: %s, not %s",
                  command->sql, row, column, text ? text : "NULL", expected ? expected : "NULL");
}

static long ask(sdi_pg_connection *connection, const char *text)
{
    sdi_pg_command command = sql(text);
    run(connection, &command, 1);
    long value = strtol(cell(&command, 0, 0), NULL, 10);
    sdi_pg_commands_free(&command, 1);
    return value;
}

static bool backend_lives(sdi_pg_connection *by, const sdi_pg_backend_id *backend)
{
    char text[160];
    snprintf(text, sizeof text, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND backend_start = '%s'",
             (int)backend->pid, backend->started);
    return ask(by, text) == 1;
}

static void wait_until_gone(sdi_pg_connection *by, const sdi_pg_backend_id *backend)
{
    for (int tries = 0; tries < 500 && backend_lives(by, backend); tries++)
        usleep(10000);
    ck_assert(!backend_lives(by, backend));
}

static void kill_backend(sdi_pg_connection *by, sdi_pg_connection *victim)
{
    sdi_pg_backend_id backend = sdi_pg_backend(victim);
    shopdata_error *error = NULL;
    check_ok(sdi_pg_terminate(by, &backend, soon(), &error), error);
    wait_until_gone(by, &backend);
}

/* ------------------------------------------------------------------------------------------------------ connecting */

START_TEST(connecting_pins_and_identifies)
{
    sdi_pg_connection *connection = open_to(primary, true);
    ck_assert(!sdi_pg_broken(connection));
    ck_assert_int_eq(sdi_pg_transaction(connection), SDI_PG_IDLE);
    ck_assert(sdi_pg_idle_alive(connection));
    ck_assert_uint_ne(sdi_pg_system(connection), 0);
    ck_assert_int_eq(sdi_pg_backend(connection).pid, ask(connection, "SELECT pg_backend_pid()"));
    sdi_pg_command command =
        sql("SELECT current_setting('TimeZone'), current_setting('application_name'),"
            " current_database() || E'\\n' || current_user || E'\\n' ||"
            " current_setting('search_path'), current_setting('client_connection_check_interval')");
    run(connection, &command, 1);
    check_cell(&command, 0, 0, "UTC");
    check_cell(&command, 0, 1, "shopdata");
    check_cell(&command, 0, 2, sdi_pg_identity(connection));
    check_cell(&command, 0, 3, "2s");
    sdi_pg_commands_free(&command, 1);
    sdi_pg_close(connection);
}
END_TEST

static void check_refused(const char *conninfo, int expected, const char *part)
{
    sdi_pg_connection *connection = NULL;
    shopdata_error *error = NULL;
    int64_t begin = sdi_now();
    ck_assert_int_eq(sdi_pg_connect(conninfo, true, sdi_deadline_in(400), &connection, &error), expected);
    ck_assert_int_lt(sdi_now() - begin, UNIT_BUSY_MS * 1000);
    const char *message = shopdata_error_message(error);
    ck_assert_msg(strstr(message, part) != NULL, "%s", message);
    ck_assert_msg(strpbrk(message, "\n\r\t") == NULL, "%s", message);
    ck_assert_msg(strstr(message, "s3cret") == NULL, "%s", message);
    shopdata_error_free(error);
}

START_TEST(refusals_are_one_line_without_password)
{
    char conninfo[1024];
    check_refused("host=127.0.0.1 port=1 password=s3cret", SHOPDATA_ERR_UNAVAILABLE, "127.0.0.1:1: ");
    check_refused("host=::1 port=1 password=s3cret", SHOPDATA_ERR_UNAVAILABLE, "[::1]:1: ");
    check_refused("host=/nowhere password=s3cret", SHOPDATA_ERR_UNAVAILABLE, "/nowhere");
    check_refused("password=my s3cret", SHOPDATA_ERR_UNAVAILABLE, "malformed");
    check_refused("postgresql://u:s3cret@[host/", SHOPDATA_ERR_UNAVAILABLE, "malformed");
    snprintf(conninfo, sizeof conninfo, "%s dbname=no_such_database", primary);
    check_refused(conninfo, SHOPDATA_ERR_UNAVAILABLE, "no_such_database");
    snprintf(conninfo, sizeof conninfo, "%s sslmode=require", primary);
    check_refused(conninfo, SHOPDATA_ERR_UNAVAILABLE, "SSL");
}
END_TEST

/* A socket that listens and never accepts: the kernel completes the connection, nobody answers. */
START_TEST(a_silent_server_is_a_timeout)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    char conninfo[128];
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d", ntohs(address.sin_port));
    check_refused(conninfo, SHOPDATA_ERR_TIMEOUT, "in time");
    close(listener);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- running */

static void check_kinds(sdi_pg_connection *connection, uint64_t statement)
{
    static const unsigned char bytes[] = {0, 1, 0xff, '\\', 0};
    shopdata_param params[] = {shopdata_bool(1),           shopdata_int64(INT64_MIN), shopdata_double(0.1),
                               shopdata_text("zwölf € 🐟"), shopdata_bytes(bytes, 5),  shopdata_null(),
                               shopdata_bytes("", 0),      shopdata_text("")};
    sdi_pg_command command = prepared(
        "SELECT $1::bool, $2::int8, $3::float8, $4::text, $5::bytea, $6::text, $7::bytea, $8::text", statement);
    command.params = params;
    command.count = 8;
    run(connection, &command, 1);
    static const char *const expected[] = {
        "t", "-9223372036854775808", "0.1", "zwölf € 🐟", "\\x0001ff5c00", NULL, "\\x", ""};
    for (size_t i = 0; i < 8; i++)
        check_cell(&command, 0, i, expected[i]);
    ck_assert_uint_eq(shopdata_result_column_type(command.result, 1), 20);
    ck_assert_str_eq(shopdata_result_column_name(command.result, 4), "bytea");
    ck_assert_uint_eq(command.result->changed, 1);
    sdi_pg_commands_free(&command, 1);
}

START_TEST(all_kinds_of_parameters)
{
    sdi_pg_connection *connection = open_to(primary, true);
    check_kinds(connection, 0);
    check_kinds(connection, 7);
    check_kinds(connection, 7);
    ck_assert_int_eq(ask(connection, "SELECT count(*) FROM pg_prepared_statements"), 1);
    sdi_pg_close(connection);
    connection = open_to(primary, false);
    check_kinds(connection, 7);
    ck_assert_int_eq(ask(connection, "SELECT count(*) FROM pg_prepared_statements"), 0);
    sdi_pg_close(connection);
}
END_TEST

/* The same statement with bytes and with text in the same place is prepared with two types. */
START_TEST(bytes_and_text_in_the_same_place)
{
    sdi_pg_connection *connection = open_to(primary, true);
    shopdata_param text = shopdata_text("\\x4142"), bytes = shopdata_bytes("AB", 2), null = shopdata_null();
    sdi_pg_command commands[3];
    for (int i = 0; i < 3; i++) {
        commands[i] = prepared("SELECT $1::bytea", 3);
        commands[i].count = 1;
        commands[i].params = i == 0 ? &text : i == 1 ? &bytes : &null;
    }
    run(connection, commands, 3);
    check_cell(&commands[0], 0, 0, "\\x4142");
    check_cell(&commands[1], 0, 0, "\\x4142");
    check_cell(&commands[2], 0, 0, NULL);
    sdi_pg_commands_free(commands, 3);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(results_and_changed)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {sql("CREATE TEMPORARY TABLE box (id int, name text)"),
                                 sql("INSERT INTO box SELECT i, 'n' || i FROM generate_series(1, 5) i"),
                                 sql("UPDATE box SET name = 'x' WHERE id > 3 RETURNING id, name"),
                                 sql("SELECT * FROM box WHERE id > 9"),
                                 sql("SELECT id FROM box ORDER BY id"),
                                 sql(";")};
    run(connection, commands, 6);
    ck_assert_uint_eq(shopdata_result_columns(commands[0].result), 0);
    ck_assert_uint_eq(commands[1].result->changed, 5);
    ck_assert_uint_eq(commands[2].result->changed, 2);
    check_cell(&commands[2], 1, 1, "x");
    ck_assert_uint_eq(shopdata_result_columns(commands[3].result), 2);
    ck_assert_uint_eq(shopdata_result_rows(commands[3].result), 0);
    ck_assert_uint_eq(shopdata_result_rows(commands[4].result), 5);
    check_cell(&commands[4], 4, 0, "5");
    check_done(&commands[5]);
    sdi_pg_commands_free(commands, 6);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(a_thousand_commands)
{
    enum { MANY = 1000 };
    static sdi_pg_command commands[MANY];
    static shopdata_param params[MANY];
    sdi_pg_connection *connection = open_to(primary, true);
    for (int i = 0; i < MANY; i++) {
        params[i] = shopdata_int64(i);
        commands[i] = prepared("SELECT $1::int8", 5);
        commands[i].params = &params[i];
        commands[i].count = 1;
    }
    run(connection, commands, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(strtol(cell(&commands[i], 0, 0), NULL, 10), i);
    sdi_pg_commands_free(commands, MANY);
    sdi_pg_close(connection);
}
END_TEST

/* More than any socket buffer in both directions at once. */
START_TEST(a_batch_larger_than_the_sockets)
{
    enum { MANY = 40, SIZE = 1 << 20 };
    static sdi_pg_command commands[MANY];
    char *large = sdi_malloc(SIZE);
    memset(large, 'a', SIZE);
    shopdata_param param = shopdata_text_n(large, SIZE);
    sdi_pg_connection *connection = open_to(primary, true);
    for (int i = 0; i < MANY; i++) {
        commands[i] = prepared("SELECT $1::text || $1", 5);
        commands[i].params = &param;
        commands[i].count = 1;
    }
    run(connection, commands, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_uint_eq(strlen(cell(&commands[i], 0, 0)), 2 * SIZE);
    sdi_pg_commands_free(commands, MANY);
    sdi_free(large);
    sdi_pg_close(connection);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- errors */

START_TEST(an_error_stops_a_run)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {prepared("SELECT 1", 1), prepared("SELECT 1/0", 2), prepared("SELECT 3", 3),
                                 prepared("SELECT 1", 1)};
    run(connection, commands, 4);
    check_done(&commands[0]);
    ck_assert_int_eq(commands[1].outcome, SDI_PG_ERROR);
    ck_assert_str_eq(shopdata_error_sqlstate(commands[1].error), "22012");
    ck_assert_str_eq(shopdata_error_message(commands[1].error), "division by zero");
    ck_assert_int_eq(commands[2].outcome, SDI_PG_NOT_RUN);
    ck_assert_int_eq(commands[3].outcome, SDI_PG_NOT_RUN);
    ck_assert_int_eq(sdi_pg_transaction(connection), SDI_PG_IDLE);
    sdi_pg_commands_free(commands, 4);
    sdi_pg_command again[] = {prepared("SELECT 3", 3), prepared("SELECT 1", 1)};
    run(connection, again, 2);
    check_cell(&again[0], 0, 0, "3");
    check_cell(&again[1], 0, 0, "1");
    sdi_pg_commands_free(again, 2);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(an_error_has_detail_and_hint_in_one_line)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command command =
        sql("DO $$ BEGIN RAISE EXCEPTION E'first\\nsecond' USING DETAIL = 'why', HINT = E'do\\tso',"
            " ERRCODE = 'XY123'; END $$");
    run(connection, &command, 1);
    ck_assert_str_eq(shopdata_error_message(command.error), "first second (why; do so)");
    ck_assert_str_eq(shopdata_error_sqlstate(command.error), "XY123");
    sdi_pg_commands_free(&command, 1);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(reads_do_not_suffer_from_neighbours)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {prepared("SELECT 1", 1), prepared("SELECT 1/0", 2), prepared("SELECT 3", 3),
                                 prepared("SELECT nonsense", 4), prepared("SELECT 5", 5)};
    shopdata_error *error = NULL;
    check_ok(sdi_pg_read(connection, commands, 5, BIG, soon(), &error), error);
    check_cell(&commands[0], 0, 0, "1");
    check_cell(&commands[2], 0, 0, "3");
    check_cell(&commands[4], 0, 0, "5");
    ck_assert_str_eq(shopdata_error_sqlstate(commands[1].error), "22012");
    ck_assert_str_eq(shopdata_error_sqlstate(commands[3].error), "42703");
    ck_assert_uint_eq(sdi_pg_mended(connection), 0);
    sdi_pg_commands_free(commands, 5);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(a_commit_that_rolls_back_is_an_error)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command begin[] = {sql("BEGIN ISOLATION LEVEL SERIALIZABLE"), sql("SELECT 1/0")};
    run(connection, begin, 2);
    ck_assert_int_eq(begin[1].outcome, SDI_PG_ERROR);
    ck_assert_int_eq(sdi_pg_transaction(connection), SDI_PG_FAILED);
    sdi_pg_commands_free(begin, 2);
    sdi_pg_command commit = sql("  commit;");
    run(connection, &commit, 1);
    ck_assert_int_eq(commit.outcome, SDI_PG_ERROR);
    ck_assert_str_eq(shopdata_error_sqlstate(commit.error), "25P02");
    ck_assert_int_eq(sdi_pg_transaction(connection), SDI_PG_IDLE);
    sdi_pg_commands_free(&commit, 1);
    sdi_pg_close(connection);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- mending */

static void read_wide(sdi_pg_connection *connection, size_t columns, uint64_t mended)
{
    sdi_pg_command commands[] = {prepared("SELECT 1", 1), prepared("SELECT * FROM mend", 2),
                                 prepared("SELECT *, 0 FROM mend", 3)};
    shopdata_error *error = NULL;
    check_ok(sdi_pg_read(connection, commands, 3, BIG, soon(), &error), error);
    check_cell(&commands[0], 0, 0, "1");
    check_done(&commands[1]);
    check_done(&commands[2]);
    ck_assert_uint_eq(shopdata_result_columns(commands[1].result), columns);
    ck_assert_uint_eq(shopdata_result_columns(commands[2].result), columns + 1);
    ck_assert_uint_eq(sdi_pg_mended(connection), mended);
    sdi_pg_commands_free(commands, 3);
}

START_TEST(statements_are_mended)
{
    sdi_pg_connection *connection = open_to(primary, true), *other = open_to(primary, false);
    do_sql(other, "DROP TABLE IF EXISTS mend");
    do_sql(other, "CREATE TABLE mend (a int)");
    read_wide(connection, 1, 0);
    do_sql(other, "ALTER TABLE mend ADD b int");
    read_wide(connection, 2, 1);
    read_wide(connection, 2, 0);
    do_sql(connection, "DEALLOCATE ALL");
    read_wide(connection, 2, 1);
    do_sql(connection, "DISCARD ALL");
    read_wide(connection, 2, 1);
    do_sql(connection, "DEALLOCATE ALL");
    do_sql(connection, "PREPARE shopdata_0000000000000009 AS SELECT 9");
    sdi_pg_command taken = prepared("SELECT 8", 9);
    shopdata_error *error = NULL;
    check_ok(sdi_pg_read(connection, &taken, 1, BIG, soon(), &error), error);
    check_cell(&taken, 0, 0, "8");
    ck_assert_uint_eq(sdi_pg_mended(connection), 1);
    sdi_pg_commands_free(&taken, 1);
    do_sql(other, "DROP TABLE mend");
    sdi_pg_close(connection);
    sdi_pg_close(other);
}
END_TEST

/* An ordinary 0A000 is no plan gone stale, and is not asked again. */
START_TEST(what_cannot_be_mended_is_an_error)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command command = prepared("SELECT count(DISTINCT a ORDER BY b) OVER () FROM (VALUES (1, 2)) v(a, b)", 2);
    shopdata_error *error = NULL;
    check_ok(sdi_pg_read(connection, &command, 1, BIG, soon(), &error), error);
    ck_assert_int_eq(command.outcome, SDI_PG_ERROR);
    ck_assert_uint_eq(sdi_pg_mended(connection), 0);
    sdi_pg_commands_free(&command, 1);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(statements_are_bounded)
{
    sdi_pg_connection *connection = open_to(primary, true);
    for (uint64_t round = 0; round < 5; round++) {
        sdi_pg_command commands[500];
        for (uint64_t i = 0; i < 500; i++)
            commands[i] = prepared("SELECT 1", 1 + round * 500 + i);
        run(connection, commands, 500);
        for (int i = 0; i < 500; i++)
            check_cell(&commands[i], 0, 0, "1");
        sdi_pg_commands_free(commands, 500);
        ck_assert_int_le(ask(connection, "SELECT count(*) FROM pg_prepared_statements"), 1000);
    }
    sdi_pg_close(connection);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- limits */

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(a_result_over_the_limit_stops_early)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {sql("SELECT 1"), sql("SELECT repeat('x', 1000) FROM generate_series(1, 100000)")};
    shopdata_error *error = NULL;
    long before = peak_kilobytes();
    ck_assert_int_eq(sdi_pg_run(connection, commands, 2, 1 << 20, soon(), &error), SHOPDATA_ERR_TOO_LARGE);
    ck_assert_int_lt(peak_kilobytes() - before, 16 << 10);
    check_cell(&commands[0], 0, 0, "1");
    ck_assert_int_eq(commands[1].outcome, SDI_PG_ERROR);
    ck_assert_int_eq(shopdata_error_status(commands[1].error), SHOPDATA_ERR_TOO_LARGE);
    ck_assert(sdi_pg_broken(connection));
    shopdata_error_free(error);
    sdi_pg_commands_free(commands, 2);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(a_copy_is_refused)
{
    static const char *const copies[] = {"COPY (SELECT 1) TO STDOUT", "COPY t FROM STDIN"};
    for (int i = 0; i < 2; i++) {
        sdi_pg_connection *connection = open_to(primary, true);
        sdi_pg_command commands[] = {sql("CREATE TEMPORARY TABLE t (a int)"), sql(copies[i])};
        shopdata_error *error = NULL;
        ck_assert_int_eq(sdi_pg_run(connection, commands, 2, BIG, soon(), &error), SHOPDATA_ERR_REFUSED);
        ck_assert_int_eq(shopdata_error_status(commands[1].error), SHOPDATA_ERR_REFUSED);
        ck_assert(!shopdata_error_is_retriable(error) && sdi_pg_broken(connection));
        shopdata_error_free(error);
        sdi_pg_commands_free(commands, 2);
        sdi_pg_close(connection);
    }
}
END_TEST

START_TEST(a_deadline_ends_a_sleep_in_time)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {sql("SELECT 1"), sql("SELECT pg_sleep(30)")};
    shopdata_error *error = NULL;
    int64_t begin = sdi_now();
    ck_assert_int_eq(sdi_pg_run(connection, commands, 2, BIG, sdi_deadline_in(150), &error), SHOPDATA_ERR_TIMEOUT);
    ck_assert_int_ge(sdi_now() - begin, 150000);
    ck_assert_int_lt(sdi_now() - begin, UNIT_BUSY_MS * 1000);
    ck_assert(sdi_pg_broken(connection));
    ck_assert(strchr(shopdata_error_message(error), ':') != NULL);
    shopdata_error_free(error);
    sdi_pg_commands_free(commands, 2);
    sdi_pg_connection *other = open_to(primary, true);
    kill_backend(other, connection);
    sdi_pg_close(connection);
    sdi_pg_close(other);
}
END_TEST

START_TEST(a_lost_connection_is_unavailable)
{
    sdi_pg_connection *connection = open_to(primary, true), *other = open_to(primary, true);
    ck_assert(sdi_pg_idle_alive(connection));
    kill_backend(other, connection);
    sdi_pg_command command = sql("SELECT 1");
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_pg_run(connection, &command, 1, BIG, soon(), &error), SHOPDATA_ERR_UNAVAILABLE);
    ck_assert(shopdata_error_is_retriable(error));
    ck_assert_ptr_null(strchr(shopdata_error_message(error), '\n'));
    ck_assert_int_eq(command.outcome, SDI_PG_NOT_RUN);
    ck_assert(sdi_pg_broken(connection));
    shopdata_error_free(error);
    sdi_pg_close(connection);
    connection = open_to(primary, true);
    kill_backend(other, connection);
    ck_assert(!sdi_pg_idle_alive(connection));
    sdi_pg_close(connection);
    sdi_pg_close(other);
}
END_TEST

/* What had been answered before the end stays answered. */
/* Who asks for the end of a backend goes on as if it could commit no more: so it is gone when he is told. */
START_TEST(a_backend_that_was_ended_is_gone)
{
    sdi_pg_connection *by = open_to(primary, true);
    for (int i = 0; i < 50; i++) {
        sdi_pg_connection *victim = open_to(primary, true);
        sdi_pg_backend_id backend = sdi_pg_backend(victim);
        shopdata_error *error = NULL;
        do_sql(victim, "CREATE TEMPORARY TABLE work_to_do_at_the_end AS SELECT 1");
        check_ok(sdi_pg_terminate(by, &backend, soon(), &error), error);
        ck_assert(!backend_lives(by, &backend));
        sdi_pg_close(victim);
    }
    sdi_pg_close(by);
}
END_TEST

START_TEST(answers_before_the_loss_are_kept)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_pg_command commands[] = {sql("SELECT repeat('x', 100000)"),
                                 sql("SELECT pg_terminate_backend(pg_backend_pid())"), sql("SELECT pg_sleep(5)")};
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_pg_run(connection, commands, 3, BIG, soon(), &error), SHOPDATA_ERR_UNAVAILABLE);
    ck_assert_uint_eq(strlen(cell(&commands[0], 0, 0)), 100000);
    ck_assert_int_ne(commands[2].outcome, SDI_PG_DONE);
    shopdata_error_free(error);
    sdi_pg_commands_free(commands, 3);
    sdi_pg_close(connection);
}
END_TEST

START_TEST(a_forked_child_leaves_the_parent_alone)
{
    sdi_pg_connection *connection = open_to(primary, true);
    pid_t child = fork();
    if (child == 0) {
        sdi_pg_abandon(connection);
        _exit(0);
    }
    int status;
    ck_assert(waitpid(child, &status, 0) == child && status == 0);
    usleep(50000);
    ck_assert(sdi_pg_idle_alive(connection));
    ck_assert_int_eq(ask(connection, "SELECT 5"), 5);
    sdi_pg_close(connection);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- moments */

static sdi_moment moment_of(sdi_pg_connection *connection)
{
    sdi_pg_command command = sdi_moment_command();
    sdi_moment moment;
    run(connection, &command, 1);
    check_done(&command);
    ck_assert(sdi_moment_read(connection, command.result, &moment));
    sdi_pg_commands_free(&command, 1);
    return moment;
}

START_TEST(the_primary_tells_its_moment)
{
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_moment moment = moment_of(connection);
    sdi_stamp stamp;
    sdi_point floor, written;
    ck_assert(!moment.standby && sdi_era_known(moment.era));
    ck_assert(sdi_moment_stamp(&moment, &stamp) && sdi_moment_floor(&moment, &floor));
    ck_assert(!stamp.standby && stamp.lsn == moment.flush && floor.lsn == moment.insert && floor.flush == moment.flush);
    do_sql(connection, "CREATE TABLE IF NOT EXISTS moments (a int)");
    sdi_moment after = moment_of(connection);
    ck_assert(sdi_moment_written(&after, true, &written) && written.lsn == after.flush && written.flush == after.flush);
    ck_assert(!sdi_stamp_passes(&stamp, &written));
    ck_assert(sdi_moment_stamp(&after, &stamp) && sdi_stamp_passes(&stamp, &written) &&
              sdi_stamp_passes(&stamp, &floor));
    ck_assert(sdi_moment_written(&after, false, &written) && written.lsn == after.insert);
    do_sql(connection, "DROP TABLE moments");
    sdi_pg_close(connection);
}
END_TEST

START_TEST(a_standby_tells_its_moment)
{
    sdi_pg_connection *connection = open_to(standby, true), *writer = open_to(primary, true);
    sdi_moment moment = moment_of(connection);
    sdi_stamp stamp, later;
    sdi_point written;
    ck_assert(moment.standby && sdi_era_known(moment.era) && moment.received != 0);
    ck_assert(sdi_moment_stamp(&moment, &stamp) && stamp.standby && stamp.lsn == moment.replay);
    ck_assert(!sdi_moment_floor(&moment, &written) && !sdi_moment_written(&moment, true, &written));
    do_sql(writer, "CREATE TABLE IF NOT EXISTS moments (a int)");
    sdi_moment after = moment_of(writer);
    ck_assert(sdi_era_equal(after.era, moment.era));
    ck_assert(sdi_moment_written(&after, true, &written) && !sdi_stamp_passes(&stamp, &written));
    for (int tries = 0; tries < 1000; tries++) {
        moment = moment_of(connection);
        ck_assert(sdi_moment_stamp(&moment, &later) && later.lsn >= stamp.lsn);
        if (sdi_stamp_passes(&later, &written))
            break;
        usleep(5000);
    }
    ck_assert(sdi_stamp_passes(&later, &written));
    ck_assert(moment.replay_age_seconds >= 0 && moment.replay_age_seconds < 60);
    do_sql(writer, "DROP TABLE moments");
    sdi_pg_close(connection);
    sdi_pg_close(writer);
}
END_TEST

static bool missed(sdi_pg_connection *connection, bool as_primary)
{
    sdi_moment moment;
    sdi_pg_command command = sdi_moment_of(as_primary);
    run(connection, &command, 1);
    bool missed = sdi_moment_missed(&command);
    bool read = command.outcome == SDI_PG_DONE && sdi_moment_read(connection, command.result, &moment);
    ck_assert(read == !missed);
    if (read)
        ck_assert(moment.standby == !as_primary && sdi_era_equal(moment.era, moment_of(connection).era));
    if (read && as_primary)
        ck_assert(moment.flush && moment.insert && moment.snapshot_known && moment.next);
    sdi_pg_commands_free(&command, 1);
    return missed;
}

START_TEST(each_role_has_a_question_of_its_own)
{
    sdi_pg_connection *of_primary = open_to(primary, true), *of_standby = open_to(standby, true);
    ck_assert(!missed(of_primary, true) && missed(of_primary, false));
    ck_assert(!missed(of_standby, false) && missed(of_standby, true));
    sdi_pg_close(of_primary);
    sdi_pg_close(of_standby);
}
END_TEST

/* An answer that is late, one in pieces and a loss are met while it is looked for as while it is slept for. */
START_TEST(answers_are_looked_for_first)
{
    enum { QUICK = 200 };
    sdi_busy_poll busy_poll;
    sdi_pg_connection *connection = open_to(primary, true);
    sdi_busy_poll_init(&busy_poll, true);
    busy_poll.places = 1;
    sdi_pg_look_first(connection, &busy_poll);
    for (int i = 0; i < QUICK; i++)
        ck_assert_int_eq(ask(connection, "SELECT 5"), 5);
    ck_assert_int_gt(atomic_load(&busy_poll.recent), 0); /* answers of a few microseconds each add up */
    ck_assert_int_eq(atomic_load(&busy_poll.taken), 0);
    sdi_pg_command commands[] = {sql("SELECT 1 FROM pg_sleep(0.05)"), sql("SELECT repeat('x', 1000000)")};
    run(connection, commands, 2);
    ck_assert_uint_eq(strlen(cell(&commands[1], 0, 0)), 1000000);
    sdi_pg_commands_free(commands, 2);
    sdi_pg_command last = sql("SELECT pg_terminate_backend(pg_backend_pid())");
    ck_assert_int_eq(sdi_pg_run(connection, &last, 1, BIG, soon(), NULL), SHOPDATA_ERR_UNAVAILABLE);
    sdi_pg_commands_free(&last, 1);
    ck_assert_int_eq(atomic_load(&busy_poll.taken), 0);
    sdi_pg_close(connection);
}
END_TEST

static void fill(TCase *cases)
{
    primary = getenv("SHOPDATA_PRIMARY");
    standby = getenv("SHOPDATA_REPLICA1");
    if (!primary || !standby)
        exit(77);
    tcase_add_test(cases, a_result_over_the_limit_stops_early); /* first: it looks at the peak of memory */
    tcase_add_test(cases, connecting_pins_and_identifies);
    tcase_add_test(cases, refusals_are_one_line_without_password);
    tcase_add_test(cases, a_silent_server_is_a_timeout);
    tcase_add_test(cases, all_kinds_of_parameters);
    tcase_add_test(cases, bytes_and_text_in_the_same_place);
    tcase_add_test(cases, results_and_changed);
    tcase_add_test(cases, a_thousand_commands);
    tcase_add_test(cases, a_batch_larger_than_the_sockets);
    tcase_add_test(cases, an_error_stops_a_run);
    tcase_add_test(cases, an_error_has_detail_and_hint_in_one_line);
    tcase_add_test(cases, reads_do_not_suffer_from_neighbours);
    tcase_add_test(cases, a_commit_that_rolls_back_is_an_error);
    tcase_add_test(cases, statements_are_mended);
    tcase_add_test(cases, what_cannot_be_mended_is_an_error);
    tcase_add_test(cases, statements_are_bounded);
    tcase_add_test(cases, a_copy_is_refused);
    tcase_add_test(cases, a_deadline_ends_a_sleep_in_time);
    tcase_add_test(cases, a_lost_connection_is_unavailable);
    tcase_add_test(cases, a_backend_that_was_ended_is_gone);
    tcase_add_test(cases, answers_before_the_loss_are_kept);
    tcase_add_test(cases, a_forked_child_leaves_the_parent_alone);
    tcase_add_test(cases, the_primary_tells_its_moment);
    tcase_add_test(cases, a_standby_tells_its_moment);
    tcase_add_test(cases, each_role_has_a_question_of_its_own);
    tcase_add_test(cases, answers_are_looked_for_first);
}

UNIT_MAIN("postgres", fill, 60)
