/* shared.h - the memory that all processes of a run share: what has been written, who counts what, what happened last.
 *
 * A process may die at any step, so nothing here is locked; each number has one atomic operation. */
#ifndef SDI_TESTS_FAULT_SHARED_H
#define SDI_TESTS_FAULT_SHARED_H

#include <stdatomic.h>

#include "deeds.h"
#include "judge.h"
#include "rows.h"

enum {
    SLOTS = 16,
    RING = 1 << 14,
    NOTE_LENGTH = 72,
    SOURCES = 6,
    STATUSES = 24,
    STATUS_ZERO = 20,
    ACKNOWLEDGED = 32, /* of a row: so many are known by when; that is some seconds of the busiest */
    LETTERS = 64,
    LETTER_ROWS = 8,
    TOKEN_LENGTH = 1600
};

enum happening { NOTHING, ATTEMPTED, WROTE, READ, OBSERVED, NOTED };

/* What happened to a row, or what the conductor did. `order` is the monotonic number by which all are sorted. */
typedef struct event {
    _Atomic uint64_t order;
    uint8_t happening, kind, source;
    int8_t status;
    uint32_t row, session, thread;
    int64_t version, staleness_ms, age_ms;
    uint64_t began; /* of a read: the order at its beginning */
    char text[NOTE_LENGTH];
} event;

/* What a process may count. Its successor in the slot goes on counting. */
typedef struct slot {
    _Atomic uint64_t reads[ASKS][SOURCES];
    _Atomic uint64_t verdicts[ASKS][VERDICTS];
    _Atomic uint64_t failed_reads[STATUSES]; /* by status + STATUS_ZERO */
    _Atomic uint64_t writes[DEEDS][STATUSES];
    _Atomic uint64_t exempt[2]; /* while servers were well, while they were ill */
    _Atomic uint64_t observed;
    _Atomic uint64_t carried; /* tokens */
    _Atomic uint64_t next;
    event ring[RING];
} slot;

/* What a session leaves to the next of the same user, in whatever process that begins: its token, and what the rows
 * that it wrote or read past the cache must show from then on. `state` is whose it is; of a process that dies it is
 * lost. */
enum letter_state { LETTER_FREE, LETTER_TAKEN, LETTER_SENT };

typedef struct letter {
    _Atomic int state;
    char token[TOKEN_LENGTH];
    size_t count;
    size_t rows[LETTER_ROWS];
    int64_t own[LETTER_ROWS], seen[LETTER_ROWS][2];
} letter;

typedef struct row_state {
    _Atomic int64_t attempted;    /* no version above this one can stand */
    _Atomic int64_t acknowledged; /* the highest whose write has returned 0 */
    _Atomic int64_t observed;     /* the highest that an observer saw at the primary */
    _Atomic uint32_t next;
    _Atomic uint64_t
        when[ACKNOWLEDGED]; /* the last acknowledged: a version, and the moment by which its write had returned */
} row_state;

typedef struct shared {
    _Atomic uint64_t order;
    _Atomic int stop, ill, calm;
    _Atomic int promoted;    /* the replica that is the primary now; 0: none */
    _Atomic int looks;       /* who lost the answer to a COMMIT looks what became of it */
    _Atomic int64_t arrived; /* the last row that is known to have arrived */
    int64_t began_us;        /* on the clock that all processes of a machine share, which nobody sets */
    _Atomic uint64_t broken; /* violations of what is promised */
    row_state rows[ROWS];
    letter letters[LETTERS];
    slot slots[SLOTS];
} shared;

/* shared_make makes the file and begins with the rows as they are inserted; shared_attach maps one that there is. Both
 * end the program where that fails. */
shared *shared_make(const char *path);
shared *shared_attach(const char *path);
/* shared_moment is now, in microseconds since the run began. */
int64_t shared_moment(const shared *all);
/* shared_acknowledge notes that a write has returned 0; shared_acknowledged is the highest version of the row that is
 * known to have been acknowledged by a moment. What is known by then stays true: it may be less than there was, never
 * more. */
void shared_acknowledge(shared *all, size_t row, int64_t version);
int64_t shared_acknowledged(const shared *all, size_t row, int64_t moment);
/* raise_to makes it the maximum of both. */
void raise_to(_Atomic int64_t *value, int64_t to);
/* shared_event puts one into the ring, in its order. */
void shared_event(shared *all, slot *mine, event what);
void shared_note(shared *all, slot *mine, const char *text);

#endif
