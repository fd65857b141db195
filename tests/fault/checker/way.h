/* way.h - a way to read and write the rows: through the library, or as its peers do it. */
#ifndef SDI_TESTS_FAULT_WAY_H
#define SDI_TESTS_FAULT_WAY_H

#include <shopdata/shopdata.h>

#include "deeds.h"
#include "judge.h"

enum { BATCH_MAX = 12, NODE_LENGTH = 16 };

typedef struct way_options {
    const char *mode, *cache;
    int64_t coherence_ms; /* of the cache in the process; 0: there is none */
    uint64_t seed;
} way_options;

typedef struct question {
    enum ask ask;
    size_t n;
} question;

typedef struct answer {
    sighting seen[SIGHTINGS_MAX];
    size_t count;
    int64_t sum;
    bool cached; /* it might have come from the cache: its freshness is promised */
    int source;  /* enum shopdata_source */
    int64_t age_ms, staleness_ms;
    char node[NODE_LENGTH];
} answer;

/* What a write says that it wrote. */
typedef struct outcome {
    int status; /* enum shopdata_status */
    size_t count;
    size_t rows[SIGHTINGS_MAX];
    int64_t versions[SIGHTINGS_MAX];
} outcome;

/* open makes what all threads of a process share; visit a session, for one thread; token and advance may be NULL. ask
 * gives a status and, with 0, an answer to each question; write always fills the outcome. */
typedef struct way {
    void *(*open)(const way_options *options);
    void *(*visit)(void *opened);
    void (*leave)(void *visit);
    const char *(*token)(void *visit); /* for the same user's next session, anywhere; NULL: there is none */
    bool (*advance)(void *visit, const char *token);
    int (*ask)(void *visit, const question *questions, size_t count, answer *answers);
    void (*write)(void *visit, enum deed deed, size_t n, outcome *out);
    void (*forget)(void *visit, size_t row); /* says that a row was written by others; NULL: it cannot */
    bool promises;                           /* what it breaks is a failure */
} way;

extern const way through_library, as_peers;

/* answer_add puts a row into the answer; false if it has no place. */
bool answer_add(answer *a, int64_t row, int64_t version, const char *payload, size_t length);
/* give_up ends the program, with the reason: for what is wrong with the test itself. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* environment is a variable that must be set. */
const char *environment(const char *name);

#endif
