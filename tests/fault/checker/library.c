/* library.c - reading and writing through the library. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "way.h"

typedef struct opened {
    shopdata_client *client;
    shopdata_statement *asks[ASKS];
    shopdata_statement *steps[DEEDS][2];
    shopdata_statement *leaves;
} opened;

typedef struct visit {
    opened *at;
    shopdata_session *session;
    unsigned flags;
} visit;

static _Atomic unsigned flavour; /* sessions have different flags, in turn */
static _Atomic unsigned peeked;  /* questions, so many */

/* --------------------------------------------------------------------------------------------------------- opening */

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    if (shopdata_config_set(config, key, value, &error))
        give_up("%s = %s: %s", key, value, shopdata_error_message(error));
}

static void set_node(shopdata_config *config, const char *name, const char *variable)
{
    char key[64], value[512];
    snprintf(key, sizeof key, "node.%s.conninfo", name);
    snprintf(value, sizeof value, "%s options='-csearch_path=freshness'", environment(variable));
    set(config, key, value);
}

static const char *memcached_servers(char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s", environment("SHOPDATA_MEMCACHED"));
    for (int i = 2; i <= 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "SHOPDATA_MEMCACHED%d", i);
        if (getenv(name))
            length += (size_t)snprintf(text + length, size - length, ",%s", getenv(name));
    }
    return text;
}

static void set_cache(shopdata_config *config, const way_options *options)
{
    char servers[256], coherence[32];
    bool replicated = !strcmp(options->cache, "redis-replicated");
    set(config, "cache.kind", replicated ? "redis" : options->cache);
    set(config, "cache.key_prefix", "freshness");
    snprintf(coherence, sizeof coherence, "%lldms", (long long)options->coherence_ms);
    set(config, "local.coherence", coherence);
    set(config, "cache.breaker_open", "50ms");
    set(config, "cache.breaker_open_max", "200ms");
    if (replicated)
        snprintf(servers, sizeof servers, "%s,%s", environment("SHOPDATA_REDIS_WATCHED1"),
                 environment("SHOPDATA_REDIS_WATCHED2")),
            set(config, "cache.address", servers);
    else if (!strcmp(options->cache, "redis"))
        set(config, "cache.address", environment("SHOPDATA_REDIS"));
    else if (!strcmp(options->cache, "memcached"))
        set(config, "cache.address", memcached_servers(servers, sizeof servers));
    else
        set(config, "cache.memory_bytes", "2MiB"), set(config, "cache.max_entry_bytes", "64KiB");
}

static shopdata_config *configure(const way_options *options)
{
    static const char *const keys[][2] = {
        {"route.poll_interval", "50ms"},   {"route.breaker_open", "50ms"},     {"route.breaker_open_max", "200ms"},
        {"pool.connect_timeout", "500ms"}, {"shopdata.deadline", "3s"},        {"policy.default.ttl", "20s"},
        {"policy.uncached.cache", "off"},  {"policy.short.ttl", "200ms"},      {"policy.short.stale", "300ms"},
        {"policy.short.lease", "50ms"},    {"policy.short.compress_over", "0"}};
    shopdata_config *config;
    if (shopdata_config_new(&config, NULL))
        give_up("out of memory");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        set(config, keys[i][0], keys[i][1]);
    set_node(config, "primary", "SHOPDATA_PRIMARY");
    set_node(config, "replica1", "SHOPDATA_REPLICA1");
    set_node(config, "replica2", "SHOPDATA_REPLICA2");
    set_cache(config, options);
    if (strcmp(options->mode, "fenced"))
        set(config, "cache.mode", options->mode);
    return config;
}

static shopdata_statement *statement(shopdata_client *client, const char *policy, const char *sql)
{
    shopdata_statement *made;
    shopdata_error *error = NULL;
    if (shopdata_statement_new(client, policy, sql, &made, &error))
        give_up("%s: %s", sql, shopdata_error_message(error));
    return made;
}

static void *library_open(const way_options *options)
{
    opened *at = calloc(1, sizeof *at);
    shopdata_error *error = NULL;
    shopdata_config *config = configure(options);
    if (!at || shopdata_open(config, &at->client, &error))
        give_up("%s", at ? shopdata_error_message(error) : "out of memory");
    shopdata_config_free(config);
    for (size_t i = 0; i < ASKS; i++)
        at->asks[i] = statement(at->client, asks[i].policy, asks[i].sql);
    for (size_t i = 0; i < DEEDS; i++)
        for (size_t step = 0; step < deeds[i].steps; step++)
            at->steps[i][step] = statement(at->client, NULL, deeds[i].sql[step]);
    at->leaves = statement(at->client, NULL, deed_leaves);
    return at;
}

/* One session in sixteen asks nobody but the primary, one goes past the cache. */
static void *library_visit(void *of)
{
    enum { FLAVOURS = 16 };
    visit *made = calloc(1, sizeof *made);
    if (!made)
        give_up("out of memory");
    made->at = of;
    if (shopdata_session_new(made->at->client, &made->session, NULL))
        give_up("no session");
    unsigned turn = atomic_fetch_add(&flavour, 1) % FLAVOURS;
    made->flags = turn == 0 ? SHOPDATA_PRIMARY : turn == 1 ? SHOPDATA_NO_CACHE : 0;
    shopdata_session_set_flags(made->session, made->flags, NULL);
    return made;
}

static void library_leave(void *of)
{
    visit *v = of;
    shopdata_session_free(v->session);
    free(v);
}

static const char *library_token(void *of)
{
    const char *text = NULL;
    return shopdata_session_token(((visit *)of)->session, &text, NULL) ? NULL : text;
}

