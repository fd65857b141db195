#include "ours.h"

#include <stdio.h>
#include <time.h>

/* Prints why, frees the error; false. */
static bool failed(const char *what, shopdata_error *error)
{
    bench_complain(what, shopdata_error_message(error));
    shopdata_error_free(error);
    return false;
}

/* A slow moment of a busy machine shall not look like a broken cache, nor an entry expire during the run. */
static bool configure(shopdata_config *config, const bench_client *wanted, shopdata_error **error)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "bench-%s", wanted->prefix);
    const char *const settings[][2] = {{"cache.timeout", "1s"},         {"policy.default.ttl", "1h"},
                                       {"cache.kind", wanted->kind},    {"cache.mode", wanted->mode},
                                       {"cache.key_prefix", prefix},    {"local.bytes", wanted->local_bytes},
                                       {"cache.address", wanted->cache}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i][1] && shopdata_config_set(config, settings[i][0], settings[i][1], error))
            return false;
    for (const char *const *node = wanted->nodes; *node; node += 2) {
        char key[64];
        snprintf(key, sizeof key, "node.%s.conninfo", node[0]);
        if (shopdata_config_set(config, key, node[1], error))
            return false;
    }
    return true;
}

shopdata_client *bench_open(const bench_client *wanted)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    if (shopdata_config_new(&config, &error) || !configure(config, wanted, &error) ||
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

/* Takes the results. */
static bool are_products(bench_ours *ours, shopdata_result *const *results, const shopdata_param *params)
{
    bool good = true;
    for (unsigned i = 0; i < ours->batch; i++) {
        int64_t found = -1;
        good = shopdata_result_int64(results[i], 0, 0, &found, NULL) == 0 && found == params[i].value.integer && good;
        if (shopdata_result_source(results[i]) != ours->source)
            atomic_fetch_add(&ours->strayed, 1);
        shopdata_result_free(results[i]);
    }
    if (!good)
        bench_complain("batch", "an answer is another product");
    return good;
}

bool bench_ours_read_batch(void *self, unsigned thread, uint64_t number)
{
    bench_ours *ours = self;
    shopdata_call calls[BENCH_BATCH_MAX];
    shopdata_param params[BENCH_BATCH_MAX];
    shopdata_result *results[BENCH_BATCH_MAX];
    shopdata_error *error = NULL;
    for (unsigned i = 0; i < ours->batch; i++) {
        params[i] = shopdata_int64(bench_key(ours->keys, thread, number * ours->batch + i));
        calls[i] = (shopdata_call){.statement = ours->statement, .params = &params[i], .count = 1};
    }
    if (shopdata_query_many(ours->sessions[thread], calls, ours->batch, results, &error))
        return failed("batch", error);
    return are_products(ours, results, params);
}

/* A read as short as it can be: who answered is looked at, what he answered is not. */
static bool read_blindly(bench_ours *ours, unsigned thread, int64_t key)
{
    shopdata_param param = shopdata_int64(key);
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    if (shopdata_query(ours->sessions[thread], ours->statement, &param, 1, &result, &error))
        return failed("read", error);
    if (shopdata_result_source(result) != ours->source)
        atomic_fetch_add(&ours->strayed, 1);
    shopdata_result_free(result);
    return true;
}

bool bench_ours_read_often(void *self, unsigned thread, uint64_t number)
{
    bench_ours *ours = self;
    bool good = bench_ours_read(ours, thread, number * BENCH_LOCAL_EACH);
    for (unsigned i = 1; i < BENCH_LOCAL_EACH; i++)
        good = read_blindly(ours, thread, bench_key(ours->keys, thread, number * BENCH_LOCAL_EACH + i)) && good;
    return good;
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

/* Asks so many times at most: 1 once a cache answers as it is wanted, 0 if none did, -1 after an error. The first
 * answers may not be kept: while a replica is behind, say. */
static int ask_until_kept(bench_ours *ours, int64_t key, int attempts)
{
    static const struct timespec pause = {0, 2000000};
    for (int attempt = 0; attempt < attempts; attempt++) {
        int source = bench_ours_ask(ours, 0, key);
        if (source < 0)
            return -1;
        if (source == ours->source || (source == SHOPDATA_FROM_CACHE && ours->source != SHOPDATA_FROM_LOCAL))
            return 1;
        if (attempt > 1)
            nanosleep(&pause, NULL);
    }
    return 0;
}

bool bench_ours_answers(bench_ours *ours)
{
    return ask_until_kept(ours, ours->keys->first, 500) == 1;
}

bool bench_ours_warm_key(bench_ours *ours, int64_t key)
{
    int kept = ask_until_kept(ours, key, 500);
    if (kept == 0)
        bench_complain("warm-up", "the cache does not keep a product");
    return kept == 1;
}

bool bench_ours_warm(bench_ours *ours)
{
    for (int64_t i = 0; i < ours->keys->count; i++)
        if (!bench_ours_warm_key(ours, ours->keys->first + i))
            return false;
    return true;
}
