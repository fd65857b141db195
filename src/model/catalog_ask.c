/* The five questions. They run on a standby as an ordinary role, on PostgreSQL 13 and later. Names go in quoted, so
 * that they mean the same as in the statement, under the connection's search_path. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/catalog_facts.h"
#include "model/sql_facts.h"

/* What types are made of whose text depends on other types': all labels and attributes there are, for want of a list of
 * which. */
#define MADE_OF                                                                                                        \
    "(SELECT pg_catalog.md5(pg_catalog.string_agg(m.part, ',' ORDER BY m.part COLLATE pg_catalog.\"C\")) FROM ("       \
    "   SELECT pg_catalog.concat_ws(' ', e.enumtypid, e.enumsortorder, e.enumlabel) FROM pg_catalog.pg_enum e"         \
    "   UNION ALL SELECT pg_catalog.concat_ws(' ', x.attrelid, x.attnum, x.attname, x.atttypid, x.atttypmod)"          \
    "     FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_class y ON y.oid = x.attrelid"                             \
    "     WHERE y.relkind = 'c' AND NOT x.attisdropped) AS m(part))"

/* Whose rights and policies count: ours, and those of who owns a view, for it reads as its owner. */
#define READERS                                                                                                        \
    "readers AS (SELECT u.oid, u.rolbypassrls FROM pg_catalog.pg_roles u WHERE u.rolname = current_user"               \
    "   OR u.oid IN (SELECT v.relowner FROM pg_catalog.pg_class v WHERE v.relkind = 'v' AND v.oid >= 16384))"

/* One row a column; the last seven only for the shape: what its text depends on, who wrote the column's row of the
 * catalog last (an ALTER TABLE ... USING changes rows and no type), and who may read it. A domain is its base type,
 * unless that is a domain again. An index stands for its table: DROP INDEX and REINDEX name only that. A key of WITHOUT
 * OVERLAPS (indisexclusion) does not make its columns unique. */
static const char columns_question[] =
    "WITH " READERS " SELECT g.ord, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,"
    " EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN'"
    "   AND w.ev_enabled <> 'D'),"
    " n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'),"
    " a.attname, coalesce(nullif(t.typbasetype, 0), a.atttypid)::pg_catalog.int8, t.typcategory = 'D',"
    " coalesce(l.collisdeterministic, true),"
    " pg_catalog.array_position(k.indkey::pg_catalog.int2[], a.attnum) + 1, k.indnkeyatts,"
    " EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid"
    "   AND a.attnum = ANY (f.confkey) AND f.confupdtype IN ('c', 'n', 'd')),"
    " EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum"
    "   AND (a.attgenerated <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) !~ '[[:alnum:]_\"]\\(')),"
    " coalesce(b.typtype, t.typtype), pg_catalog.row_security_active(c.oid),"
    " t.typname ~ '^_?(reg|money$|aclitem$)' AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace,"
    " a.atttypid, a.atttypmod, CASE WHEN t.typtype = 'e' THEN (SELECT pg_catalog.md5(pg_catalog.string_agg("
    "   e.enumlabel, ',' ORDER BY e.enumsortorder)) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)"
    "   WHEN t.oid >= 16384 AND (t.typtype <> 'b' OR t.typcategory = 'A') THEN " MADE_OF " END,"
    " CASE WHEN c.relkind = 'v' THEN pg_catalog.concat_ws(' ', c.relowner, c.reloptions) END,"
    " a.xmin, pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'),"
    " pg_catalog.concat_ws(' ', c.relacl, (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', u.oid,"
    "   u.rolbypassrls, pg_catalog.has_any_column_privilege(u.oid, c.oid, 'SELECT')), ',' ORDER BY u.oid)"
    "   FROM readers u))"
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
    " LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype"
    " LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation"
    " ORDER BY g.ord, a.attnum";

/* What an aggregate, p, calls. */
#define STEPS                                                                                                          \
    "FROM pg_catalog.pg_aggregate q JOIN pg_catalog.pg_proc s ON q.aggfnoid = p.oid AND s.oid IN (q.aggtransfn,"       \
    " q.aggfinalfn, q.aggcombinefn, q.aggmtransfn, q.aggminvtransfn, q.aggmfinalfn)"

