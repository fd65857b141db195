#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/core.h"
#include "model/catalog_version.h"
#include "model/result.h"
#include "support/servers.h"

/* Two schemas, so that names are looked for in more than one place. */
static const char settings[] = " options='-csearch_path=differential,\"Od.d,1/*\"'";

static const char pins[] = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';"
                           "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET client_min_messages = error";

/* --------------------------------------------------------------------------------------------------------- opening */

static char *conninfo(const char *variable)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "%s%s", getenv(variable), settings);
    char *made = sdi_buffer_take(&text);
    ck_assert_ptr_nonnull(made);
    return made;
}

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

static void set_nodes(shopdata_config *config)
{
    static const char *const nodes[][2] = {{"node.primary.conninfo", "SHOPDATA_PRIMARY"},
                                           {"node.replica1.conninfo", "SHOPDATA_REPLICA1"},
                                           {"node.replica2.conninfo", "SHOPDATA_REPLICA2"}};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char *value = conninfo(nodes[i][1]);
        set(config, nodes[i][0], value);
        sdi_free(value);
    }
}

/* All memcached servers that there are, as one cache. */
static void set_memcached(shopdata_config *config)
{
    static const char *const variables[] = {"SHOPDATA_MEMCACHED", "SHOPDATA_MEMCACHED2", "SHOPDATA_MEMCACHED3"};
    sdi_buffer addresses = SDI_BUFFER_INIT;
    ck_assert_msg(getenv(variables[0]) != NULL, "no memcached server: launch run --memcached ...");
    for (size_t i = 0; i < sizeof variables / sizeof *variables && getenv(variables[i]); i++)
        sdi_buffer_printf(&addresses, "%s%s", i ? "," : "", getenv(variables[i]));
    set(config, "cache.address", addresses.data);
    sdi_buffer_free(&addresses);
}

static void open_client(world *w, size_t at)
{
    shopdata_config *config = servers_config(w->cache);
    set_nodes(config);
    if (!strcmp(w->cache, "memcached"))
        set_memcached(config);
    set(config, "cache.key_prefix", w->prefix);
    set(config, "route.catalog_interval", "50ms");
    w->client[at] = servers_open_with(config);
}

static void drop_statements(sdi_map *statements)
{
    size_t cursor = 0;
    for (shopdata_statement *made; (made = sdi_map_next(statements, &cursor, NULL));)
        shopdata_statement_free(made);
    sdi_map_free(statements);
    *statements = (sdi_map)SDI_MAP_INIT;
}

static void close_client(world *w, size_t at)
{
    drop_statements(&w->statements[at]);
    shopdata_session_free(w->session[at]);
    shopdata_close(w->client[at]);
}

static char *read_file(const char *path)
{
    char piece[4096];
    sdi_buffer text = SDI_BUFFER_INIT;
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        sdi_buffer_append(&text, piece, got);
    fclose(file);
    char *made = sdi_buffer_take(&text);
    ck_assert_ptr_nonnull(made);
    return made;
}

/* Clients must not find a replica that does not know the tables yet. */
static void wait_for_replicas(world *w)
{
    PGresult *behind;
    int count;
    do {
        behind = PQexec(w->bare[0], "SELECT FROM pg_stat_replication WHERE replay_lsn < pg_current_wal_flush_lsn()"
                                    " UNION ALL SELECT WHERE (SELECT count(*) FROM pg_stat_replication) < 2");
        ck_assert_msg(PQresultStatus(behind) == PGRES_TUPLES_OK, "%s", PQerrorMessage(w->bare[0]));
        count = PQntuples(behind);
        PQclear(behind);
        usleep(count ? 2000 : 0);
    } while (count);
}

static void run_bare(PGconn *bare, const char *sql)
{
    PGresult *done = PQexec(bare, sql);
    ck_assert_msg(PQresultStatus(done) == PGRES_COMMAND_OK || PQresultStatus(done) == PGRES_TUPLES_OK, "%s",
                  PQerrorMessage(bare));
    PQclear(done);
}

