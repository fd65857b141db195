#include "visit.h"

#include <inttypes.h>

#include "clock.h"

bool load_visit_fail(load_visit *visit, const char *kind, const char *message)
{
    load_errors_add(&visit->tally->errors, kind, message);
    return false;
}

/* Takes the error. What is good with a remark is counted, and good. */
static bool is_good(load_visit *visit, int status, shopdata_error *error)
{
    if (status != SHOPDATA_OK)
        load_errors_add_call(&visit->tally->errors, status, error);
    shopdata_error_free(error);
    return status >= SHOPDATA_OK;
}

bool load_visit_begin(load_visit *visit, load_shop *shop, load_tally *tally, load_random random)
{
    shopdata_error *error = NULL;
    *visit = (load_visit){.shop = shop, .tally = tally, .random = random};
    return is_good(visit, shopdata_session_new(shop->client, &visit->session, &error), error);
}

void load_visit_end(load_visit *visit)
{
    shopdata_session_free(visit->session);
}

/* ---- what an answer tells */

static void judge_rows(load_visit *visit, enum load_versioned table, const shopdata_result *result, int64_t began_ns)
{
    load_versions *versions = &visit->shop->versions[table];
    for (size_t row = 0; row < shopdata_result_rows(result); row++) {
        int64_t key, version;
        if (shopdata_result_int64(result, row, 0, &key, NULL) || shopdata_result_int64(result, row, 1, &version, NULL))
            continue;
        int64_t age_ns = load_versions_judge(versions, key, version, began_ns);
        if (age_ns == LOAD_VERSION_UNKNOWN)
            continue;
        load_tally_count(visit->tally, LOAD_VERSIONS_CHECKED);
        if (age_ns == LOAD_VERSION_FRESH)
            continue;
        load_tally_count(visit->tally, LOAD_STALE_READS);
        load_tally_time(&visit->tally->times[LOAD_STALENESS], age_ns);
    }
}

static void note_expiry(load_visit *visit, int64_t key, const load_call *call)
{
    load_tally *tally = visit->tally;
    load_stampedes *stampedes = &visit->shop->stampedes[call->statement];
    load_stampede stampede = load_stampedes_miss(stampedes, key, call->began_ns, call->ended_ns);
    load_tally_count(tally, LOAD_EXPIRY_READERS);
    if (stampede.is_new)
        load_tally_count(tally, LOAD_EXPIRIES);
    else if (stampede.readers == 2)
        load_tally_count(tally, LOAD_EXPIRIES_CROWDED);
    load_tally_highest(&tally->most_readers, stampede.readers);
}

static enum load_cached cached_of(const load_visit *visit, enum load_statement statement, enum load_source source)
{
    if (load_sql_table[statement].writes || visit->in_transaction)
        return LOAD_CACHED_NONE;
    if (source <= LOAD_SOURCE_STALE)
        return LOAD_CACHED_HIT;
    return visit->shop->has_cache && visit->shop->is_kept[statement] ? LOAD_CACHED_MISS : LOAD_CACHED_NONE;
}

static void note_answer(load_visit *visit, load_question question, const shopdata_result *result, int64_t began_ns,
                        int64_t ended_ns)
{
    const load_sql *sql = &load_sql_table[question.statement];
    load_call call = {.statement = question.statement, .began_ns = began_ns, .ended_ns = ended_ns};
    call.source = sql->writes ? LOAD_SOURCE_PRIMARY : load_source_of(shopdata_result_source(result));
    call.cached = cached_of(visit, question.statement, call.source);
    call.rows = shopdata_result_rows(result);
    load_tally_call(visit->tally, &call);
    if (call.source > visit->source)
        visit->source = call.source;
    if (sql->versioned && !sql->writes)
        judge_rows(visit, sql->versioned, result, began_ns);
    if (call.cached == LOAD_CACHED_MISS)
        note_expiry(visit, question.key, &call);
}

/* Who asks by the key of a row that must be there. */
static bool is_by_key(enum load_statement statement)
{
    return statement == LOAD_PRODUCT || statement == LOAD_CUSTOMER || statement == LOAD_CART;
}

static bool is_right(load_visit *visit, load_question question, const shopdata_result *result)
{
    int64_t key;
    char message[LOAD_ERROR_MESSAGE_TEXT];
    if (!is_by_key(question.statement) ||
        (shopdata_result_rows(result) == 1 && !shopdata_result_int64(result, 0, 0, &key, NULL) && key == question.key))
        return true;
    snprintf(message, sizeof message, "%s %" PRId64 ": %zu rows, or another's", load_sql_table[question.statement].name,
             question.key, shopdata_result_rows(result));
    return load_visit_fail(visit, "wrong_answer", message);
}

/* ---- reads */

/* Asks with the parameter that stands for the question's key. */
static bool ask(load_visit *visit, load_question question, shopdata_param param, shopdata_result **result_out)
{
    shopdata_statement *statement = visit->shop->statements[question.statement];
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    int64_t began_ns = load_now_ns();
    int status =
        shopdata_query(visit->session, statement, &param, shopdata_statement_parameters(statement), &result, &error);
    if (!is_good(visit, status, error))
        return false;
    note_answer(visit, question, result, began_ns, load_now_ns());
    bool good = is_right(visit, question, result);
    if (good && result_out)
        *result_out = result;
    else
        shopdata_result_free(result);
    return good;
}

