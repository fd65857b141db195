/* statement.h - what a grammar produced, cut into steps with their parameters. */
#ifndef SDI_TESTS_DIFFERENTIAL_STATEMENT_H
#define SDI_TESTS_DIFFERENTIAL_STATEMENT_H

#include <shopdata/shopdata.h>
#include <stdbool.h>
#include <stdio.h>

#include "grammar.h"

enum { STEP_PARAMS_MAX = 16, STEP_TAGS_MAX = 4, STEPS_MAX = 16 };

/* One statement, or a word of the test's own: BEGIN, COMMIT, SAVEPOINT a, PAUSE replica1... */
typedef struct step {
    char *sql;
    bool reads;                /* READ: a read within a transaction */
    char *tags[STEP_TAGS_MAX]; /* TAG: declared */
    size_t tag_count, count;
    char *values[STEP_PARAMS_MAX]; /* NULL: SQL NULL */
    bool integers[STEP_PARAMS_MAX];
} step;

typedef struct sentence {
    char *kind;
    size_t count;
    step steps[STEPS_MAX];
} sentence;

/* sentence_make produces one of `rule`; the same for the same swarm and state of `random`. */
sentence *sentence_make(const grammar *g, const char *rule, uint64_t swarm, prng *random);
void sentence_free(sentence *made);

void step_params(const step *of, shopdata_param params[STEP_PARAMS_MAX]);
/* step_print writes it on one line for people. */
void step_print(const step *of, FILE *file);

#endif
