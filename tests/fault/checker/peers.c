/* peers.c - cache-aside as it is usually done: SET with a TTL on a miss that a replica answers, and DEL after a write
 * (`delete-on-write`), or nothing after a write (`ttl-only`). With plain libpq and hiredis, a connection a thread. */
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/prng.h"
#include "way.h"

enum { NODES = 3, TTL_SECONDS = 20 };

typedef struct opened {
    bool deletes;
    _Atomic size_t primary; /* which node takes writes, as far as is known */
} opened;

/* What a thread keeps from visit to visit. */
typedef struct lines {
    PGconn *nodes[NODES];
    redisContext *cache;
    prng random;
} lines;

typedef struct visit {
    opened *at;
    lines *over;
} visit;

typedef char key_text[48];

/* ----------------------------------------------------------------------------------------------------- connections */

static PGconn *node(lines *l, size_t which)
{
    static const char *const names[NODES] = {"SHOPDATA_PRIMARY", "SHOPDATA_REPLICA1", "SHOPDATA_REPLICA2"};
    char conninfo[512];
    if (l->nodes[which] && PQstatus(l->nodes[which]) == CONNECTION_OK)
        return l->nodes[which];
    snprintf(conninfo, sizeof conninfo,
             "%s connect_timeout=2 tcp_user_timeout=3000"
             " options='-csearch_path=freshness -cstatement_timeout=3s'",
             environment(names[which]));
    PQfinish(l->nodes[which]);
    l->nodes[which] = PQconnectdb(conninfo);
    return PQstatus(l->nodes[which]) == CONNECTION_OK ? l->nodes[which] : NULL;
}

static redisContext *cache(lines *l)
{
    struct timeval limit = {0, 200000};
    char host[64];
    if (l->cache && !l->cache->err)
        return l->cache;
    snprintf(host, sizeof host, "%s", environment("SHOPDATA_REDIS"));
    char *colon = strrchr(host, ':');
    *colon = '\0';
    if (l->cache)
        redisFree(l->cache);
    l->cache = redisConnectWithTimeout(host, (int)strtol(colon + 1, NULL, 10), limit);
    if (l->cache && !l->cache->err)
        redisSetTimeout(l->cache, limit);
    return l->cache && !l->cache->err ? l->cache : NULL;
}

static void hang_up(void *of)
{
    lines *l = of;
    for (size_t i = 0; i < NODES; i++)
        PQfinish(l->nodes[i]);
    if (l->cache)
        redisFree(l->cache);
    free(l);
}

static pthread_key_t lines_key;

static void *peers_open(const way_options *options)
{
    opened *at = calloc(1, sizeof *at);
    if (!at || pthread_key_create(&lines_key, hang_up))
        give_up("out of memory");
    at->deletes = !strcmp(options->mode, "delete-on-write");
    return at;
}

static lines *own_lines(void)
{
    lines *own = pthread_getspecific(lines_key);
    if (own)
        return own;
    own = calloc(1, sizeof *own);
    if (!own || pthread_setspecific(lines_key, own))
        give_up("out of memory");
    own->random.state = (uint64_t)(uintptr_t)own;
    return own;
}

static void *peers_visit(void *of)
{
    visit *made = malloc(sizeof *made);
    if (!made)
        give_up("out of memory");
    *made = (visit){of, own_lines()};
    return made;
}

/* --------------------------------------------------------------------------------------------------------- the cache
 */

static void name_key(key_text key, enum ask ask, size_t n)
{
    snprintf(key, sizeof(key_text), "peer:%s:%zu", asks[ask].name, n);
}

static bool get(lines *l, const question *q, answer *a)
{
    key_text key;
    redisContext *server = cache(l);
    name_key(key, q->ask, q->n);
    redisReply *reply = server ? redisCommand(server, "GET %s", key) : NULL;
    bool found = reply && reply->type == REDIS_REPLY_STRING && reply->len == sizeof *a;
    if (found)
        memcpy(a, reply->str, sizeof *a);
    freeReplyObject(reply);
    a->source = SHOPDATA_FROM_CACHE;
    return found;
}

static void put(lines *l, const question *q, const answer *a)
{
    key_text key;
    redisContext *server = cache(l);
    name_key(key, q->ask, q->n);
    if (server)
        freeReplyObject(redisCommand(server, "SET %s %b EX %d", key, a, sizeof *a, (int)TTL_SECONDS));
}

/* All answers that the row may be in. */
static void forget_row(redisContext *server, size_t row)
{
    size_t of[SIGHTINGS_MAX];
    for (size_t a = 0; a < ASKS; a++)
        for (size_t n = 0; n < asks[a].choices && asks[a].cached; n++)
            for (size_t i = 0, count = ask_rows((enum ask)a, n, of); i < count; i++)
                if (of[i] == row) {
                    key_text key;
                    name_key(key, (enum ask)a, n);
                    freeReplyObject(redisCommand(server, "DEL %s", key));
                }
}

