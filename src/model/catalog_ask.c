/* The three questions. They run on a standby as an ordinary role, on PostgreSQL 13 and later. Names go in quoted, so
 * that they mean the same as in the statement, under the connection's search_path. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/catalog_facts.h"
#include "model/sql_facts.h"

/* One row a column. An index stands for its table: DROP INDEX and REINDEX name only that. A key of WITHOUT OVERLAPS
 * (indisexclusion) does not make its columns unique. */
static const char columns_question[] =
    "SELECT g.ord, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,"
    " EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN'"
    "   AND w.ev_enabled <> 'D'),"
    " n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'),"
    " a.attname, a.atttypid::pg_catalog.int8, t.typcategory = 'D', coalesce(l.collisdeterministic, true),"
    " pg_catalog.array_position(k.indkey::pg_catalog.int2[], a.attnum) + 1, k.indnkeyatts,"
    " EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid"
    "   AND a.attnum = ANY (f.confkey) AND f.confupdtype IN ('c', 'n', 'd'))"
    " FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS g(name, ord)"
    " LEFT JOIN LATERAL (SELECT coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i"
    "   WHERE i.indexrelid = pg_catalog.to_regclass(g.name)), pg_catalog.to_regclass(g.name)::pg_catalog.oid) AS oid)"
    "   AS r ON true"
    " LEFT JOIN pg_catalog.pg_class c ON c.oid = r.oid"
    " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_index k ON k.indrelid = c.oid AND k.indisprimary AND k.indisvalid"
    "   AND NOT k.indisexclusion"
    " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation"
    " ORDER BY g.ord, a.attnum";

/* One row a name.
 * f: functions. An aggregate is as volatile as what it calls: pg_proc calls every aggregate immutable.
 * o: operators of others than pg_catalog, and whether one of them takes the types of keys.
 * a: functions of one row, which x.name may call; aggregates of anything, too.
 * t: what casting to the type may depend on: 'i' nothing, 's' the clock if it casts from text, 'v' whatever. */
