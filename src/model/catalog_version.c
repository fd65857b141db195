/* Has anybody changed tables, views, functions, policies, rights since? One number that changes when they do: asked
 * every few seconds, so it must cost little (22 ms for 2,000 tables), and it must not change with what happens all the
 * time: TRUNCATE, REFRESH and CLUSTER give a row of pg_class a new xmin, so that one goes by its columns; ANALYZE
 * writes only elsewhere; temporary tables come and go.
 *
 * A row of a catalog is told by who wrote it last. age() is the only cheap way from an xid to a number, and the age of
 * a fixed xid takes the moving end of it away again; initdb's rows have no age. */
#include "model/catalog_version.h"

static const char question[] =
    "WITH relations AS (SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relpersistence, c.relowner,"
    "   c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl"
    " FROM pg_catalog.pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND"
    "   c.relpersistence <> 't'),"
    " changes(catalog, id, xid) AS ("
    " SELECT 1, a.attrelid, a.xmin FROM pg_catalog.pg_attribute a JOIN relations r ON r.oid = a.attrelid WHERE"
    "   a.attnum > 0"
    " UNION ALL SELECT 2, i.indexrelid, i.xmin FROM pg_catalog.pg_index i JOIN relations r ON r.oid = i.indrelid"
    " UNION ALL SELECT 3, k.oid, k.xmin FROM pg_catalog.pg_constraint k WHERE k.conrelid = 0 OR k.conrelid IN"
    "   (SELECT oid FROM relations)"
    " UNION ALL SELECT 4, i.inhrelid, i.xmin FROM pg_catalog.pg_inherits i"
    " UNION ALL SELECT 5, w.oid, w.xmin FROM pg_catalog.pg_rewrite w JOIN relations r ON r.oid = w.ev_class"
    " UNION ALL SELECT 6, p.oid, p.xmin FROM pg_catalog.pg_policy p"
    " UNION ALL SELECT 7, t.oid, t.xmin FROM pg_catalog.pg_trigger t JOIN relations r ON r.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal"
    " UNION ALL SELECT 8, d.oid, d.xmin FROM pg_catalog.pg_attrdef d JOIN relations r ON r.oid = d.adrelid"
    " UNION ALL SELECT 9, p.oid, p.xmin FROM pg_catalog.pg_proc p WHERE p.oid >= 16384"
    " UNION ALL SELECT 10, o.oid, o.xmin FROM pg_catalog.pg_operator o WHERE o.oid >= 16384"
    " UNION ALL SELECT 11, x.oid, x.xmin FROM pg_catalog.pg_cast x WHERE x.oid >= 16384"
    " UNION ALL SELECT 12, t.oid, t.xmin FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typtype IN ('d',"
    "   'e', 'r', 'm')"
    " UNION ALL SELECT 13, e.oid, e.xmin FROM pg_catalog.pg_enum e"
    " UNION ALL SELECT 14, m.member, m.xmin FROM pg_catalog.pg_auth_members m"
    " UNION ALL SELECT 15, n.oid, n.xmin FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_'"
    " UNION ALL SELECT 16, d.objoid, d.xmin FROM pg_catalog.pg_description d WHERE d.classoid ="
    "   'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objoid >= 16384"
    " UNION ALL SELECT 17, m.mapcfg, m.xmin FROM pg_catalog.pg_ts_config_map m"
    " UNION ALL SELECT 18, d.oid, d.xmin FROM pg_catalog.pg_ts_dict d)"
    " SELECT (SELECT pg_catalog.concat(pg_catalog.count(*), ' ', pg_catalog.sum("
    "   CASE WHEN pg_catalog.age(xid) = 2147483647 THEN 0 ELSE pg_catalog.age('3'::pg_catalog.xid)::pg_catalog.int8"
    "     - pg_catalog.age(xid) END * (id::pg_catalog.int8 % 1009 * 32 + catalog))) FROM changes),"
    " (SELECT pg_catalog.sum(pg_catalog.hashtext(r::pg_catalog.text)::pg_catalog.int8) FROM relations r),"
    " (SELECT pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(' ', u.oid, u.rolsuper, u.rolbypassrls,"
    "   u.rolinherit))::pg_catalog.int8) FROM pg_catalog.pg_roles u WHERE u.rolsuper OR u.rolbypassrls OR NOT"
    "   u.rolinherit)";

const char *sdi_catalog_version_question(void)
{
    return question;
}

bool sdi_catalog_version_read(const shopdata_result *answer, sdi_hash128 *version_out)
{
    if (shopdata_result_rows(answer) != 1)
        return false;
    *version_out = sdi_hash128_of(answer->rows, answer->rows_length);
    return true;
}
