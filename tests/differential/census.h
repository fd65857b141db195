/* census.h - what a run really did, by kind of statement: a run that cached nothing finds nothing. */
#ifndef SDI_TESTS_DIFFERENTIAL_CENSUS_H
#define SDI_TESTS_DIFFERENTIAL_CENSUS_H

#include <stdbool.h>

#include "base/map.h"
#include "statement.h"

enum outcome { OUTCOME_GOOD, OUTCOME_HIT, OUTCOME_SQL_ERROR, OUTCOME_REFUSED, OUTCOMES };

typedef struct tally {
    size_t outcomes[OUTCOMES];
    size_t uncached; /* good, and the plan says that it is not cached */
    char *example;
} tally;

typedef struct census {
    sdi_map reads, writes;                 /* tally *, by kind */
    size_t trials, phases, compared, kept; /* kept: hits on what was cached before a phase's writes */
} census;

/* census_read and census_write count one statement. */
void census_read(census *of, const sentence *read, enum outcome outcome, bool cached);
void census_write(census *of, const sentence *group, enum outcome outcome);
void census_free(census *of);

/* census_print tells the sums; with `details` every kind, too. */
void census_print(const census *of, bool details);
/* census_is_vacuous prints why the run proves nothing, if it does not. */
bool census_is_vacuous(const census *of);

#endif
