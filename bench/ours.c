#include "ours.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Prints why, frees the error; false. */
static bool failed(const char *what, shopdata_error *error)
{
    bench_complain(what, shopdata_error_message(error));
    shopdata_error_free(error);
    return false;
}

/* A slow moment of a busy machine shall not look like a broken cache, nor an entry expire during the run. */
static const char *const settings[][2] = {
    {"cache.timeout", "1s"},
    {"policy.default.ttl", "1h"},
};

static bool configure(shopdata_config *config, const char *const *nodes, const char *redis, const char *mode,
                      shopdata_error **error)
{
    char prefix[32];
    bool cached = strcmp(mode, "none") != 0;
    snprintf(prefix, sizeof prefix, "bench-%s", mode);
    if (shopdata_config_set(config, "cache.kind", cached ? "redis" : "none", error) ||
        (cached && shopdata_config_set(config, "cache.mode", mode, error)) ||
        shopdata_config_set(config, "cache.key_prefix", prefix, error))
        return false;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (shopdata_config_set(config, settings[i][0], settings[i][1], error))
            return false;
    for (; *nodes; nodes += 2) {
        char key[64];
        snprintf(key, sizeof key, "node.%s.conninfo", nodes[0]);
        if (shopdata_config_set(config, key, nodes[1], error))
            return false;
    }
    return shopdata_config_set(config, "cache.address", redis, error) == 0;
}

shopdata_client *bench_open(const char *const *nodes, const char *redis, const char *mode)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    if (shopdata_config_new(&config, &error) || !configure(config, nodes, redis, mode, &error) ||
        shopdata_open(config, &client, &error) || shopdata_ready(client, 10000, &error)) {
        failed("cannot open a client", error);
        shopdata_close(client);
        client = NULL;
    }
    shopdata_config_free(config);
    return client;
}

bool bench_ours_open(bench_ours *ours, shopdata_client *client, const char *sql, unsigned flags)
{
    shopdata_error *error = NULL;
    if (shopdata_statement_new(client, NULL, sql, &ours->statement, &error))
        return failed("statement", error);
    for (unsigned i = 0; i < BENCH_THREADS_MAX; i++)
        if (shopdata_session_new(client, &ours->sessions[i], &error) ||
            shopdata_session_set_flags(ours->sessions[i], flags, &error))
            return failed("session", error);
    return true;
}

void bench_ours_close(bench_ours *ours)
{
    for (unsigned i = 0; i < BENCH_THREADS_MAX; i++)
        shopdata_session_free(ours->sessions[i]);
    shopdata_statement_free(ours->statement);
}

int bench_ours_ask(bench_ours *ours, unsigned thread, int64_t key)
{
    shopdata_param param = shopdata_int64(key);
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    int64_t found = 0;
    int source = -1;
    if (shopdata_query(ours->sessions[thread], ours->statement, &param, 1, &result, &error) ||
        shopdata_result_int64(result, 0, 0, &found, &error))
        failed("read", error);
    else if (found != key)
        bench_complain("read", "the answer is another product");
    else
        source = shopdata_result_source(result);
    shopdata_result_free(result);
    return source;
}

bool bench_ours_read(void *self, unsigned thread, uint64_t number)
{
    bench_ours *ours = self;
    int source = bench_ours_ask(ours, thread, bench_key(ours->keys, thread, number));
    if (source >= 0 && source != ours->source)
        atomic_fetch_add(&ours->strayed, 1);
    return source >= 0;
}

bool bench_ours_change(bench_ours *ours, unsigned thread, int64_t key, uint64_t number)
{
    shopdata_param params[] = {shopdata_int64(key), shopdata_int64((int64_t)(number % 1000))};
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    int status = shopdata_execute(ours->sessions[thread], ours->statement, params, 2, &result, &error);
    if (status < 0)
        return failed("write", error);
    bool good = status == SHOPDATA_OK && shopdata_result_changed(result) == 1;
    if (!good)
        bench_complain("write", status ? shopdata_status_name(status) : "it did not change one row");
    shopdata_result_free(result);
    return good;
}

bool bench_ours_write(void *self, unsigned thread, uint64_t number)
{
    bench_ours *ours = self;
    return bench_ours_change(ours, thread, bench_key(ours->keys, thread, number), number);
}

/* The first answers may not be kept: while a replica is behind, say. */
bool bench_ours_warm_key(bench_ours *ours, int64_t key)
{
    static const struct timespec pause = {0, 2000000};
    for (int attempt = 0; attempt < 500; attempt++) {
        int source = bench_ours_ask(ours, 0, key);
        if (source < 0)
            return false;
        if (source == SHOPDATA_FROM_CACHE)
            return true;
        if (attempt > 0)
            nanosleep(&pause, NULL);
    }
    bench_complain("warm-up", "the cache does not keep a product");
    return false;
}

bool bench_ours_warm(bench_ours *ours)
{
    for (int64_t i = 0; i < ours->keys->count; i++)
        if (!bench_ours_warm_key(ours, ours->keys->first + i))
            return false;
    return true;
}
