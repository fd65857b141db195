/* The promise behind the tags, tried at random: if a write changes the answer of a cached read, then the read hangs on
 * a tag that the write bumps. Reads and writes are those of plans.h and made-up ones.
 *
 *   test_tags [SEED [ROUNDS]]     skipped (77) unless SHOPDATA_PRIMARY tells a server; SHOPDATA_TEST_BRIEF: a quarter
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "plans/plans.h"
#include "plans/server.h"

enum { PARAMS = 4, READS_MADE_UP = 200, WRITES_MADE_UP = 100, ROUNDS = 1 };

static const char rows[] =
    "INSERT INTO products SELECT i, 'n' || i, i, i, '2024-01-01', 'x' FROM generate_series(1, 3) i;"
    "INSERT INTO customers SELECT ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || i)::uuid, 'e', true "
    "FROM generate_series(1, 3) i;"
    "INSERT INTO orders SELECT i, NULL, '2024-01-01' FROM generate_series(1, 3) i;"
    "INSERT INTO order_lines SELECT i, j, i, j FROM generate_series(1, 3) i, "
    "generate_series(1, 2) j;"
    "INSERT INTO shipments SELECT i, i, 1 FROM generate_series(1, 3) i;"
    "INSERT INTO categories VALUES (1, NULL), (2, 1), (3, 2);"
    "INSERT INTO flags VALUES (true, 'x');"
    "INSERT INTO settings SELECT i::text, 'v' FROM generate_series(1, 3) i;"
    "INSERT INTO codes VALUES ('1', 'x'), ('2', 'y');"
    "INSERT INTO labels VALUES ('1', 'x'), ('2', 'y');"
    "INSERT INTO amounts VALUES (1, 'x'), (2, 'y');"
    "INSERT INTO numbers VALUES (1, 'x'), (2, 'y');"
    "INSERT INTO loose VALUES (1, 1), (2, 2);"
    "INSERT INTO \"od,d.t/ab\" VALUES (1, 'x'), (2, 'y');"
    "INSERT INTO events VALUES (1, '2024-01-01', 'x'), (2, '2024-01-02', 'y');"
    "INSERT INTO animals VALUES (1, 'x'), (2, 'y');"
    "INSERT INTO dogs VALUES (1, 'x', 'b'), (3, 'y', 'c');"
    "INSERT INTO moods VALUES ('sad', 'x'), ('happy', 'y');"
    "INSERT INTO days VALUES ('2024-01-01', 'x'), ('2024-01-02', 'y');"
    "INSERT INTO counted (note) VALUES ('x'), ('y'), ('z');"
    "INSERT INTO computed VALUES (1), (2), (3);"
    "SET app.tenant = 'a';"
    "INSERT INTO notes VALUES (1, 'a', 'x'), (2, 'a', 'y'), (3, 'a', 'z');"
    "INSERT INTO quiet VALUES (1, 'x'), (2, 'y');"
    "INSERT INTO unchanged VALUES (1, 'x'), (2, 'y');"
    "REFRESH MATERIALIZED VIEW summary";

typedef struct statement {
    char *text;
    sdi_plan *plan;
    size_t count;
    Oid types[PARAMS];
    /* of the call at hand */
    char *values[PARAMS];
    char *answer; /* NULL: failed */
    bool empty;
} statement;

/* ------------------------------------------------------------------------------------------------ made-up statements
 */

static size_t below(size_t limit)
{
    return (size_t)rand() % limit;
}

#define ONE_OF(...)                                                                                                    \
    one_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *one_of(const char *const *texts, size_t count)
{
    return texts[below(count)];
}

static const char *table_name(void)
{
    return ONE_OF("products", "orders", "orders", "order_lines", "order_lines", "settings", "animals", "cheap",
                  "listing", "order_view", "renamed", "nested");
}

static const char *value(void)
{
    return ONE_OF("$1", "$1", "$2", "2", "'3'", "4", "NULL", "2.0", "a.order_id", "b.order_id");
}

static const char *column(void)
{
    return ONE_OF("product_id", "order_id", "order_id", "line_no", "name", "id", "a.order_id", "a.order_id",
                  "b.order_id", "a.product_id", "b.product_id", "a.line_no", "b.line_no", "a.name", "b.name",
                  "orders.order_id", "a.id", "a.pid", "b.pid", "pid");
}

