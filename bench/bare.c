#include "bare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PGconn *bench_connect(const char *conninfo)
{
    PGconn *database = PQconnectdb(conninfo);
    if (PQstatus(database) == CONNECTION_OK)
        return database;
    bench_complain("cannot connect", PQerrorMessage(database));
    PQfinish(database);
    return NULL;
}

redisContext *bench_connect_cache(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    snprintf(host, sizeof host, "%.*s", (int)(colon ? colon - address : 0), address);
    redisContext *cache = redisConnect(host, colon ? (int)strtol(colon + 1, NULL, 10) : 0);
    if (cache && !cache->err)
        return cache;
    bench_complain("cannot connect to Redis", cache ? cache->errstr : "out of memory");
    if (cache)
        redisFree(cache);
    return NULL;
}

static bool prepare(PGconn *database, const char *sql)
{
    PGresult *result = PQprepare(database, "p", sql, 0, NULL);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!good)
        bench_complain("prepare", PQerrorMessage(database));
    PQclear(result);
    return good;
}

bool bench_bare_open(bench_bare *bare, unsigned threads, const char *conninfo, const char *sql, const char *address)
{
    for (unsigned i = 0; i < threads; i++) {
        if (conninfo && (!(bare->databases[i] = bench_connect(conninfo)) || !prepare(bare->databases[i], sql)))
            return false;
        if (address && !(bare->caches[i] = bench_connect_cache(address)))
            return false;
    }
    return true;
}

void bench_bare_close(bench_bare *bare)
{
    for (unsigned i = 0; i < BENCH_THREADS_MAX; i++) {
        PQfinish(bare->databases[i]);
        if (bare->caches[i])
            redisFree(bare->caches[i]);
    }
}

/* ---- cache */

/* What stood in the cache from an earlier run would be a hit where none is wanted, and never fits this table. */
bool bench_forget(redisContext *cache)
{
    redisReply *reply = redisCommand(cache, "EVAL %s 0",
                                     "local keys = redis.call('KEYS', 'bench[-/]*') "
                                     "for _, key in ipairs(keys) do redis.call('UNLINK', key) end "
                                     "return #keys");
    bool good = reply && reply->type == REDIS_REPLY_INTEGER;
    if (!good)
        bench_complain("Redis", reply ? reply->str : cache->errstr);
    freeReplyObject(reply);
    return good;
}

static bool set(redisContext *cache, int64_t key, const char *value, size_t length)
{
    redisReply *reply = redisCommand(cache, "SET bench/bare/%" PRId64 " %b", key, value, length);
    bool good = reply && reply->type == REDIS_REPLY_STATUS;
    if (!good)
        bench_complain("SET", reply ? reply->str : cache->errstr);
    freeReplyObject(reply);
    return good;
}

bool bench_bare_fill(bench_bare *bare)
{
    char *value = malloc(bare->length + 1);
    bool good = value != NULL;
    if (good)
        memset(value, 'x', bare->length);
    for (int64_t i = 0; i < bare->keys->count && good; i++)
        good = set(bare->caches[0], bare->keys->first + i, value, bare->length);
    free(value);
    return good;
}

/* Takes the reply, and frees it. */
static bool is_value(const bench_bare *bare, unsigned thread, redisReply *reply)
{
    bool good = reply && reply->type == REDIS_REPLY_STRING && reply->len == bare->length;
    if (!good)
        bench_complain("GET", reply ? "not what was put there" : bare->caches[thread]->errstr);
    freeReplyObject(reply);
    return good;
}

bool bench_bare_get(void *self, unsigned thread, uint64_t number)
{
    bench_bare *bare = self;
    int64_t key = bench_key(bare->keys, thread, number);
    return is_value(bare, thread, redisCommand(bare->caches[thread], "GET bench/bare/%" PRId64, key));
}

/* The keys of the calls that a batch stands for. */
static int64_t key_of(const bench_bare *bare, unsigned thread, uint64_t number, unsigned i)
{
    return bench_key(bare->keys, thread, number * bare->batch + i);
}

bool bench_bare_get_batch(void *self, unsigned thread, uint64_t number)
{
    bench_bare *bare = self;
    bool good = true;
    for (unsigned i = 0; i < bare->batch; i++)
        redisAppendCommand(bare->caches[thread], "GET bench/bare/%" PRId64, key_of(bare, thread, number, i));
    for (unsigned i = 0; i < bare->batch && good; i++) {
        void *reply = NULL;
        redisGetReply(bare->caches[thread], &reply);
        good = is_value(bare, thread, reply);
    }
    return good;
}

/* ---- database */

/* Checks what the library's side checks too: that it is the product asked for. */
static bool is_product(const PGresult *result, const char *key)
{
    return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
           strcmp(PQgetvalue(result, 0, 0), key) == 0;
}

static bool query(PGconn *database, int64_t product)
{
    char key[32];
    const char *const params[] = {key};
    snprintf(key, sizeof key, "%" PRId64, product);
    PGresult *result = PQexecPrepared(database, "p", 1, params, NULL, NULL, 0);
    bool good = is_product(result, key);
    if (!good)
        bench_complain("query", PQresultErrorMessage(result));
    PQclear(result);
    return good;
}

bool bench_bare_query(void *self, unsigned thread, uint64_t number)
{
    bench_bare *bare = self;
    return query(bare->databases[thread], bench_key(bare->keys, thread, number));
}

bool bench_bare_query_batch(void *self, unsigned thread, uint64_t number)
{
    bench_bare *bare = self;
    bool good = true;
    for (unsigned i = 0; i < bare->batch && good; i++)
        good = query(bare->databases[thread], key_of(bare, thread, number, i));
    return good;
}

static bool send_write(PGconn *database, const char *const *params)
{
    return PQenterPipelineMode(database) && PQsendQueryParams(database, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) &&
           PQsendQueryPrepared(database, "p", 2, params, NULL, NULL, 0) &&
           PQsendQueryParams(database, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(database);
}

/* The answers to three commands, each followed by a NULL, and to the Sync. */
static bool receive_write(PGconn *database)
{
    int done = 0;
    bool synced = false;
    for (int i = 0; i < 7 && !synced; i++) {
        PGresult *result = PQgetResult(database);
        done += result && PQresultStatus(result) == PGRES_COMMAND_OK;
        synced = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    return synced && PQexitPipelineMode(database) && done == 3;
}

bool bench_bare_write(void *self, unsigned thread, uint64_t number)
{
    bench_bare *bare = self;
    PGconn *database = bare->databases[thread];
    char key[32], stock[32];
    const char *const params[] = {key, stock};
    int64_t product = bench_key(bare->keys, thread, number);
    snprintf(key, sizeof key, "%" PRId64, product);
    snprintf(stock, sizeof stock, "%" PRIu64, number % 1000);
    if (!send_write(database, params) || !receive_write(database)) {
        bench_complain("write", PQerrorMessage(database));
        return false;
    }
    return set(bare->caches[thread], product, stock, strlen(stock));
}
