/* test_rights.c - what an answer depends on besides the rows: who may see them, by which policies, and how text is
 * searched. Another program changes that, and the next answers must show it. */
#include <stdlib.h>

#include "opened.h"

static void as_superuser(const char *sql)
{
    free(servers_value_at("SHOPDATA_SUPERUSER_PRIMARY", sql));
}

/* Roles belong to the server, not to the schema. */
static void forget_roles(void)
{
    as_superuser("DROP SCHEMA IF EXISTS opened CASCADE;"
                 "DO 'BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = ''opened_group'') THEN"
                 "  DROP OWNED BY opened_group CASCADE; DROP ROLE opened_group; END IF; END'");
    as_superuser("ALTER ROLE shop NOBYPASSRLS; ALTER ROLE shop RESET ALL");
}

static void heal(void)
{
    forget_roles();
    servers_heal();
}

/* The first cell, or the SQLSTATE of the error. */
static const char *shown(shopdata_statement *statement)
{
    static char text[64];
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    const char *cell = NULL;
    int status = shopdata_query(session, statement, NULL, 0, &result, &error);
    if (status == SHOPDATA_OK && shopdata_result_rows(result))
        servers_ok(shopdata_result_text(result, 0, 0, &cell, NULL, NULL), NULL);
    snprintf(text, sizeof text, "%s", cell ? cell : status ? shopdata_error_sqlstate(error) : "none");
    shopdata_error_free(error);
    shopdata_result_free(result);
    return text;
}

static void expect_shown_soon(shopdata_statement *statement, const char *expected)
{
    for (int i = 0; i < 3000 && strcmp(shown(statement), expected) != 0; i++)
        usleep(10000);
    ck_assert_str_eq(shown(statement), expected);
}

#define SECURED                                                                                                        \
    "ALTER TABLE opened.item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"                                     \
    "CREATE POLICY p ON opened.item USING (id >= 2)"
/* Of the superuser: `shop` may only what it is granted. */
#define FOREIGN                                                                                                        \
    "CREATE ROLE opened_group; GRANT USAGE ON SCHEMA opened TO opened_group, shop;"                                    \
    "CREATE TABLE opened.theirs (id int PRIMARY KEY, n int); INSERT INTO opened.theirs VALUES (1, 1);"
#define DENIED "42501"

/* Of constants PostgreSQL makes one call when it prepares, and keeps that beyond a change of the dictionary: so text is
 * searched in a column here. Each is read, and read from the cache, before another program's change, and would be read
 * so for a whole TTL. */