static void condition(sdi_buffer *sql, int depth)
{
    if (depth > 0 && below(2)) {
        const char *link = ONE_OF(" AND ", " AND ", " AND ", " OR ");
        sdi_buffer_text(sql, ONE_OF("(", "(", "(", "NOT ("));
        condition(sql, depth - 1);
        sdi_buffer_text(sql, link);
        condition(sql, depth - 1);
        sdi_buffer_char(sql, ')');
        return;
    }
    const char *left = below(4) ? column() : value();
    sdi_buffer_printf(sql, "%s %s %s", left, ONE_OF("=", "=", "=", "=", "=", "<>", "<"), below(8) ? value() : column());
}

static void from_item(sdi_buffer *sql, const char *alias)
{
    const char *table = table_name();
    if (!below(8))
        sdi_buffer_printf(sql, "(SELECT * FROM %s) AS %s", table, alias);
    else if (!below(12))
        sdi_buffer_printf(sql, "%s AS %s(order_id, line_no)", table, alias);
    else if (!below(8))
        sdi_buffer_text(sql, table);
    else
        sdi_buffer_printf(sql, "%s AS %s", table, alias);
}

static void from_clause(sdi_buffer *sql)
{
    from_item(sql, "a");
    if (below(2))
        return;
    const char *join = ONE_OF(", ", " CROSS JOIN ", " NATURAL JOIN ", " JOIN ", " JOIN ", " JOIN ", " LEFT JOIN ",
                              " RIGHT JOIN ", " FULL JOIN ");
    bool on = strcmp(join, ", ") && strcmp(join, " CROSS JOIN ") && strcmp(join, " NATURAL JOIN ");
    sdi_buffer_text(sql, join);
    from_item(sql, "b");
    if (on && !below(4)) {
        sdi_buffer_printf(sql, " USING (%s)", ONE_OF("order_id", "product_id", "line_no", "name"));
    } else if (on) {
        sdi_buffer_text(sql, " ON ");
        condition(sql, 1);
    }
}

static char *made_up_read(void)
{
    sdi_buffer sql = SDI_BUFFER_INIT;
    sdi_buffer_printf(&sql, "SELECT %s FROM ",
                      ONE_OF("*", "*", "*", "a.*", "count(*)", "max(1)", "1", "a.count", "DISTINCT 1",
                             "(SELECT count(*) FROM settings)", "(SELECT count(a.order_id))", "a.order_id + 1",
                             "EXISTS (SELECT FROM loose)", "rank() OVER ()", "(SELECT max(1) FROM orders b)"));
    from_clause(&sql);
    if (below(8)) {
        sdi_buffer_text(&sql, " WHERE ");
        condition(&sql, 2);
    }
    sdi_buffer_text(&sql, ONE_OF("", "", "", "", "", "", " GROUP BY 1", " HAVING true", " UNION SELECT 1",
                                 " ORDER BY 1", " OFFSET 1"));
    return sdi_buffer_take(&sql);
}

static void made_up_insert(sdi_buffer *sql)
{
    sdi_buffer_text(sql,
                    ONE_OF("INSERT INTO products (product_id) VALUES ($1)", "INSERT INTO orders (order_id) VALUES ($1)",
                           "INSERT INTO order_lines (order_id, line_no) VALUES ($1, $2)",
                           "INSERT INTO settings (name) VALUES ($1)", "INSERT INTO dogs (id) VALUES ($1)",
                           "INSERT INTO animals (id) VALUES ($1)"));
    sdi_buffer_text(sql, ONE_OF("", "", " ON CONFLICT DO NOTHING"));
}

static void made_up_update(sdi_buffer *sql)
{
    sdi_buffer_printf(
        sql, "UPDATE %s AS a SET %s = %s", table_name(),
        ONE_OF("stock", "order_id", "product_id", "name", "value", "line_no", "note", "quantity", "pid", "title", "id"),
        ONE_OF("1", "7", "'z'", "$2", "4"));
    if (!below(4))
        sdi_buffer_printf(sql, " FROM %s b", table_name());
}

static char *made_up_write(void)
{
    sdi_buffer sql = SDI_BUFFER_INIT;
    size_t what = below(3);
    if (what == 0) {
        made_up_insert(&sql);
        return sdi_buffer_take(&sql);
    }
    if (what == 1)
        made_up_update(&sql);
    else
        sdi_buffer_printf(&sql, "DELETE FROM %s AS a%s", table_name(), ONE_OF("", "", "", " USING orders b"));
    sdi_buffer_text(&sql, " WHERE ");
    condition(&sql, 1);
    return sdi_buffer_take(&sql);
}

/* ----------------------------------------------------------------------------------------------------------- calls */

