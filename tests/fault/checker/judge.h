/* judge.h - what an answer may show, decided without a clock and without a server.
 *
 * Bounds are versions. The lower ones are taken before the read begins: a row may show no less. The upper one is taken
 * when it has ended: nobody can have written more. */
#ifndef SDI_TESTS_FAULT_JUDGE_H
#define SDI_TESTS_FAULT_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGHTINGS_MAX = 16 };

enum verdict {
    FINE,
    STALE,     /* older than a write that had returned before the read began */
    OWN_LOST,  /* older than what the session itself wrote */
    WENT_BACK, /* older than what the session saw before */
    INVENTED,  /* newer than anything that was written, or a row that was not asked for */
    DAMAGED,   /* not the payload of its version */
    TORN,      /* two rows that are written together, not together */
    MISSING,   /* not there, though it is never deleted */
    VERDICTS
};

extern const char *const verdict_names[VERDICTS];

typedef struct bounds {
    int64_t acknowledged; /* of all whose writes had returned; 0: not promised for this read */
    int64_t own, seen;    /* of this session */
    int64_t attempted;
} bounds;

/* A row as an answer shows it. */
typedef struct sighting {
    size_t row;
    int64_t version;
    bool intact;
} sighting;

/* judge_present, judge_absent: of one row that is there, or is not. */
enum verdict judge_present(const bounds *b, const sighting *seen);
enum verdict judge_absent(const bounds *b, size_t row);
/* judge_sum: of the sum of the versions of rows, each with its bounds. */
enum verdict judge_sum(const bounds *b, size_t count, int64_t sum);

/* judge_answer holds the rows of an answer against the rows that it is about: `bounds` are theirs. The first fault that
 * it finds, with the row in *row_out. `together`: all have one version. */
enum verdict judge_answer(const size_t *rows, const bounds *b, size_t count, bool together, const sighting *seen,
                          size_t seen_count, size_t *row_out);

#endif
