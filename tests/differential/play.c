#include "play.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/servers.h"

enum { PHASES = 40, WRITES_MAX = 3 };

/* ---------------------------------------------------------------------------------------------------------- writes */

/* What a right program may get; not a time-out, say, nor a fence that the cache did not take. */
static bool is_expected(int status)
{
    return status == SHOPDATA_OK || status == SHOPDATA_ERR_SQL || status == SHOPDATA_ERR_REFUSED ||
           status == SHOPDATA_ERR_TRANSACTION;
}

static int begin_or_end(shopdata_session *session, const char *word)
{
    static const char *const levels[] = {"BEGIN", "BEGIN REPEATABLE READ", "BEGIN SERIALIZABLE", "BEGIN READ ONLY"};
    static const unsigned flags[] = {SHOPDATA_READ_COMMITTED, SHOPDATA_REPEATABLE_READ, SHOPDATA_SERIALIZABLE,
                                     SHOPDATA_READ_COMMITTED | SHOPDATA_READ_ONLY};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (!strcmp(word, levels[i]))
            return shopdata_begin(session, flags[i], NULL);
    return !strcmp(word, "COMMIT") ? shopdata_commit(session, NULL) : shopdata_rollback(session, NULL);
}

static bool begins_with(const char *text, const char *beginning)
{
    return !strncmp(text, beginning, strlen(beginning));
}

/* The words that are calls of the library. False if the step is none. */
static bool say_word(shopdata_session *session, const char *word, int *status)
{
    if (begins_with(word, "ROLLBACK TO "))
        *status = shopdata_rollback_to(session, word + 12, NULL);
    else if (begins_with(word, "SAVEPOINT "))
        *status = shopdata_savepoint(session, word + 10, NULL);
    else if (begins_with(word, "RELEASE "))
        *status = shopdata_release(session, word + 8, NULL);
    else if (begins_with(word, "BEGIN") || begins_with(word, "COMMIT") || begins_with(word, "ROLLBACK"))
        *status = begin_or_end(session, word);
    else
        return false;
    return true;
}

/* The words that reach past the library. False if the step is none. */
static bool steer(world *w, size_t client, const char *word, int *status)
{
    char command[64];
    bool pause = begins_with(word, "PAUSE ");
    if (begins_with(word, "TENANT ")) {
        world_set_tenant(w, client, word + 7);
    } else if (begins_with(word, "OUTSIDE ")) {
        *status = world_outside(w, word + 8) ? SHOPDATA_OK : SHOPDATA_ERR_SQL;
    } else if (pause || begins_with(word, "RESUME ")) {
        snprintf(command, sizeof command, "%s %s", pause ? "pause" : "resume", strchr(word, ' ') + 1);
        servers_do(command);
    } else {
        return false;
    }
    return true;
}

static int run_sql(trial *t, shopdata_session *session, const step *of, size_t client)
{
    shopdata_param params[STEP_PARAMS_MAX];
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    shopdata_statement *made = world_statement(&t->w, client, of, &error);
    int status = shopdata_error_status(error);
    step_params(of, params);
    if (made && of->reads)
        status = shopdata_query(session, made, params, of->count, &result, &error);
    else if (made)
        status = shopdata_execute(session, made, params, of->count, &result, &error);
    if (!is_expected(status))
        printf("seed %llu: %s: %s\n", (unsigned long long)t->seed, of->sql, shopdata_error_message(error));
    shopdata_result_free(result);
    shopdata_error_free(error);
    return status;
}

/* A transaction that the group leaves open is rolled back. */
int trial_run(trial *t, shopdata_session *session, const sentence *write, size_t client)
{
    int status = SHOPDATA_OK;
    for (size_t i = 0; i < write->count && is_expected(status); i++) {
        const step *of = &write->steps[i];
        if (!steer(&t->w, client, of->sql, &status) && !say_word(session, of->sql, &status))
            status = run_sql(t, session, of, client);
    }
    shopdata_rollback(session, NULL);
    return status;
}

static enum outcome outcome_of(int status)
{
    return status == SHOPDATA_ERR_REFUSED ? OUTCOME_REFUSED : status < 0 ? OUTCOME_SQL_ERROR : OUTCOME_GOOD;
}

static bool changes_schema(const sentence *write)
{
    bool changes = false;
    for (size_t i = 0; i < write->count; i++) {
        const char *sql = write->steps[i].sql;
        changes |= begins_with(sql, "OUTSIDE ") || begins_with(sql, "ALTER ") || begins_with(sql, "CREATE ") ||
                   begins_with(sql, "DROP ");
    }
    return changes;
}

/* A group is good if its last step was. */
void trial_write(trial *t, const sentence *write, size_t client)
{
    int status = trial_run(t, t->w.session[client], write, client);
    ck_assert_msg(is_expected(status), "%s, see above", shopdata_status_name(status));
    if (changes_schema(write) && status == SHOPDATA_OK)
        world_wait_for_catalog(&t->w);
    if (t->counts)
        census_write(t->counts, write, outcome_of(status));
}