static void describe(statement *s)
{
    PGresult *described = PQdescribePrepared(connection, "s");
    s->count = (size_t)PQnparams(described);
    for (size_t i = 0; i < s->count && i < PARAMS; i++)
        s->types[i] = PQparamtype(described, (int)i);
    PQclear(described);
}

/* False if the server does not take the statement. */
static bool prepare(statement *s, char *text)
{
    run("SAVEPOINT p");
    PGresult *prepared = PQprepare(connection, "s", text, 0, NULL);
    bool good = PQresultStatus(prepared) == PGRES_COMMAND_OK;
    PQclear(prepared);
    s->text = text;
    if (good) {
        describe(s);
        run("DEALLOCATE s");
    }
    run("ROLLBACK TO p");
    return good && s->count <= PARAMS;
}

static char *random_value(Oid type)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    if (!below(20))
        return NULL;
    switch (type) {
    case 16:
        sdi_buffer_text(&text, ONE_OF("t", "false", "on", "0"));
        break;
    case 2950:
        sdi_buffer_printf(&text, "%sa0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1%zu%s", "", below(5), "");
        break;
    case 1082:
    case 1114:
    case 1184:
        sdi_buffer_text(&text, ONE_OF("2024-01-01", "2024-01-02"));
        break;
    case 1007:
    case 1016:
        sdi_buffer_text(&text, "{1,2}");
        break;
    default:
        sdi_buffer_printf(&text, "%s%zu", type == 20 || type == 23 ? ONE_OF("", "", " ", "+", "0") : "", 2 + below(3));
    }
    return sdi_buffer_take(&text);
}

