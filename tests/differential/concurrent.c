#include "concurrent.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "play.h"
#include "support/servers.h"

enum { WRITERS = 2, READERS = 3, IDS = 8, SLICE_MS = 300, SLICES = 8 };

/* They read a version in ways that hang on different tags. */
static const char *const version_reads[] = {
    "SELECT v FROM versions WHERE id = $1",
    "SELECT max(v) FROM versions WHERE id = $1",
    "SELECT s.v FROM (SELECT * FROM versions) AS s WHERE s.id = $1",
    "SELECT a.v FROM versions a LEFT JOIN items ON item_id = 99 WHERE a.id = $1",
    "SELECT v FROM version_parts WHERE id = $1",
};

enum { VERSION_READS = sizeof version_reads / sizeof *version_reads };

typedef struct play {
    trial *of;
    atomic_bool stop;
    atomic_bool failed;
    _Atomic int64_t acknowledged[IDS];
    shopdata_statement *versions[VERSION_READS][CLIENTS_MAX];
    shopdata_statement *raise[2][CLIENTS_MAX];
    _Atomic size_t reads, hits, writes, checked;
} play;

typedef struct player {
    play *in;
    size_t number, client;
    prng random;
    shopdata_session *session;
    pthread_t thread;
} player;

/* --------------------------------------------------------------------------------------------------------- versions */

/* Each writer has numbers of its own, and both tables change at once. */
static void raise_version(player *p)
{
    play *in = p->in;
    size_t id = p->number + WRITERS * prng_below(&p->random, IDS / WRITERS);
    int64_t version = atomic_load(&in->acknowledged[id]) + 1;
    const shopdata_param params[] = {shopdata_int64((int64_t)id), shopdata_int64(version)};
    int status = shopdata_begin(p->session, SHOPDATA_READ_COMMITTED, NULL);
    for (size_t i = 0; i < 2 && !status; i++)
        status = shopdata_execute(p->session, in->raise[i][p->client], params, 2, NULL, NULL);
    if (!status)
        status = shopdata_commit(p->session, NULL);
    if (!status)
        atomic_store(&in->acknowledged[id], version);
    else
        shopdata_rollback(p->session, NULL);
}

static void tell_old_version(player *p, size_t which, size_t id, int64_t floor, const shopdata_result *result)
{
    int64_t got = -1;
    shopdata_result_int64(result, 0, 0, &got, NULL);
    if (got >= floor)
        return;
    atomic_store(&p->in->failed, true);
    printf("OLD: seed %llu: %s with %zu at client %zu answers %lld from %d after version %lld had been written\n",
           (unsigned long long)p->in->of->seed, version_reads[which], id, p->client + 1, (long long)got,
           shopdata_result_source(result), (long long)floor);
}

static void check_version(player *p)
{
    play *in = p->in;
    size_t which = prng_below(&p->random, VERSION_READS), id = prng_below(&p->random, IDS);
    int64_t floor = atomic_load(&in->acknowledged[id]);
    shopdata_param param = shopdata_int64((int64_t)id);
    shopdata_result *result = NULL;
    if (shopdata_query(p->session, in->versions[which][p->client], &param, 1, &result, NULL) == SHOPDATA_OK) {
        tell_old_version(p, which, id, floor, result);
        atomic_fetch_add(&in->checked, 1);
        atomic_fetch_add(&in->hits, shopdata_result_source(result) == SHOPDATA_FROM_CACHE);
        atomic_fetch_add(&in->reads, 1);
    }
    shopdata_result_free(result);
}

/* ---------------------------------------------------------------------------------------------------------- players */

static void *write_on(void *argument)
{
    player *p = argument;
    while (!atomic_load(&p->in->stop)) {
        sentence *write = sentence_make(p->in->of->of, "concurrent_write", p->in->of->seed, &p->random);
        int status = trial_run(p->in->of, p->session, write, p->client);
        if (status != SHOPDATA_OK && status != SHOPDATA_ERR_SQL && status != SHOPDATA_ERR_REFUSED &&
            status != SHOPDATA_ERR_TRANSACTION)
            atomic_store(&p->in->failed, true);
        sentence_free(write);
        raise_version(p);
        atomic_fetch_add(&p->in->writes, 1);
    }
    return NULL;
}

