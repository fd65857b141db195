/* load.c - `shopload load`: fills a database that is ours to fill. */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "commands.h"
#include "fault.h"
#include "json.h"
#include "loader.h"
#include "options.h"

/* Of all that load into one database one goes on: "shopload", as a number. */
#define LOCK "SELECT pg_try_advisory_lock(8316295034612082020)"

typedef struct wish {
    const char *conninfo, *data;
    load_size size;
    bool beside;
} wish;

/* ---- options */

static bool take_conninfo(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ((wish *)into)->conninfo = value;
    return true;
}

static bool take_data(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ((wish *)into)->data = value;
    return true;
}

static bool take_count(int64_t *count, const char *what, const char *value, load_fault *fault)
{
    uint64_t number;
    if (!load_read_count(what, value, 1, 1000000000, &number, fault))
        return false;
    *count = (int64_t)number;
    return true;
}

static bool take_products(void *into, const char *value, load_fault *fault)
{
    return take_count(&((wish *)into)->size.products, "--products", value, fault);
}

static bool take_customers(void *into, const char *value, load_fault *fault)
{
    return take_count(&((wish *)into)->size.customers, "--customers", value, fault);
}

static bool take_orders(void *into, const char *value, load_fault *fault)
{
    return take_count(&((wish *)into)->size.orders, "--orders", value, fault);
}

static bool take_seed(void *into, const char *value, load_fault *fault)
{
    return load_read_count("--seed", value, 0, UINT64_MAX, &((wish *)into)->size.seed, fault);
}

static bool take_beside(void *into, const char *value, load_fault *fault)
{
    (void)value;
    (void)fault;
    return ((wish *)into)->beside = true;
}

static const char head[] = "shopload load - fills a database with the shop; what is there is kept\n\n";

static const load_option options[] = {
    {"conninfo", "FILE", "a file whose first line says where the primary is, as libpq has it", take_conninfo},
    {"data", "DIR", "the catalogue in DIR/catalogue; without it one is made up", take_data},
    {"products", "N", "how many (default 20000, or those of the catalogue)", take_products},
    {"customers", "N", "how many (default 2.5 for each product)", take_customers},
    {"orders", "N", "how many (default 5 for each product)", take_orders},
    {"seed", "N", "of all that is made up (default 1)", take_seed},
    {"beside-others", NULL, "a schema of its own in a database that has tables of others", take_beside},
};

enum { OPTIONS = sizeof options / sizeof *options };

static bool read_options(wish *wanted, int count, char **arguments)
{
    load_fault fault;
    bool good = load_options_read(options, OPTIONS, count, arguments, wanted, &fault);
    if (good && !wanted->conninfo)
        good = load_fail(&fault, "--conninfo FILE is missing");
    if (!good)
        load_complain("load: %s", fault.text);
    return good;
}

/* ---- may we? */

static bool is_same(const load_marker *marker, const load_size *size)
{
    const load_size *there = &marker->size;
    if (load_size_same(there, size))
        return true;
    load_complain("there is another shop in this database: %" PRId64 " products, %" PRId64 " customers, %" PRId64
                  " orders, seed %" PRIu64 ", %s. Remove it first (shopbench clean), or load the same",
                  there->products, there->customers, there->orders, there->seed, there->source);
    return false;
}

static bool make(PGconn *database, const load_size *size)
{
    return load_sql(database, "BEGIN") && load_schema_create(database) && load_marker_make(database, size) &&
           load_sql(database, "COMMIT");
}

static bool refuse(PGconn *database, enum load_state state)
{
    if (state == LOAD_STATE_FOREIGN)
        load_complain("database %s has a schema `shopbench` that is not ours (no marker): nothing is written into it. "
                      "Name another database",
                      PQdb(database));
    else
        load_complain("database %s holds tables of others, so nothing is written into it: make one for this (CREATE "
                      "DATABASE shopbench), or allow a schema of its own beside them with --beside-others",
                      PQdb(database));
    return false;
}

/* prepare makes the tables, unless they stand. */
static bool prepare(PGconn *database, const wish *wanted, bool *complete_out)
{
    enum load_state state;
    load_marker marker;
    int64_t alone = 0;
    if (!load_ask(database, LOCK, NULL, &alone))
        return false;
    if (!alone) {
        load_complain(
            "another `shopbench load` is at work in database %s, or the server is still at the last statement "
            "of one that was killed",
            PQdb(database));
        return false;
    }
    if (!load_marker_look(database, &state, &marker))
        return false;
    *complete_out = state == LOAD_STATE_COMPLETE;
    if (state == LOAD_STATE_PARTIAL || state == LOAD_STATE_COMPLETE)
        return is_same(&marker, &wanted->size);
    if (state == LOAD_STATE_FOREIGN || (state == LOAD_STATE_BESIDE && !wanted->beside))
        return refuse(database, state);
    return make(database, &wanted->size);
}

/* ---- all of it */

static void tell(const load_size *size, const load_progress *progress)
{
    load_json json = {.file = stdout};
    double elapsed_s = progress->began_ns ? (double)(load_now_ns() - progress->began_ns) / 1e9 : 0;
    load_json_begin(&json, NULL);
    load_json_text(&json, "type", "loaded");
    load_json_size(&json, size);
    load_json_count(&json, "done", (uint64_t)progress->done);
    load_json_count(&json, "kept", (uint64_t)progress->kept);
    load_json_number(&json, "elapsed_s", elapsed_s, 3);
    load_json_end(&json);
    load_json_line(&json);
}

static bool load(PGconn *database, const load_shop *shop, const wish *wanted)
{
    load_progress progress = {.kept = 0};
    bool complete = false;
    /* A limit that is right for a service is too short for an index. */
    if (!load_sql(database, "SET statement_timeout = 0") || !prepare(database, wanted, &complete))
        return false;
    if (!complete && (!load_fill(database, shop, &progress) || !load_marker_complete(database)))
        return false;
    tell(&wanted->size, &progress);
    return true;
}

/* Sizes that were not told: the catalogue's products; customers and orders in proportion. */
static bool complete_size(wish *wanted, load_shop *shop)
{
    load_size *size = &wanted->size;
    snprintf(size->source, sizeof size->source, "generated");
    if (wanted->data && !load_catalogue_read(&shop->catalogue, wanted->data))
        return false;
    if (wanted->data) {
        snprintf(size->source, sizeof size->source, "catalogue %016" PRIx64, shop->catalogue.fingerprint);
        size->products = size->products ? size->products : shop->catalogue.good_count;
    }
    size->categories = load_categories(&shop->catalogue);
    size->products = size->products ? size->products : 20000;
    size->customers = size->customers ? size->customers : size->products * 5 / 2;
    size->orders = size->orders ? size->orders : size->products * 5;
    shop->size = *size;
    return true;
}

int load_load_main(int count, char **arguments)
{
    wish wanted = {.size = {.seed = 1}};
    load_shop shop = {.size = {.seed = 1}};
    if (load_options_asked(count, arguments)) {
        load_options_help(head, options, OPTIONS);
        return LOAD_EXIT_GOOD;
    }
    if (!read_options(&wanted, count, arguments))
        return LOAD_EXIT_USAGE;
    bool good = complete_size(&wanted, &shop);
    PGconn *database = good ? load_connect_primary(wanted.conninfo) : NULL;
    good = database && load(database, &shop, &wanted);
    PQfinish(database);
    load_catalogue_free(&shop.catalogue);
    return good ? LOAD_EXIT_GOOD : LOAD_EXIT_FAILED;
}