static void choose_values(statement *s)
{
    for (size_t i = 0; i < s->count; i++) {
        sdi_free(s->values[i]);
        s->values[i] = random_value(s->types[i]);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows in any order: only what they are counts. */
static char *rows_text(const PGresult *result)
{
    size_t count = (size_t)PQntuples(result);
    char **lines = sdi_calloc(count, sizeof *lines);
    sdi_buffer all = SDI_BUFFER_INIT;
    for (size_t r = 0; r < count; r++) {
        sdi_buffer line = SDI_BUFFER_INIT;
        for (int c = 0; c < PQnfields(result); c++)
            sdi_buffer_printf(&line, "%s|", PQgetisnull(result, (int)r, c) ? "NULL" : PQgetvalue(result, (int)r, c));
        lines[r] = sdi_buffer_take(&line);
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t r = 0; r < count; r++) {
        sdi_buffer_text(&all, lines[r]);
        sdi_buffer_char(&all, '\n');
        sdi_free(lines[r]);
    }
    sdi_free(lines);
    return sdi_buffer_take(&all);
}

static char *answer_of(const statement *s, bool *empty)
{
    PGresult *result =
        PQexecParams(connection, s->text, (int)s->count, NULL, (const char *const *)s->values, NULL, NULL, 0);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK;
    char *text = good ? rows_text(result) : NULL;
    *empty = PQntuples(result) == 0;
    PQclear(result);
    return text;
}

/* A failure must not end the transaction. */
static void first_answer(statement *s)
{
    run("SAVEPOINT q");
    sdi_free(s->answer);
    s->answer = answer_of(s, &s->empty);
    run(s->answer ? "RELEASE q" : "ROLLBACK TO q");
}

static void call_tags(const statement *s, sdi_tags *tags)
{
    shopdata_param params[PARAMS];
    for (size_t i = 0; i < s->count; i++)
        params[i] = shopdata_text(s->values[i]);
    sdi_plan_tags(s->plan, params, s->count, tags);
}

static bool share_a_tag(const statement *read, const statement *write)
{
    sdi_tags hung = SDI_TAGS_INIT, bumped = SDI_TAGS_INIT;
    bool shared = false;
    call_tags(read, &hung);
    call_tags(write, &bumped);
    for (size_t i = 0; i < (read->empty ? hung.count : hung.required); i++)
        for (size_t j = 0; j < bumped.count; j++)
            shared |= sdi_slice_equal(sdi_tags_at(&hung, i), sdi_tags_at(&bumped, j));
    sdi_tags_free(&hung);
    sdi_tags_free(&bumped);
    return shared;
}

static void report(const statement *s)
{
    fprintf(stderr, "%s\n ", s->text);
    for (size_t i = 0; i < s->count; i++)
        fprintf(stderr, " $%zu = %s", i + 1, s->values[i] ? s->values[i] : "NULL");
    fprintf(stderr, "\n%s\n", sdi_plan_explain(s->plan));
}

/* ------------------------------------------------------------------------------------------------------- the trial */

typedef struct trial {
    statement *reads, *writes;
    size_t read_count, write_count;
    size_t told, kept, stale;
} trial;

static void release(statement *s)
{
    for (size_t i = 0; i < PARAMS; i++)
        sdi_free(s->values[i]);
    sdi_plan_free(s->plan);
    sdi_free(s->text);
    sdi_free(s->answer);
}

static void add(trial *t, char *text)
{
    statement s = {0};
    sdi_sql *sql = NULL;
    if (!prepare(&s, text) || sdi_sql_parse(text, &sql, NULL)) {
        release(&s);
        return;
    }
    s.plan = planned(sql);
    sdi_sql_free(sql);
    if (sdi_plan_kind(s.plan) == SDI_PLAN_CACHED)
        t->reads[t->read_count++] = s;
    else if (sdi_plan_kind(s.plan) == SDI_PLAN_WRITE && !sdi_plan_changes_schema(s.plan))
        t->writes[t->write_count++] = s;
    else
        release(&s);
}

/* After a read that failed: its transaction is lost up to the savepoint. */
static void write_again(const statement *write)
{
    bool empty;
    run("ROLLBACK TO w");
    sdi_free(answer_of(write, &empty));
}

/* A read that shares a tag with the write would be asked again: only the others can be stale. */
static void compare_read(trial *t, statement *read, const statement *write)
{
    bool empty;
    if (!read->answer || share_a_tag(read, write)) {
        t->told++;
        return;
    }
    char *after = answer_of(read, &empty);
    if (!after)
        write_again(write);
    bool differs = after && strcmp(read->answer, after) != 0;
    t->kept++;
    t->stale += differs;
    if (differs) {
        fprintf(stderr, "STALE\n");
        report(read);
        report(write);
        fprintf(stderr, "before:\n%safter:\n%s\n", read->answer, after);
    }
    sdi_free(after);
}

static void try_write(trial *t, statement *write)
{
    bool empty;
    choose_values(write);
    run("SAVEPOINT w");
    char *written = answer_of(write, &empty);
    for (size_t i = 0; written && i < t->read_count; i++)
        compare_read(t, &t->reads[i], write);
    run("ROLLBACK TO w");
    sdi_free(written);
}

static void try_round(trial *t)
{
    for (size_t i = 0; i < t->read_count; i++) {
        choose_values(&t->reads[i]);
        first_answer(&t->reads[i]);
    }
    for (size_t i = 0; i < t->write_count; i++)
        try_write(t, &t->writes[i]);
}

/* Every read is tried with every write, so a round takes some of them. */
static void fill(trial *t)
{
    size_t part = getenv("SHOPDATA_TEST_BRIEF") ? 4 : 1;
    for (size_t i = 0; i < PLAN_COUNT; i++)
        if (plans[i].explained && strncmp(plans[i].sql, "EXPLAIN", 7) && !below(3 * part))
            add(t, sdi_strdup(plans[i].sql));
    for (size_t reads = t->read_count + READS_MADE_UP / part; t->read_count < reads;)
        add(t, made_up_read());
    for (size_t writes = t->write_count + WRITES_MADE_UP / part; t->write_count < writes;)
        add(t, made_up_write());
}

static void empty_trial(trial *t)
{
    for (size_t i = 0; i < t->read_count; i++)
        release(&t->reads[i]);
    for (size_t i = 0; i < t->write_count; i++)
        release(&t->writes[i]);
    t->read_count = t->write_count = 0;
}

int main(int argc, char **argv)
{
    enum { ROOM = PLAN_COUNT + READS_MADE_UP + WRITES_MADE_UP };
    static statement reads[ROOM], writes[ROOM];
    trial t = {.reads = reads, .writes = writes};
    unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
    if (!connect_to_server())
        return SKIPPED;
    run("BEGIN");
    run(rows);
    for (size_t round = 0; round < rounds; round++) {
        srand(seed + (unsigned)round);
        fill(&t);
        try_round(&t);
        empty_trial(&t);
    }
    run("ROLLBACK");
    run("DROP SCHEMA shop CASCADE");
    PQfinish(connection);
    printf("seed %u: %zu answers dropped, %zu kept, %zu of them stale\n", seed, t.told, t.kept, t.stale);
    return t.stale || !t.kept ? EXIT_FAILURE : EXIT_SUCCESS;
}