/* ----------------------------------------------------------------------------------------------------------- reads */

static bool is_cached(shopdata_statement *made)
{
    const char *text;
    return shopdata_statement_explain(made, &text, NULL) == SHOPDATA_OK && !strncmp(text, "read, cached", 12);
}

static bool compare(trial *t, size_t read, size_t client, char *cached, difference *found)
{
    char *bare = world_bare_answer(&t->w, client, &t->reads[read].of->steps[0]);
    ck_assert_ptr_nonnull(bare);
    bool differs = strcmp(cached, bare) != 0;
    if (t->counts)
        t->counts->compared++;
    if (differs) {
        *found = (difference){read, client, cached, bare};
        return true;
    }
    sdi_free(cached);
    sdi_free(bare);
    return false;
}

static void count_read(trial *t, reading *read, int status, const shopdata_result *result, bool cached)
{
    bool hit = shopdata_result_source(result) == SHOPDATA_FROM_CACHE;
    if (status == SHOPDATA_OK && !hit)
        read->asked = t->events.length / sizeof(event);
    if (!t->counts)
        return;
    census_read(t->counts, read->of, hit ? OUTCOME_HIT : outcome_of(status), cached);
    t->counts->kept += hit && read->asked < t->written;
}

/* What is not cached is asked of the primary: of a replica it may be as old as route.max_lag allows. */
bool trial_read(trial *t, size_t at, size_t client, difference *found)
{
    reading *read = &t->reads[at];
    const step *of = &read->of->steps[0];
    shopdata_param params[STEP_PARAMS_MAX];
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    shopdata_statement *made = world_statement(&t->w, client, of, &error);
    int status = shopdata_error_status(error);
    bool cached = made && is_cached(made);
    shopdata_call call = {made, params, of->count, cached ? 0 : SHOPDATA_PRIMARY};
    step_params(of, params);
    if (made)
        status = shopdata_query_many(t->w.session[client], &call, 1, &result, &error);
    count_read(t, read, status, result, cached);
    bool differs =
        found && status != SHOPDATA_ERR_REFUSED && compare(t, at, client, answer_text(status, result, error), found);
    shopdata_result_free(result);
    shopdata_error_free(error);
    return differs;
}

const char *trial_explain(trial *t, size_t client, const step *of)
{
    const char *text = "";
    shopdata_statement *made = world_statement(&t->w, client, of, NULL);
    if (made)
        shopdata_statement_explain(made, &text, NULL);
    return text;
}

/* ---------------------------------------------------------------------------------------------------------- trials */

void trial_make(trial *t)
{
    t->random = (prng){t->seed};
    for (size_t i = 0; i < READS; i++)
        t->reads[i].of = sentence_make(t->of, "read", t->seed, &t->random);
}

void trial_open(trial *t)
{
    world_open(&t->w, t->cache);
}

void trial_close(trial *t)
{
    world_close(&t->w);
}

void trial_free(trial *t)
{
    for (size_t i = 0; i < READS; i++)
        sentence_free(t->reads[i].of);
    for (size_t i = 0; i < t->writes.length / sizeof(sentence *); i++)
        sentence_free(((sentence **)(void *)t->writes.data)[i]);
    sdi_buffer_free(&t->writes);
    sdi_buffer_free(&t->events);
}

static void note(trial *t, event what)
{
    sdi_buffer_append(&t->events, &what, sizeof what);
    ck_assert(!t->events.failed);
}

static void write_some(trial *t)
{
    for (uint64_t left = 1 + prng_below(&t->random, WRITES_MAX); left; left--) {
        size_t client = prng_below(&t->random, t->w.clients);
        sentence *write = sentence_make(t->of, "write", t->seed, &t->random);
        sdi_buffer_append(&t->writes, &write, sizeof write);
        note(t, (event){.write = write, .client = client});
        t->written = t->events.length / sizeof(event);
        trial_write(t, write, client);
    }
}

/* Every read once, beginning anywhere; some twice, by another client. */
static bool read_all(trial *t, difference *found)
{
    size_t first = prng_below(&t->random, READS);
    for (size_t i = 0; i < READS; i++) {
        size_t read = (first + i) % READS, times = 1 + !prng_below(&t->random, 4);
        for (size_t client = prng_below(&t->random, t->w.clients); times; times--, client++) {
            client %= t->w.clients;
            note(t, (event){.read = read, .client = client});
            if (trial_read(t, read, client, found))
                return true;
        }
    }
    return false;
}

bool trial_play(trial *t, int64_t deadline, difference *found)
{
    bool differs = false;
    trial_make(t);
    trial_open(t);
    for (size_t phase = 0; phase < PHASES && !differs && sdi_now() < deadline; phase++) {
        if (phase)
            write_some(t);
        differs = read_all(t, found);
        t->counts->phases++;
    }
    t->counts->trials++;
    if (!differs)
        trial_close(t);
    return differs;
}

void difference_free(difference *found)
{
    sdi_free(found->cached);
    sdi_free(found->bare);
}