static void forget(lines *l, const outcome *out)
{
    for (size_t i = 0; i < out->count; i++) {
        redisContext *server = cache(l);
        if (server)
            forget_row(server, out->rows[i]);
    }
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static PGresult *run(PGconn *at, const char *sql, const int64_t *values, size_t count)
{
    char texts[PARAMS_MAX][24];
    const char *params[PARAMS_MAX];
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "%lld", (long long)values[i]);
        params[i] = texts[i];
    }
    return PQexecParams(at, sql, (int)count, NULL, params, NULL, NULL, 0);
}

static void take_rows(answer *a, const PGresult *got, bool sum)
{
    if (sum)
        a->sum = atoll(PQgetvalue(got, 0, 0));
    for (int r = 0; r < PQntuples(got) && !sum; r++)
        for (int c = 0; c + 2 < PQnfields(got); c += 3)
            answer_add(a, atoll(PQgetvalue(got, r, c)), atoll(PQgetvalue(got, r, c + 1)), PQgetvalue(got, r, c + 2),
                       (size_t)PQgetlength(got, r, c + 2));
}

static bool ask_node(visit *v, size_t which, const question *q, answer *a)
{
    int64_t values[PARAMS_MAX];
    PGconn *at = node(v->over, which);
    size_t count = ask_params(q->ask, q->n, values);
    PGresult *got = at ? run(at, asks[q->ask].sql, values, count) : NULL;
    bool good = got && PQresultStatus(got) == PGRES_TUPLES_OK;
    *a = (answer){.cached = asks[q->ask].cached,
                  .staleness_ms = asks[q->ask].cached ? 0 : -1, /* only what is cached is compared */
                  .source = which == atomic_load(&v->at->primary) ? SHOPDATA_FROM_PRIMARY : SHOPDATA_FROM_REPLICA};
    snprintf(a->node, sizeof a->node, "node %zu", which);
    if (good)
        take_rows(a, got, asks[q->ask].sum);
    PQclear(got);
    return good;
}

/* A random replica; the next node where that does not answer. */
static bool ask_any(visit *v, const question *q, answer *a)
{
    size_t primary = atomic_load(&v->at->primary), first = primary + 1 + prng_below(&v->over->random, NODES - 1);
    for (size_t i = 0; i < NODES; i++)
        if (ask_node(v, (first + i) % NODES, q, a))
            return true;
    return false;
}

static int peers_ask(void *of, const question *questions, size_t count, answer *answers)
{
    visit *v = of;
    for (size_t i = 0; i < count; i++) {
        const question *q = &questions[i];
        if (asks[q->ask].cached && get(v->over, q, &answers[i]))
            continue;
        if (!ask_any(v, q, &answers[i]))
            return SHOPDATA_ERR_UNAVAILABLE;
        if (asks[q->ask].cached)
            put(v->over, q, &answers[i]);
    }
    return SHOPDATA_OK;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static bool command(PGconn *at, const char *sql)
{
    PGresult *done = PQexec(at, sql);
    bool good = PQresultStatus(done) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(done), "ROLLBACK") != 0;
    PQclear(done);
    return good;
}

static bool run_step(PGconn *at, enum deed deed, size_t step, size_t n, outcome *out)
{
    int64_t version = out->count ? out->versions[0] : 0, values[PARAMS_MAX];
    bool leaves = deed == TURN && step == 1 && version % 2 == 0;
    size_t count = deed_params(deed, step, n, version, values);
    PGresult *done = run(at, leaves ? deed_leaves : deeds[deed].sql[step], values, count);
    bool good = PQresultStatus(done) == PGRES_TUPLES_OK || PQresultStatus(done) == PGRES_COMMAND_OK;
    for (int row = 0; good && row < PQntuples(done) && out->count < SIGHTINGS_MAX; row++) {
        out->rows[out->count] = (size_t)atoll(PQgetvalue(done, row, 0));
        out->versions[out->count++] = atoll(PQgetvalue(done, row, 1));
    }
    PQclear(done);
    return good;
}

static int transact(PGconn *at, enum deed deed, size_t n, outcome *out)
{
    bool good = command(at, "BEGIN");
    for (size_t step = 0; good && step < deeds[deed].steps; step++)
        good = run_step(at, deed, step, n, out);
    if (!good)
        command(at, "ROLLBACK");
    else if (!command(at, "COMMIT"))
        return PQstatus(at) == CONNECTION_OK ? SHOPDATA_ERR_SQL : SHOPDATA_ERR_AMBIGUOUS;
    return good ? SHOPDATA_OK : SHOPDATA_ERR_SQL;
}

static void peers_write(void *of, enum deed deed, size_t n, outcome *out)
{
    visit *v = of;
    size_t primary = atomic_load(&v->at->primary);
    PGconn *at = node(v->over, primary);
    *out = (outcome){.status = SHOPDATA_ERR_UNAVAILABLE};
    if (at)
        out->status = transact(at, deed, n, out);
    if (out->status < 0)
        atomic_compare_exchange_strong(&v->at->primary, &primary, (primary + 1) % NODES);
    else if (v->at->deletes)
        forget(v->over, out);
}

const way as_peers = {peers_open, peers_visit, free, NULL, NULL, peers_ask, peers_write, NULL, false};