static void read_any(player *p)
{
    const reading *read = &p->in->of->reads[prng_below(&p->random, READS)];
    const step *of = &read->of->steps[0];
    shopdata_param params[STEP_PARAMS_MAX];
    shopdata_result *result = NULL;
    shopdata_statement *made = world_statement(&p->in->of->w, p->client, of, NULL);
    step_params(of, params);
    if (!made)
        return;
    shopdata_query(p->session, made, params, of->count, &result, NULL);
    atomic_fetch_add(&p->in->hits, shopdata_result_source(result) == SHOPDATA_FROM_CACHE);
    atomic_fetch_add(&p->in->reads, 1);
    shopdata_result_free(result);
}

static void *read_on(void *argument)
{
    player *p = argument;
    while (!atomic_load(&p->in->stop)) {
        read_any(p);
        check_version(p);
    }
    return NULL;
}

static void begin_player(play *in, player *p, size_t number)
{
    *p = (player){.in = in, .number = number, .client = number % in->of->w.clients};
    p->random = (prng){prng_next(&in->of->random)};
    p->session = world_session(&in->of->w, p->client);
    int failed = pthread_create(&p->thread, NULL, number < WRITERS ? write_on : read_on, p);
    ck_assert_int_eq(failed, 0);
}

static void play_slice(play *in)
{
    player players[WRITERS + READERS];
    atomic_store(&in->stop, false);
    for (size_t i = 0; i < WRITERS + READERS; i++)
        begin_player(in, &players[i], i);
    sdi_sleep((int64_t)SLICE_MS * 1000);
    atomic_store(&in->stop, true);
    for (size_t i = 0; i < WRITERS + READERS; i++) {
        pthread_join(players[i].thread, NULL);
        shopdata_session_free(players[i].session);
    }
}

/* ------------------------------------------------------------------------------------------------------------ trials
 */

static void make_statements(play *in)
{
    static const char *const raises[] = {"UPDATE versions SET v = $2 WHERE id = $1",
                                         "UPDATE version_parts SET v = $2 WHERE id = $1"};
    for (size_t c = 0; c < in->of->w.clients; c++) {
        for (size_t i = 0; i < VERSION_READS; i++)
            in->versions[i][c] = servers_statement(in->of->w.client[c], version_reads[i]);
        for (size_t i = 0; i < 2; i++)
            in->raise[i][c] = servers_statement(in->of->w.client[c], raises[i]);
    }
}

static void free_statements(play *in)
{
    for (size_t c = 0; c < in->of->w.clients; c++) {
        for (size_t i = 0; i < VERSION_READS; i++)
            shopdata_statement_free(in->versions[i][c]);
        for (size_t i = 0; i < 2; i++)
            shopdata_statement_free(in->raise[i][c]);
    }
}

/* With nobody writing every answer must be the database's. */
static bool compare_all(play *in, concurrent_sums *sums)
{
    difference found;
    for (size_t i = 0; i < READS; i++)
        for (size_t c = 0; c < in->of->w.clients; c++) {
            sums->compared++;
            if (!trial_read(in->of, i, c, &found))
                continue;
            difference_print(in->of, &found);
            difference_free(&found);
            return false;
        }
    return true;
}

static void add_up(const play *in, concurrent_sums *sums)
{
    sums->reads += in->reads;
    sums->hits += in->hits;
    sums->writes += in->writes;
    sums->versions += in->checked;
}

bool concurrent_play(const grammar *of, const char *cache, uint64_t seed, int64_t deadline, concurrent_sums *sums)
{
    trial t = {.seed = seed, .of = of, .cache = cache};
    play in = {.of = &t};
    trial_make(&t);
    trial_open(&t);
    make_statements(&in);
    bool right = compare_all(&in, sums);
    for (size_t i = 0; i < SLICES && right && (!i || sdi_now() < deadline); i++) {
        play_slice(&in);
        right = !atomic_load(&in.failed) && compare_all(&in, sums);
        sums->stops++;
    }
    add_up(&in, sums);
    free_statements(&in);
    trial_close(&t);
    trial_free(&t);
    return right;
}

void concurrent_print(const concurrent_sums *sums)
{
    printf("at once: %zu reads, %zu hits, %zu versions checked, %zu writes; %zu stops, %zu answers compared\n",
           sums->reads, sums->hits, sums->versions, sums->writes, sums->stops, sums->compared);
}