/* One row a name.
 * f: functions. An aggregate is as volatile as what it calls (pg_proc calls every aggregate immutable), and as new.
 * o: operators of others than pg_catalog, and whether one of them takes the types of keys.
 * a: functions of one row, which x.name may call; aggregates of anything, too.
 * c: casts of others than pg_catalog, of whatever types, and whether some of them run unasked and are not immutable;
 *    most often there are none.
 * t: what casting to the type may depend on: 'i' nothing, 's' the clock if it casts from text, 'v' whatever. */
static const char names_question[] =
    "WITH given AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
    "   pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))"
    "   WITH ORDINALITY AS g(kind, schema, name, ord)),"
    " visible AS NOT MATERIALIZED (SELECT n.oid, n.nspname, n.nspname = ANY (pg_catalog.current_schemas(true)) AS "
    "in_path,"
    "   n.nspname = 'pg_catalog' AS builtin FROM pg_catalog.pg_namespace n),"
    " functions AS NOT MATERIALIZED (SELECT p.*, CASE WHEN p.prokind <> 'a' THEN p.provolatile::pg_catalog.text"
    "     WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace THEN 'i'"
    "     ELSE (SELECT pg_catalog.max(s.provolatile::pg_catalog.text) " STEPS ") END AS worst,"
    "   CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE (SELECT pg_catalog.string_agg("
    "     (p.xmin, s.oid, s.xmin)::pg_catalog.text, ',' ORDER BY s.oid) " STEPS ") END AS definition"
    "   FROM pg_catalog.pg_proc p)"
    " SELECT g.ord, pg_catalog.max(p.worst), pg_catalog.bool_and(v.builtin), pg_catalog.bool_or(p.prokind = 'a'),"
    "   pg_catalog.md5(pg_catalog.string_agg(p.definition, ',' ORDER BY p.oid) FILTER (WHERE NOT v.builtin))"
    " FROM given g JOIN functions p ON p.proname = g.name JOIN visible v ON v.oid = p.pronamespace"
    "   AND CASE g.schema WHEN '' THEN v.in_path ELSE v.nspname = g.schema END"
    " WHERE g.kind = 'f' GROUP BY g.ord"
    " UNION ALL "
    "SELECT g.ord, pg_catalog.max(p.provolatile::pg_catalog.text),"
    "   NOT pg_catalog.bool_or(o.oprleft = o.oprright AND o.oprleft IN (16, 20, 21, 23, 25, 1043, 2950)"
    "     OR o.oprleft IN (20, 21, 23) AND o.oprright IN (20, 21, 23)), false,"
    "   pg_catalog.md5(pg_catalog.string_agg(pg_catalog.pg_get_functiondef(p.oid), ',' ORDER BY p.oid))"
    " FROM given g JOIN pg_catalog.pg_operator o ON o.oprname = g.name"
    "   JOIN visible v ON v.oid = o.oprnamespace AND NOT v.builtin AND (v.in_path OR v.nspname = g.schema)"
    "   JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode"
    " WHERE g.kind = 'o' GROUP BY g.ord"
    " UNION ALL "
    "SELECT g.ord, pg_catalog.max(CASE WHEN v.builtin THEN 'i' ELSE p.worst END), pg_catalog.bool_and(v.builtin),"
    "   pg_catalog.bool_or(p.prokind = 'a'),"
    "   pg_catalog.md5(pg_catalog.string_agg(p.definition, ',' ORDER BY p.oid) FILTER (WHERE NOT v.builtin))"
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
    "   WHEN e.typname ~ '^(reg|money$)' AND e.typname NOT IN ('regconfig', 'regdictionary') THEN 'v'"
    "   WHEN e.typcategory = 'D' THEN 's' ELSE 'i' END, v.builtin, false, NULL"
    " FROM given g JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(g.name)"
    "   JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem"
    "     ELSE t.oid END"
    "   JOIN visible v ON v.oid = e.typnamespace JOIN pg_catalog.pg_proc i ON i.oid = e.typinput"
    " WHERE g.kind = 't'"
    " UNION ALL "
    "SELECT g.ord, pg_catalog.max(CASE WHEN x.castcontext <> 'e' AND p.provolatile <> 'i' THEN 'v' END), false, false,"
    "   pg_catalog.md5(pg_catalog.string_agg((x.oid, x.xmin, p.xmin)::pg_catalog.text, ',' ORDER BY x.oid))"
    " FROM given g, pg_catalog.pg_cast x JOIN pg_catalog.pg_proc p ON p.oid = x.castfunc"
    " WHERE g.kind = 'c' AND x.oid >= 16384 GROUP BY g.ord"
    " ORDER BY 1";