static const char names_question[] =
    "WITH given AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
    "   pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))"
    "   WITH ORDINALITY AS g(kind, schema, name, ord)),"
    " visible AS (SELECT n.oid, n.nspname, n.nspname = ANY (pg_catalog.current_schemas(true)) AS in_path,"
    "   n.nspname = 'pg_catalog' AS builtin FROM pg_catalog.pg_namespace n),"
    " functions AS (SELECT p.*, CASE WHEN p.prokind <> 'a' THEN p.provolatile::pg_catalog.text"
    "     WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace THEN 'i'"
    "     ELSE (SELECT pg_catalog.max(s.provolatile::pg_catalog.text) FROM pg_catalog.pg_aggregate q"
    "       JOIN pg_catalog.pg_proc s ON s.oid IN (q.aggtransfn, q.aggfinalfn, q.aggcombinefn, q.aggmtransfn,"
    "         q.aggminvtransfn, q.aggmfinalfn) WHERE q.aggfnoid = p.oid) END AS worst FROM pg_catalog.pg_proc p)"
    " SELECT g.ord, pg_catalog.max(p.worst), pg_catalog.bool_and(v.builtin), pg_catalog.bool_or(p.prokind = 'a')"
    " FROM given g JOIN functions p ON p.proname = g.name JOIN visible v ON v.oid = p.pronamespace"
    "   AND CASE g.schema WHEN '' THEN v.in_path ELSE v.nspname = g.schema END"
    " WHERE g.kind = 'f' GROUP BY g.ord"
    " UNION ALL "
    "SELECT g.ord, pg_catalog.max(p.provolatile::pg_catalog.text),"
    "   NOT pg_catalog.bool_or(o.oprleft = o.oprright AND o.oprleft IN (16, 20, 21, 23, 25, 1043, 2950)"
    "     OR o.oprleft IN (20, 21, 23) AND o.oprright IN (20, 21, 23)), false"
    " FROM given g JOIN pg_catalog.pg_operator o ON o.oprname = g.name"
    "   JOIN visible v ON v.oid = o.oprnamespace AND NOT v.builtin AND (v.in_path OR v.nspname = g.schema)"
    "   JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode"
    " WHERE g.kind = 'o' GROUP BY g.ord"
    " UNION ALL "
    "SELECT g.ord, pg_catalog.max(CASE WHEN v.builtin THEN 'i' ELSE p.worst END), pg_catalog.bool_and(v.builtin),"
    "   pg_catalog.bool_or(p.prokind = 'a')"
    " FROM given g JOIN functions p ON p.proname = g.name AND p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1"
    "   JOIN visible v ON v.oid = p.pronamespace AND v.in_path"
    "   JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')"
    " WHERE g.kind = 'a' GROUP BY g.ord"
    " UNION ALL "
    "SELECT g.ord, CASE"
    "   WHEN EXISTS (SELECT FROM pg_catalog.pg_cast x JOIN pg_catalog.pg_proc p ON p.oid = x.castfunc"
    "     WHERE x.casttarget = e.oid AND p.provolatile <> 'i' AND p.pronamespace <>"
    "       'pg_catalog'::pg_catalog.regnamespace) THEN 'v'"
    "   WHEN e.typtype = 'e' THEN 'i' WHEN e.typtype = 'm' OR e.typtype = 'r' THEN 's'"
    "   WHEN e.typtype <> 'b' THEN 'v'"
    "   WHEN NOT v.builtin THEN i.provolatile::pg_catalog.text"
    "   WHEN e.typname ~ '^reg' AND e.typname NOT IN ('regconfig', 'regdictionary') THEN 'v'"
    "   WHEN e.typcategory = 'D' THEN 's' ELSE 'i' END, v.builtin, false"
    " FROM given g JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(g.name)"
    "   JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem"
    "     ELSE t.oid END"
    "   JOIN visible v ON v.oid = e.typnamespace JOIN pg_catalog.pg_proc i ON i.oid = e.typinput"
    " WHERE g.kind = 't'";

/* One row for each relation bound to a named one. */
static const char bounds_question[] =
    "WITH RECURSIVE edges(source, target, edge) AS ("
    " SELECT i.inhparent, i.inhrelid, 'f' FROM pg_catalog.pg_inherits i"
    " UNION ALL SELECT i.inhrelid, i.inhparent, 'f' FROM pg_catalog.pg_inherits i"
    " UNION ALL SELECT f.confrelid, f.conrelid, CASE WHEN f.confdeltype IN ('c', 'n', 'd')"
    "     THEN CASE WHEN f.confupdtype IN ('c', 'n', 'd') THEN 'b' ELSE 'd' END"
    "     WHEN f.confupdtype IN ('c', 'n', 'd') THEN 'u' ELSE 'r' END"
    "   FROM pg_catalog.pg_constraint f WHERE f.contype = 'f'),"
    " reached(ord, bond, oid) AS ("
    " SELECT g.ord, b.bond, coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i"
    "     WHERE i.indexrelid = pg_catalog.to_regclass(g.name)), pg_catalog.to_regclass(g.name)::pg_catalog.oid)"
    "   FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS g(name, ord),"
    "     (VALUES ('f'), ('D'), ('U'), ('T')) AS b(bond)"
    " UNION SELECT r.ord, CASE WHEN e.edge = 'f' THEN r.bond ELSE pg_catalog.lower(r.bond) END, e.target"
    "   FROM reached r JOIN edges e ON e.source = r.oid AND (e.edge = 'f'"
    "     OR r.bond = 'D' AND e.edge IN ('d', 'b') OR r.bond = 'U' AND e.edge IN ('u', 'b')"
    "     OR r.bond IN ('d', 'u') AND e.edge IN ('d', 'u', 'b') OR r.bond IN ('T', 't') AND e.edge <> 'f'))"
    " SELECT r.ord, r.bond, n.nspname, c.relname FROM reached r"
    " JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.bond IN ('f', 'd', 'u', 't') ORDER BY r.ord, r.bond, n.nspname, c.relname";