static const struct {
    const char *own, *superuser; /* the schema, each as its role makes it */
    const char *sql, *before, *change, *after;
} changes[] = {
    {SECURED, "CREATE ROLE opened_group; CREATE POLICY q ON opened.item TO opened_group USING (id = 1)",
     "SELECT min(id) FROM opened.item", "2", "GRANT opened_group TO shop", "1"},
    {SECURED,
     "CREATE ROLE opened_group; CREATE POLICY q ON opened.item TO opened_group USING (id = 1);"
     "GRANT opened_group TO shop",
     "SELECT min(id) FROM opened.item", "1", "REVOKE opened_group FROM shop", "2"},
    {SECURED, "SELECT", "SELECT min(id) FROM opened.item", "2", "ALTER ROLE shop BYPASSRLS", "1"},
    {SECURED,
     "CREATE ROLE opened_group; GRANT USAGE ON SCHEMA opened TO opened_group;"
     "GRANT SELECT ON opened.item TO opened_group; CREATE VIEW opened.seen AS SELECT min(id) AS id FROM opened.item;"
     "ALTER VIEW opened.seen OWNER TO opened_group; GRANT SELECT ON opened.seen TO shop",
     "SELECT id FROM opened.seen", "2", "ALTER ROLE opened_group BYPASSRLS", "1"},
    {"SELECT", FOREIGN "GRANT SELECT ON opened.theirs TO shop", "SELECT n FROM opened.theirs WHERE id = 1", "1",
     "REVOKE SELECT ON opened.theirs FROM shop", DENIED},
    {"SELECT", FOREIGN "GRANT SELECT ON opened.theirs TO opened_group; GRANT opened_group TO shop",
     "SELECT n FROM opened.theirs WHERE id = 1", "1", "REVOKE opened_group FROM shop", DENIED},
    {"SELECT", FOREIGN "GRANT SELECT (id, n) ON opened.theirs TO shop", "SELECT n FROM opened.theirs WHERE id = 1", "1",
     "REVOKE SELECT (n) ON opened.theirs FROM shop", DENIED},
    {"SELECT",
     FOREIGN "GRANT SELECT ON opened.theirs TO opened_group; CREATE VIEW opened.seen AS SELECT n FROM opened.theirs;"
             "ALTER VIEW opened.seen OWNER TO opened_group; GRANT SELECT ON opened.seen TO shop",
     "SELECT n FROM opened.seen", "1", "REVOKE SELECT ON opened.theirs FROM opened_group", DENIED},
    {"SELECT",
     FOREIGN "GRANT SELECT ON opened.theirs TO shop; CREATE FUNCTION opened.one() RETURNS int LANGUAGE sql IMMUTABLE"
             "  AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION opened.one() FROM public; GRANT EXECUTE ON FUNCTION"
             "  opened.one() TO shop",
     "SELECT opened.one() FROM opened.theirs", "1", "REVOKE EXECUTE ON FUNCTION opened.one() FROM shop", DENIED},
    {"SELECT", "ALTER SCHEMA opened OWNER TO postgres; GRANT USAGE ON SCHEMA opened TO shop",
     "SELECT id FROM opened.item WHERE id = 1", "1", "REVOKE USAGE ON SCHEMA opened FROM shop", DENIED},
    {"CREATE TEXT SEARCH CONFIGURATION opened.words (COPY = simple)", "SELECT",
     "SELECT length(to_tsvector('opened.words', 'the ' || name)) FROM opened.item WHERE id = 1", "3",
     "ALTER TEXT SEARCH CONFIGURATION opened.words ALTER MAPPING FOR asciiword WITH english_stem", "2"},
    {"CREATE TEXT SEARCH DICTIONARY opened.plain (TEMPLATE = simple);"
     "CREATE TEXT SEARCH CONFIGURATION opened.words (COPY = simple);"
     "ALTER TEXT SEARCH CONFIGURATION opened.words ALTER MAPPING FOR asciiword WITH opened.plain",
     "SELECT", "SELECT length(to_tsvector('opened.words', 'the ' || name)) FROM opened.item WHERE id = 1", "3",
     "ALTER TEXT SEARCH DICTIONARY opened.plain (stopwords = english)", "2"},
    {"SELECT", "SELECT", "SELECT max(id) FROM opened.item WHERE name @@ 'items'", "20",
     "ALTER TEXT SEARCH CONFIGURATION english ALTER MAPPING FOR asciiword WITH simple", "none"},
    {"CREATE FUNCTION opened.one(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
     "CREATE FUNCTION opened.two(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';"
     "CREATE OPERATOR opened.<+> (leftarg = int, rightarg = int, function = opened.one)",
     "SELECT", "SELECT id OPERATOR(opened.<+>) 1 FROM opened.item WHERE id = 1", "1",
     "DROP OPERATOR opened.<+> (int, int);"
     "CREATE OPERATOR opened.<+> (leftarg = int, rightarg = int, function = opened.two)",
     "2"},
    {"CREATE FUNCTION opened.n(bigint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'", "SELECT",
     "SELECT opened.n(id) FROM opened.item WHERE id = 1", "1",
     "CREATE FUNCTION opened.n(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'", "2"},
    {"SELECT", "SELECT", "SELECT shelf FROM opened.item WHERE id = 10", "1",
     "ALTER TABLE opened.item ALTER COLUMN shelf TYPE int USING shelf + 1", "2"},
    {"CREATE DOMAIN opened.d AS int; ALTER TABLE opened.item ADD n opened.d DEFAULT 1", "SELECT",
     "SELECT n FROM opened.item WHERE id = 1", "1",
     "ALTER DOMAIN opened.d ADD CHECK (VALUE < 2); ALTER TABLE opened.item RENAME n TO o;"
     "ALTER TABLE opened.item ADD n int DEFAULT 2",
     "2"},
};

START_TEST(what_another_program_grants_or_changes_is_noticed)
{
    forget_roles();
    begin(changes[_i].own);
    as_superuser(changes[_i].superuser);
    shopdata_statement *read = servers_statement(client, changes[_i].sql);
    expect_shown_soon(read, changes[_i].before);
    expect_cached(session, read, changes[_i].before);
    as_superuser(changes[_i].change);
    expect_shown_soon(read, changes[_i].after);
    shopdata_statement_free(read);
    shopdata_session_free(session);
    shopdata_close(client);
    as_superuser("ALTER TEXT SEARCH CONFIGURATION english ALTER MAPPING FOR asciiword WITH english_stem");
    forget_roles();
}
END_TEST

/* Set for the role while some connections are open and others not yet: both would fill one cache. */
START_TEST(what_a_role_is_set_to_changes_no_answer)
{
    begin("UPDATE opened.item SET shelf = NULL WHERE id = 1");
    as_superuser("ALTER ROLE shop SET transform_null_equals = on; ALTER ROLE shop SET quote_all_identifiers = on;"
                 "ALTER ROLE shop SET array_nulls = off; ALTER ROLE shop SET xmloption = document;"
                 "ALTER ROLE shop SET timezone_abbreviations = 'Australia'");
    shopdata_client *later = servers_open_with(config_of(prefix_of_case()));
    shopdata_session *other;
    servers_ok(shopdata_session_new(later, &other, NULL), NULL);
    shopdata_statement *read = servers_statement(
        later, "SELECT concat_ws(' ', count(*) FILTER (WHERE shelf = NULL), min(quote_ident('id')),"
               "  min((('{NULL}'::text[])[1] IS NULL)::text), min(('<a/>text'::xml IS NOT NULL)::text)) "
               "FROM opened.item");
    expect(other, read, "0 id true true");
    shopdata_statement_free(read);
    shopdata_session_free(other);
    shopdata_close(later);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_checked_fixture(cases, NULL, heal);
    tcase_add_loop_test(cases, what_another_program_grants_or_changes_is_noticed, 0, sizeof changes / sizeof *changes);
    tcase_add_test(cases, what_a_role_is_set_to_changes_no_answer);
}

UNIT_MAIN("integration/rights", fill, 60)