/* Only for the shape, one row a name: who may call functions of that name, and how text is searched (all mappings and
 * dictionaries there are) for what takes a regconfig, and for @@, which may take the default one. */
static const char circumstances_question[] =
    "WITH searching(part) AS (SELECT pg_catalog.concat_ws(' ', x.mapcfg, x.maptokentype, x.mapseqno, x.mapdict)"
    "     FROM pg_catalog.pg_ts_config_map x"
    "   UNION ALL SELECT pg_catalog.concat_ws(' ', d.oid, d.xmin) FROM pg_catalog.pg_ts_dict d)"
    " SELECT g.ord, pg_catalog.string_agg(CASE WHEN p.oid >= 16384 THEN pg_catalog.concat_ws(' ', p.oid,"
    "     pg_catalog.has_function_privilege(p.oid, 'EXECUTE')) END, ',' ORDER BY p.oid),"
    "   CASE WHEN g.name = '@@' OR pg_catalog.bool_or(3734 = ANY (p.proargtypes::pg_catalog.oid[])) THEN"
    "     (SELECT pg_catalog.md5(pg_catalog.string_agg(m.part, ',' ORDER BY m.part COLLATE pg_catalog.\"C\"))"
    "     FROM searching m) END"
    " FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))"
    "   WITH ORDINALITY AS g(kind, name, ord)"
    " LEFT JOIN pg_catalog.pg_proc p ON p.proname = g.name AND g.kind IN ('f', 'a') GROUP BY g.ord, g.name ORDER BY "
    "g.ord";

/* Every relation at any remove from a named one. */
#define REACHED                                                                                                        \
    "WITH RECURSIVE edges(source, target, edge) AS ("                                                                  \
    " SELECT i.inhparent, i.inhrelid, 'f' FROM pg_catalog.pg_inherits i"                                               \
    " UNION ALL SELECT i.inhrelid, i.inhparent, 'f' FROM pg_catalog.pg_inherits i"                                     \
    " UNION ALL SELECT f.confrelid, f.conrelid, CASE WHEN f.confdeltype IN ('c', 'n', 'd')"                            \
    "     THEN CASE WHEN f.confupdtype IN ('c', 'n', 'd') THEN 'b' ELSE 'd' END"                                       \
    "     WHEN f.confupdtype IN ('c', 'n', 'd') THEN 'u' ELSE 'r' END"                                                 \
    "   FROM pg_catalog.pg_constraint f WHERE f.contype = 'f'),"                                                       \
    " given(ord, oid) AS (SELECT g.ord, coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i"                        \
    "     WHERE i.indexrelid = pg_catalog.to_regclass(g.name)), pg_catalog.to_regclass(g.name)::pg_catalog.oid)"       \
    "   FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS g(name, ord)),"                               \
    " reached(ord, bond, oid) AS ("                                                                                    \
    " SELECT g.ord, b.bond, g.oid FROM given g, (VALUES ('f'), ('D'), ('U'), ('T')) AS b(bond)"                        \
    " UNION SELECT r.ord, CASE WHEN e.edge = 'f' THEN r.bond ELSE pg_catalog.lower(r.bond) END, e.target"              \
    "   FROM reached r JOIN edges e ON e.source = r.oid AND (e.edge = 'f'"                                             \
    "     OR r.bond = 'D' AND e.edge IN ('d', 'b') OR r.bond = 'U' AND e.edge IN ('u', 'b')"                           \
    "     OR r.bond IN ('d', 'u') AND e.edge IN ('d', 'u', 'b') OR r.bond IN ('T', 't') AND e.edge <> 'f')),"          \
    " bound AS (SELECT r.ord, r.bond, r.oid, n.nspname, c.relname, c.relkind, c.relpersistence FROM reached r"         \
    "   JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"          \
    "   WHERE r.bond IN ('f', 'd', 'u', 't'))"

/* One row for each relation bound to a named one. */
static const char bounds_question[] = REACHED
    " SELECT ord, bond, nspname, relname, relkind, relpersistence FROM bound ORDER BY ord, bond, nspname, relname";

/* What stands behind a relation.
 * v: what a view selects.
 * p: one row a policy that reads obey, with how it counts and for whom: by name, and which of the readers are meant.
 * t: a trigger of its own or of a bound relation, and on which events it fires (as in pg_trigger.tgtype).
 * c: a volatile function of somebody else in a default, a generated column, a CHECK or a policy. */