static void quote(sdi_buffer *out, const char *text, char mark)
{
    sdi_buffer_char(out, mark);
    for (; *text; text++) {
        if (*text == mark)
            sdi_buffer_char(out, mark);
        sdi_buffer_char(out, *text);
    }
    sdi_buffer_char(out, mark);
}

static void array_begin(sdi_buffer *array)
{
    sdi_buffer_char(array, '{');
}

/* An element always in double quotes: NULL, blanks, braces and the empty text need no second thought then. */
static void array_element(sdi_buffer *array, const char *text)
{
    if (array->length > 1)
        sdi_buffer_char(array, ',');
    sdi_buffer_char(array, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            sdi_buffer_char(array, '\\');
        sdi_buffer_char(array, *text);
    }
    sdi_buffer_char(array, '"');
}

static void qualified(sdi_buffer *out, const char *schema, const char *name)
{
    if (schema[0]) {
        quote(out, schema, '"');
        sdi_buffer_char(out, '.');
    }
    quote(out, name, '"');
}

static void array_qualified(sdi_buffer *array, const char *schema, const char *name)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    qualified(&text, schema, name);
    array->failed |= text.failed;
    if (!text.failed)
        array_element(array, text.data);
    sdi_buffer_free(&text);
}

static void question_text(sdi_catalog_question *question, sdi_buffer *array)
{
    sdi_buffer_char(array, '}');
    char *text = sdi_buffer_take(array);
    question->texts[question->count] = text;
    question->params[question->count] = shopdata_text(text);
    question->count++;
}

static void ask_relations(const sdi_sql *sql, sdi_catalog_question *question, const char *text)
{
    sdi_buffer names = SDI_BUFFER_INIT;
    question->sql = text;
    array_begin(&names);
    for (size_t i = 0; i < SDI_COUNT(sql->relations, sdi_sql_relation); i++) {
        const sdi_sql_relation *relation = &SDI_ITEMS(sql->relations, sdi_sql_relation)[i];
        array_qualified(&names, relation->schema, relation->name);
    }
    question_text(question, &names);
}

static void ask_names(const sdi_sql *sql, sdi_catalog_question *question)
{
    sdi_buffer kinds = SDI_BUFFER_INIT, schemas = SDI_BUFFER_INIT, names = SDI_BUFFER_INIT;
    question->sql = names_question;
    array_begin(&kinds);
    array_begin(&schemas);
    array_begin(&names);
    for (size_t i = 0; i < SDI_COUNT(sql->names, sdi_sql_name); i++) {
        const sdi_sql_name *name = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        array_element(&kinds, (char[]){(char)name->kind, '\0'});
        array_element(&schemas, name->schema);
        if (name->kind == SDI_NAME_TYPE)
            array_qualified(&names, name->schema, name->name);
        else
            array_element(&names, name->name);
    }
    question_text(question, &kinds);
    question_text(question, &schemas);
    question_text(question, &names);
}

static bool complete(const sdi_catalog_question *question)
{
    for (size_t i = 0; i < question->count; i++)
        if (!question->texts[i])
            return false;
    return true;
}

int sdi_catalog_ask(const sdi_sql *sql, sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                    shopdata_error **error_out)
{
    memset(questions, 0, SDI_CATALOG_QUESTIONS * sizeof *questions);
    ask_relations(sql, &questions[0], columns_question);
    ask_names(sql, &questions[1]);
    ask_relations(sql, &questions[2], bounds_question);
    if (complete(&questions[0]) && complete(&questions[1]) && complete(&questions[2]))
        return SHOPDATA_OK;
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        sdi_catalog_question_free(&questions[i]);
    return sdi_no_memory(error_out);
}

void sdi_catalog_question_free(sdi_catalog_question *question)
{
    for (size_t i = 0; i < question->count; i++)
        sdi_free(question->texts[i]);
    memset(question, 0, sizeof *question);
}