static bool library_advance(void *of, const char *token)
{
    return shopdata_session_advance(((visit *)of)->session, token, NULL) == SHOPDATA_OK;
}

/* --------------------------------------------------------------------------------------------------------- reading */

static bool add_sightings(answer *a, const shopdata_result *result, size_t row)
{
    for (size_t column = 0; column + 2 < shopdata_result_columns(result); column += 3) {
        int64_t id = 0, version = 0;
        const char *payload = NULL;
        size_t length = 0;
        if (shopdata_result_int64(result, row, column, &id, NULL) ||
            shopdata_result_int64(result, row, column + 1, &version, NULL) ||
            shopdata_result_text(result, row, column + 2, &payload, &length, NULL) || !payload ||
            !answer_add(a, id, version, payload, length))
            return false;
    }
    return true;
}

/* Cells that cannot be read count as a row that is damaged. */
static void take_rows(answer *a, const shopdata_result *result)
{
    for (size_t row = 0; row < shopdata_result_rows(result); row++)
        if (!add_sightings(a, result, row))
            a->seen[0].intact = false;
}

static void take_answer(answer *a, const visit *v, enum ask ask, const shopdata_result *result)
{
    *a = (answer){.cached = asks[ask].cached && !(v->flags & SHOPDATA_NO_CACHE),
                  .source = shopdata_result_source(result),
                  .age_ms = shopdata_result_age_ms(result),
                  .staleness_ms = shopdata_result_staleness_ms(result)};
    snprintf(a->node, sizeof a->node, "%s", shopdata_result_node(result));
    if (asks[ask].sum)
        shopdata_result_int64(result, 0, 0, &a->sum, NULL);
    else
        take_rows(a, result);
}

/* Now and then who may not wait asks first. */
static int ask_one(visit *v, const shopdata_call *call, shopdata_result **result_out)
{
    enum { ONE_IN = 4 };
    bool peeks = atomic_fetch_add(&peeked, 1) % ONE_IN == 0;
    int status =
        peeks ? shopdata_peek(v->session, call->statement, call->params, call->count, result_out, NULL) : SHOPDATA_MISS;
    return status != SHOPDATA_MISS
               ? status
               : shopdata_query(v->session, call->statement, call->params, call->count, result_out, NULL);
}

static int library_ask(void *of, const question *questions, size_t count, answer *answers)
{
    visit *v = of;
    shopdata_call calls[BATCH_MAX];
    shopdata_param params[BATCH_MAX][PARAMS_MAX];
    shopdata_result *results[BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        int64_t values[PARAMS_MAX];
        calls[i] = (shopdata_call){v->at->asks[questions[i].ask], params[i],
                                   ask_params(questions[i].ask, questions[i].n, values), 0};
        for (size_t p = 0; p < calls[i].count; p++)
            params[i][p] = shopdata_int64(values[p]);
    }
    int status =
        count > 1 ? shopdata_query_many(v->session, calls, count, results, NULL) : ask_one(v, &calls[0], results);
    for (size_t i = 0; i < count && status == SHOPDATA_OK; i++) {
        take_answer(&answers[i], v, questions[i].ask, results[i]);
        shopdata_result_free(results[i]);
    }
    return status;
}

/* --------------------------------------------------------------------------------------------------------- writing */

static void take_versions(outcome *out, shopdata_result *result)
{
    for (size_t row = 0; row < shopdata_result_rows(result) && out->count < SIGHTINGS_MAX; row++) {
        int64_t id = 0;
        if (!shopdata_result_int64(result, row, 0, &id, NULL) &&
            !shopdata_result_int64(result, row, 1, &out->versions[out->count], NULL))
            out->rows[out->count++] = (size_t)id;
    }
    shopdata_result_free(result);
}

static int run_step(visit *v, enum deed deed, size_t step, size_t n, outcome *out)
{
    int64_t version = out->count ? out->versions[0] : 0, values[PARAMS_MAX];
    bool leaves = deed == TURN && step == 1 && version % 2 == 0;
    shopdata_param params[PARAMS_MAX];
    shopdata_result *result = NULL;
    size_t count = deed_params(deed, step, n, version, values);
    for (size_t i = 0; i < count; i++)
        params[i] = shopdata_int64(values[i]);
    shopdata_statement *of = leaves ? v->at->leaves : v->at->steps[deed][step];
    int status = shopdata_execute(v->session, of, params, count, &result, NULL);
    if (status >= 0)
        take_versions(out, result);
    return status;
}

static void library_write(void *of, enum deed deed, size_t n, outcome *out)
{
    visit *v = of;
    *out = (outcome){0};
    if (deeds[deed].steps == 1) {
        out->status = run_step(v, deed, 0, n, out);
        return;
    }
    out->status = shopdata_begin(v->session, SHOPDATA_READ_COMMITTED, NULL);
    if (out->status)
        return;
    for (size_t step = 0; step < deeds[deed].steps && out->status >= 0; step++)
        out->status = run_step(v, deed, step, n, out);
    if (out->status >= 0)
        out->status = shopdata_commit(v->session, NULL);
    else
        shopdata_rollback(v->session, NULL);
}

/* Fences go, entries stay. */
static void library_forget(void *of, size_t row)
{
    visit *v = of;
    char tag[64];
    snprintf(tag, sizeof tag, "freshness.%s/id=%zu", row_table(row), row);
    shopdata_invalidate(v->at->client, (const char *const[]){tag}, 1, NULL);
}

const way through_library = {
    library_open, library_visit, library_leave,  library_token, library_advance,
    library_ask,  library_write, library_forget, true,
};