static PGconn *connect_bare(void)
{
    char *to = conninfo("SHOPDATA_PRIMARY");
    PGconn *bare = PQconnectdb(to);
    ck_assert_msg(PQstatus(bare) == CONNECTION_OK, "%s", PQerrorMessage(bare));
    sdi_free(to);
    run_bare(bare, pins);
    return bare;
}

void world_open(world *w, const char *cache)
{
    static unsigned number;
    char *schema = read_file(SHOPDATA_DIFFERENTIAL "/schema.sql");
    *w = (world){.cache = cache, .clients = strcmp(cache, "memory") ? CLIENTS_MAX : 1};
    snprintf(w->prefix, sizeof w->prefix, "differential-%d-%u", (int)getpid(), number++);
    sdi_mutex_init(&w->lock);
    servers_do("resume replica1");
    servers_do("resume replica2");
    for (size_t i = 0; i < w->clients; i++)
        w->bare[i] = connect_bare();
    run_bare(w->bare[0], schema);
    sdi_free(schema);
    wait_for_replicas(w);
    for (size_t i = 0; i < w->clients; i++) {
        open_client(w, i);
        w->session[i] = world_session(w, i);
        world_set_tenant(w, i, i ? "b" : "a");
    }
}

void world_close(world *w)
{
    for (size_t i = 0; i < w->clients; i++) {
        close_client(w, i);
        PQfinish(w->bare[i]);
    }
    sdi_mutex_destroy(&w->lock);
}

shopdata_session *world_session(const world *w, size_t client)
{
    shopdata_error *error = NULL;
    shopdata_session *made = NULL;
    servers_ok(shopdata_session_new(w->client[client], &made, &error), error);
    servers_ok(shopdata_session_set(made, "app.tenant", w->tenant[client], &error), error);
    return made;
}

void world_set_tenant(world *w, size_t client, const char *tenant)
{
    char command[64];
    shopdata_error *error = NULL;
    snprintf(w->tenant[client], sizeof w->tenant[client], "%s", tenant);
    snprintf(command, sizeof command, "SET app.tenant = '%s'", tenant);
    run_bare(w->bare[client], command);
    servers_ok(shopdata_session_set(w->session[client], "app.tenant", tenant, &error), error);
}

static shopdata_statement *make_statement(world *w, size_t client, const step *of, shopdata_error **error)
{
    shopdata_statement *made = NULL;
    if (shopdata_statement_new(w->client[client], NULL, of->sql, &made, error))
        return NULL;
    for (size_t i = 0; i < of->tag_count; i++)
        if (shopdata_statement_add_tag(made, of->tags[i], error)) {
            shopdata_statement_free(made);
            return NULL;
        }
    return made;
}

shopdata_statement *world_statement(world *w, size_t client, const step *of, shopdata_error **error)
{
    sdi_buffer name = SDI_BUFFER_INIT;
    for (size_t i = 0; i < of->tag_count; i++)
        sdi_buffer_printf(&name, "%s ", of->tags[i]);
    sdi_buffer_text(&name, of->sql);
    sdi_slice key = {name.data, name.length};
    sdi_lock(&w->lock);
    shopdata_statement *made = sdi_map_get(&w->statements[client], key);
    if (!made && (made = make_statement(w, client, of, error)))
        sdi_map_set(&w->statements[client], key, made);
    sdi_unlock(&w->lock);
    sdi_buffer_free(&name);
    return made;
}

/* --------------------------------------------------------------------------------------------------------- answers */

