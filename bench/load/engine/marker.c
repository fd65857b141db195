#include "marker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

const char *load_state_name(enum load_state state)
{
    static const char *const names[] = {"empty", "beside", "foreign", "partial", "complete"};
    return names[state];
}

bool load_size_same(const load_size *one, const load_size *other)
{
    return one->products == other->products && one->customers == other->customers && one->orders == other->orders &&
           one->categories == other->categories && one->seed == other->seed && strcmp(one->source, other->source) == 0;
}

void load_json_size(load_json *json, const load_size *size)
{
    load_json_count(json, "products", (uint64_t)size->products);
    load_json_count(json, "customers", (uint64_t)size->customers);
    load_json_count(json, "orders", (uint64_t)size->orders);
    load_json_count(json, "categories", (uint64_t)size->categories);
    load_json_count(json, "seed", size->seed);
    load_json_text(json, "source", size->source);
}

/* True for our own table; one that merely has its name lacks columns. */
static bool is_ours(PGconn *database, bool *ours_out)
{
    int64_t there = 0;
    bool good =
        load_ask(database,
                 "SELECT count(*) = 4 FROM pg_attribute WHERE attrelid = "
                 "to_regclass('shopbench.shopload_marker') AND attname IN ('format', 'seed', 'source', 'complete')",
                 NULL, &there);
    *ours_out = there != 0;
    return good;
}

static bool others_stand(PGconn *database, enum load_state *state_out)
{
    int64_t schema = 0, tables = 0;
    if (!load_ask(database, "SELECT to_regnamespace('shopbench') IS NOT NULL", NULL, &schema) ||
        !load_ask(database,
                  "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
                  "('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT "
                  "EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND "
                  "d.deptype = 'e')",
                  NULL, &tables))
        return false;
    *state_out = schema ? LOAD_STATE_FOREIGN : tables ? LOAD_STATE_BESIDE : LOAD_STATE_EMPTY;
    return true;
}

static int64_t number_at(const PGresult *row, int column)
{
    return strtoll(PQgetvalue(row, 0, column), NULL, 10);
}

static bool is_our_format(const PGresult *row)
{
    if (PQntuples(row) == 1 && number_at(row, 0) == LOAD_FORMAT)
        return true;
    load_complain("the shop in this database was made by another version of shopbench (format %s, this one is %d): "
                  "remove it with that (shopbench clean)",
                  PQntuples(row) == 1 ? PQgetvalue(row, 0, 0) : "none", LOAD_FORMAT);
    return false;
}

static bool read_marker(PGconn *database, load_marker *marker)
{
    PGresult *row =
        load_rows(database, "SELECT format, products, customers, orders, categories, seed, source, complete "
                            "FROM shopbench.shopload_marker");
    bool good = row && is_our_format(row);
    if (good) {
        load_size *size = &marker->size;
        size->products = number_at(row, 1);
        size->customers = number_at(row, 2);
        size->orders = number_at(row, 3);
        size->categories = number_at(row, 4);
        size->seed = strtoull(PQgetvalue(row, 0, 5), NULL, 10);
        snprintf(size->source, sizeof size->source, "%s", PQgetvalue(row, 0, 6));
        marker->complete = strcmp(PQgetvalue(row, 0, 7), "t") == 0;
    }
    PQclear(row);
    return good;
}

bool load_marker_look(PGconn *database, enum load_state *state_out, load_marker *marker_out)
{
    bool ours;
    if (!is_ours(database, &ours))
        return false;
    if (!ours)
        return others_stand(database, state_out);
    if (!read_marker(database, marker_out))
        return false;
    *state_out = marker_out->complete ? LOAD_STATE_COMPLETE : LOAD_STATE_PARTIAL;
    return true;
}

bool load_marker_make(PGconn *database, const load_size *size)
{
    char sql[1024];
    snprintf(
        sql, sizeof sql,
        "CREATE TABLE shopbench.shopload_marker (format integer NOT NULL, products bigint NOT NULL, "
        "customers bigint NOT NULL, orders bigint NOT NULL, categories bigint NOT NULL, seed text NOT NULL, "
        "source text NOT NULL, complete boolean NOT NULL, made_at timestamptz NOT NULL DEFAULT now());"
        "COMMENT ON TABLE shopbench.shopload_marker IS 'This schema belongs to shopbench, which writes into it and "
        "removes it (shopbench clean).';"
        "INSERT INTO shopbench.shopload_marker VALUES (%d, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
        ", '%" PRIu64 "', '%s', false)",
        LOAD_FORMAT, size->products, size->customers, size->orders, size->categories, size->seed, size->source);
    return load_sql(database, sql);
}

bool load_marker_complete(PGconn *database)
{
    return load_sql(database, "UPDATE shopbench.shopload_marker SET complete = true");
}
