/* visit.h - one request on its way: its session, its random numbers, what it asks; each call is timed, counted and its
 * rows are judged. */
#ifndef LOAD_VISIT_H
#define LOAD_VISIT_H

#include "shop.h"
#include "tally.h"

enum { LOAD_VISIT_WRITES = 32, LOAD_VISIT_QUESTIONS = 8 };

/* A version that a write within the transaction made: it counts from COMMIT on. */
typedef struct load_made {
    enum load_versioned table;
    int64_t key, version;
} load_made;

typedef struct load_visit {
    load_shop *shop;
    load_tally *tally;
    load_random random;
    shopdata_session *session;
    enum load_source source; /* the furthest that an answer came from */
    bool in_transaction;
    load_made made[LOAD_VISIT_WRITES];
    size_t made_count;
} load_visit;

/* All that return a bool are false after a failure, which is counted then; results that they give are the caller's. */
bool load_visit_begin(load_visit *visit, load_shop *shop, load_tally *tally, load_random random);
void load_visit_end(load_visit *visit);

/* A read with one parameter, or none: then `key` is 1, the number of the only question there is. */
typedef struct load_question {
    enum load_statement statement;
    int64_t key;
} load_question;

/* load_visit_ask asks one, and load_visit_ask_many all in as few round trips as there are tiers; a statement that is
 * asked by a row's key must bring that row. Without results_out the answers are freed. */
bool load_visit_ask(load_visit *visit, load_question question, shopdata_result **result_out);
bool load_visit_ask_many(load_visit *visit, const load_question *questions, size_t count,
                         shopdata_result **results_out);
bool load_visit_search(load_visit *visit, size_t word);
bool load_visit_write(load_visit *visit, enum load_statement statement, const shopdata_param *params, size_t count,
                      shopdata_result **result_out);

/* A transaction: what is asked and written in between belongs to it. load_visit_transact commits if `body` was good,
 * else rolls back. */
bool load_visit_transact(load_visit *visit, bool (*body)(load_visit *visit, void *context), void *context);

/* load_visit_fail counts an answer that cannot be; false. */
bool load_visit_fail(load_visit *visit, const char *kind, const char *message);

int64_t load_visit_product(load_visit *visit);
int64_t load_visit_customer(load_visit *visit);
int64_t load_visit_category(load_visit *visit);

#endif