static void put_cell(sdi_buffer *row, const shopdata_result *result, size_t r, size_t c)
{
    const char *text = NULL;
    shopdata_result_text(result, r, c, &text, NULL, NULL);
    sdi_buffer_printf(row, text ? "|%s" : "|\\N%s", text ? text : "");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_rows(sdi_buffer *text, const shopdata_result *result)
{
    size_t count = shopdata_result_rows(result);
    char **rows = sdi_calloc(count + 1, sizeof *rows);
    for (size_t r = 0; r < count; r++) {
        sdi_buffer row = SDI_BUFFER_INIT;
        sdi_buffer_text(&row, "");
        for (size_t c = 0; c < shopdata_result_columns(result); c++)
            put_cell(&row, result, r, c);
        rows[r] = sdi_buffer_take(&row);
    }
    qsort(rows, count, sizeof *rows, by_text);
    for (size_t r = 0; r < count; r++) {
        sdi_buffer_printf(text, "\n  %s", rows[r]);
        sdi_free(rows[r]);
    }
    sdi_free(rows);
}

char *answer_text(int status, const shopdata_result *result, const shopdata_error *error)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    if (status < 0) {
        const char *state = shopdata_error_sqlstate(error);
        sdi_buffer_printf(&text, "error %s", state[0] ? state : shopdata_error_message(error));
    } else {
        for (size_t c = 0; c < shopdata_result_columns(result); c++)
            sdi_buffer_printf(&text, "%s:%u|", shopdata_result_column_name(result, c),
                              (unsigned)shopdata_result_column_type(result, c));
        put_rows(&text, result);
    }
    char *made = sdi_buffer_take(&text);
    ck_assert_ptr_nonnull(made);
    return made;
}

static shopdata_result *as_result(const PGresult *from)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    for (int c = 0; c < PQnfields(from); c++)
        sdi_result_column(&builder, PQfname(from, c), PQftype(from, c));
    for (int r = 0; r < PQntuples(from); r++)
        for (int c = 0; c < PQnfields(from); c++)
            sdi_result_cell(&builder, PQgetisnull(from, r, c) ? NULL : PQgetvalue(from, r, c),
                            (size_t)PQgetlength(from, r, c));
    return sdi_result_build(&builder);
}

char *world_bare_answer(world *w, size_t client, const step *of)
{
    PGconn *bare = w->bare[client];
    PGresult *got = PQexecParams(bare, of->sql, (int)of->count, NULL, (const char *const *)of->values, NULL, NULL, 0);
    ck_assert_msg(PQstatus(bare) == CONNECTION_OK, "%s", PQerrorMessage(bare));
    if (PQresultStatus(got) != PGRES_TUPLES_OK) {
        sdi_buffer text = SDI_BUFFER_INIT;
        sdi_buffer_printf(&text, "error %s", PQresultErrorField(got, PG_DIAG_SQLSTATE));
        PQclear(got);
        return sdi_buffer_take(&text);
    }
    shopdata_result *result = as_result(got);
    char *text = answer_text(SHOPDATA_OK, result, NULL);
    shopdata_result_free(result);
    PQclear(got);
    return text;
}

/* ----------------------------------------------------------------------------------------------- what others change */

bool world_outside(world *w, const char *sql)
{
    PGresult *done = PQexec(w->bare[0], sql);
    bool good = PQresultStatus(done) == PGRES_COMMAND_OK;
    PQclear(done);
    return good;
}

static sdi_hash128 catalog_version(world *w)
{
    sdi_hash128 version = {0};
    PGresult *got = PQexec(w->bare[0], sdi_catalog_version_question());
    ck_assert_msg(PQresultStatus(got) == PGRES_TUPLES_OK, "%s", PQerrorMessage(w->bare[0]));
    shopdata_result *result = as_result(got);
    ck_assert(sdi_catalog_version_read(result, &version));
    shopdata_result_free(result);
    PQclear(got);
    return version;
}

static bool knows(shopdata_client *client, sdi_hash128 version)
{
    sdi_core *core = client->core;
    sdi_lock(&core->lock);
    bool same = core->catalog_version.low == version.low && core->catalog_version.high == version.high;
    sdi_unlock(&core->lock);
    return same;
}

void world_wait_for_catalog(world *w)
{
    enum { TRIES = 10000 };
    sdi_hash128 version = catalog_version(w);
    for (size_t i = 0; i < w->clients; i++) {
        int tries = 0;
        while (!knows(w->client[i], version) && tries++ < TRIES)
            usleep(2000);
        ck_assert_msg(tries < TRIES, "client %zu does not notice a change of the schema", i + 1);
    }
}
