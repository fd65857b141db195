/* deeds.h - the statements of a run: what is asked, what is written, and of which rows each is. */
#ifndef SDI_TESTS_FAULT_DEEDS_H
#define SDI_TESTS_FAULT_DEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge.h"

enum { PARAMS_MAX = 3 };

enum ask {
    BY_KEY,       /* an item: hangs on its row */
    BY_GROUP,     /* a range of items: hangs on the table */
    SUM,          /* of the versions of such a range */
    JOINED,       /* an item and its detail */
    PAIR,         /* two rows that are written together, by a range */
    PAIR_BY_KEYS, /* the same by both keys */
    COMER,        /* one that may not be there */
    COMERS,       /* a range of such */
    DIARY,        /* one that has a single writer */
    ARRIVAL,      /* one that arrived lately, or is about to */
    UNCACHED,     /* an item, past the cache */
    UNCACHED_PAIR,
    SHORT_LIVED, /* an item under a policy with a short TTL, `stale` and a lease */
    ASKS
};

enum deed {
    RAISE,       /* an item, by key */
    RAISE_GROUP, /* a range of items in one statement */
    RAISE_DETAIL,
    RAISE_BOTH, /* an item and its detail in a transaction */
    RAISE_PAIR, /* both rows of a pair in a transaction */
    TURN,       /* a comer comes or goes: a transaction */
    KEEP_DIARY, /* the thread's own */
    ARRIVE,     /* a row is inserted whose key the database gives */
    DEEDS
};

typedef struct ask_form {
    const char *name, *sql, *policy;
    size_t choices; /* parameters from 0 to below this */
    bool cached;
    bool sum;      /* the answer is one number */
    bool together; /* its rows have one version */
} ask_form;

typedef struct deed_form {
    const char *name;
    size_t choices;
    size_t steps; /* more than one: in a transaction */
    const char *sql[2];
    unsigned weight;
} deed_form;

extern const ask_form asks[ASKS];
extern const deed_form deeds[DEEDS];
/* The second step of TURN in place of deeds[].sql[1], where the comer goes. */
extern const char deed_leaves[];

/* ask_rows, deed_rows: which rows that is about; at most SIGHTINGS_MAX. */
size_t ask_rows(enum ask ask, size_t n, size_t *rows);
size_t deed_rows(enum deed deed, size_t n, size_t *rows);
/* ask_about asks for this row by its key, or with those that go with it; where its statements' parameter is. */
enum ask ask_about(size_t row, size_t *n_out);
/* ask_params, deed_params: the parameters of the statement, or of a step of it; how many. */
size_t ask_params(enum ask ask, size_t n, int64_t params[PARAMS_MAX]);
size_t deed_params(enum deed deed, size_t step, size_t n, int64_t version, int64_t params[PARAMS_MAX]);

#endif