bool load_visit_ask(load_visit *visit, load_question question, shopdata_result **result_out)
{
    return ask(visit, question, shopdata_int64(question.key), result_out);
}

bool load_visit_search(load_visit *visit, size_t word)
{
    return ask(visit, (load_question){LOAD_SEARCH, (int64_t)word + 1}, shopdata_text(visit->shop->words[word]), NULL);
}

static bool take_answers(load_visit *visit, const load_question *questions, size_t count, shopdata_result **results,
                         int64_t began_ns)
{
    int64_t ended_ns = load_now_ns();
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        note_answer(visit, questions[i], results[i], began_ns, ended_ns);
        good = is_right(visit, questions[i], results[i]) && good;
    }
    return good;
}

bool load_visit_ask_many(load_visit *visit, const load_question *questions, size_t count, shopdata_result **results_out)
{
    shopdata_param params[LOAD_VISIT_QUESTIONS];
    shopdata_call calls[LOAD_VISIT_QUESTIONS];
    shopdata_result *results[LOAD_VISIT_QUESTIONS];
    shopdata_error *error = NULL;
    for (size_t i = 0; i < count; i++) {
        shopdata_statement *statement = visit->shop->statements[questions[i].statement];
        params[i] = shopdata_int64(questions[i].key);
        calls[i] = (shopdata_call){statement, &params[i], shopdata_statement_parameters(statement), 0};
    }
    int64_t began_ns = load_now_ns();
    if (!is_good(visit, shopdata_query_many(visit->session, calls, count, results, &error), error))
        return false;
    bool good = take_answers(visit, questions, count, results, began_ns);
    for (size_t i = 0; i < count; i++)
        if (good && results_out)
            results_out[i] = results[i];
        else
            shopdata_result_free(results[i]);
    return good;
}

/* ---- writes */

static void acknowledge(load_visit *visit, const load_made *made, int64_t now_ns)
{
    load_versions_acknowledge(&visit->shop->versions[made->table], made->key, made->version, now_ns);
    load_tally_count(visit->tally, LOAD_ROWS_WRITTEN);
}

static void note_versions(load_visit *visit, enum load_versioned table, const shopdata_result *result, int64_t now_ns)
{
    load_made made = {.table = table};
    for (size_t row = 0; row < shopdata_result_rows(result); row++) {
        if (shopdata_result_int64(result, row, 0, &made.key, NULL) ||
            shopdata_result_int64(result, row, 1, &made.version, NULL))
            continue;
        if (!visit->in_transaction)
            acknowledge(visit, &made, now_ns);
        else if (visit->made_count < LOAD_VISIT_WRITES)
            visit->made[visit->made_count++] = made;
    }
}

bool load_visit_write(load_visit *visit, enum load_statement statement, const shopdata_param *params, size_t count,
                      shopdata_result **result_out)
{
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    int64_t began_ns = load_now_ns();
    int status = shopdata_execute(visit->session, visit->shop->statements[statement], params, count, &result, &error);
    if (!is_good(visit, status, error))
        return false;
    int64_t ended_ns = load_now_ns();
    note_answer(visit, (load_question){statement, 0}, result, began_ns, ended_ns);
    if (load_sql_table[statement].versioned)
        note_versions(visit, load_sql_table[statement].versioned, result, ended_ns);
    bool good = shopdata_result_changed(result) == 1 ||
                load_visit_fail(visit, "wrong_answer", "a write did not change one row");
    if (good && result_out)
        *result_out = result;
    else
        shopdata_result_free(result);
    return good;
}

static bool commit(load_visit *visit)
{
    shopdata_error *error = NULL;
    int64_t began_ns = load_now_ns();
    if (!is_good(visit, shopdata_commit(visit->session, &error), error))
        return false;
    int64_t ended_ns = load_now_ns();
    note_answer(visit, (load_question){LOAD_COMMIT, 0}, NULL, began_ns, ended_ns);
    for (size_t i = 0; i < visit->made_count; i++)
        acknowledge(visit, &visit->made[i], ended_ns);
    return true;
}

bool load_visit_transact(load_visit *visit, bool (*body)(load_visit *visit, void *context), void *context)
{
    shopdata_error *error = NULL;
    if (!is_good(visit, shopdata_begin(visit->session, SHOPDATA_READ_COMMITTED, &error), error))
        return false;
    visit->in_transaction = true;
    visit->made_count = 0;
    bool good = body(visit, context);
    if (good)
        good = commit(visit);
    else
        shopdata_rollback(visit->session, NULL);
    visit->in_transaction = false;
    return good;
}

/* ---- whom and what */

int64_t load_visit_product(load_visit *visit)
{
    return load_keys_draw(visit->shop->keys, &visit->random);
}

int64_t load_visit_customer(load_visit *visit)
{
    return 1 + (int64_t)load_random_below(&visit->random, (uint64_t)visit->shop->scale.customers);
}

int64_t load_visit_category(load_visit *visit)
{
    return 1 + (int64_t)load_random_below(&visit->random, (uint64_t)visit->shop->scale.categories);
}
