/* history.h - how it came to an answer that must not be. */
#ifndef SDI_TESTS_FAULT_HISTORY_H
#define SDI_TESTS_FAULT_HISTORY_H

#include "shared.h"

typedef struct accusation {
    enum verdict verdict;
    size_t row;
    bounds limits;
    event read;
} accusation;

/* history_tell prints the read, its bounds, and what happened to the row and around it, in one piece. */
void history_tell(shared *all, const accusation *of);

#endif