static const char behind_question[] = REACHED
    "," READERS ","
    " functions AS NOT MATERIALIZED (SELECT p.oid, n.nspname || '.' || p.proname AS name, p.provolatile AS volatility,"
    "   pg_catalog.obj_description(p.oid, 'pg_proc') AS comment"
    "   FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    "   WHERE n.nspname <> 'pg_catalog'),"
    " holders(oid, class, object) AS NOT MATERIALIZED (SELECT d.adrelid, 'pg_catalog.pg_attrdef'::pg_catalog.regclass, "
    "d.oid"
    "     FROM pg_catalog.pg_attrdef d"
    "   UNION ALL SELECT k.conrelid, 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid"
    "     FROM pg_catalog.pg_constraint k WHERE k.contype = 'c'"
    "   UNION ALL SELECT p.polrelid, 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_policy p"
    "     WHERE pg_catalog.row_security_active(p.polrelid))"
    " SELECT g.ord, 'v', pg_catalog.pg_get_viewdef(c.oid), NULL, NULL, NULL, NULL, NULL"
    "   FROM given g JOIN pg_catalog.pg_class c ON c.oid = g.oid WHERE c.relkind = 'v'"
    " UNION ALL SELECT g.ord, 'p', pg_catalog.pg_get_expr(p.polqual, p.polrelid),"
    "     pg_catalog.concat_ws(' ', p.polpermissive, p.polroles, (SELECT pg_catalog.string_agg(u.oid::pg_catalog.text,"
    "       ',' ORDER BY u.oid) FROM readers u WHERE EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS q(oid)"
    "       WHERE CASE WHEN q.oid = 0 THEN true ELSE pg_catalog.pg_has_role(u.oid, q.oid, 'USAGE') END))),"
    "     NULL, p.polname, NULL, NULL"
    "   FROM given g JOIN pg_catalog.pg_policy p ON p.polrelid = g.oid"
    "   WHERE p.polcmd IN ('*', 'r') AND p.polqual IS NOT NULL"
    " UNION ALL SELECT b.ord, 't', b.bond, t.tgtype::pg_catalog.text, b.nspname || '.' || b.relname,"
    "     'the trigger ' || t.tgname, f.name, f.comment"
    "   FROM bound b JOIN pg_catalog.pg_trigger t ON t.tgrelid = b.oid AND NOT t.tgisinternal"
    "     AND t.tgenabled IN ('O', 'A') JOIN functions f ON f.oid = t.tgfoid"
    " UNION ALL SELECT DISTINCT b.ord, 'c', b.bond, '20', b.nspname || '.' || b.relname,"
    "     'a default, CHECK or policy', f.name, f.comment"
    "   FROM bound b JOIN holders h ON h.oid = b.oid"
    "   JOIN pg_catalog.pg_depend d ON d.classid = h.class AND d.objid = h.object"
    "     AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
    "   JOIN functions f ON f.oid = d.refobjid AND f.volatility = 'v'"
    "   WHERE b.bond = 'f'"
    " ORDER BY 1, 2, 5, 6, 7, 3";

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

static void add_name(const sdi_sql_name *name, sdi_buffer *names)
{
    if (name->kind == SDI_NAME_TYPE)
        array_qualified(names, name->schema, name->name);
    else
        array_element(names, name->name);
}

static void ask_names(const sdi_sql *sql, bool with_schemas, sdi_catalog_question *question, const char *text)
{
    sdi_buffer kinds = SDI_BUFFER_INIT, schemas = SDI_BUFFER_INIT, names = SDI_BUFFER_INIT;
    question->sql = text;
    array_begin(&kinds);
    array_begin(&schemas);
    array_begin(&names);
    for (size_t i = 0; i < SDI_COUNT(sql->names, sdi_sql_name); i++) {
        const sdi_sql_name *name = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        array_element(&kinds, (char[]){(char)name->kind, '\0'});
        array_element(&schemas, name->schema);
        add_name(name, &names);
    }
    question_text(question, &kinds);
    if (with_schemas)
        question_text(question, &schemas);
    question_text(question, &names);
    sdi_buffer_free(&schemas);
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
    ask_names(sql, true, &questions[1], names_question);
    ask_relations(sql, &questions[2], bounds_question);
    ask_relations(sql, &questions[3], behind_question);
    ask_names(sql, false, &questions[4], circumstances_question);
    bool all = true;
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        all &= complete(&questions[i]);
    if (all)
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
