/* rows.h - the rows that are read and written, numbered through all tables: a row's number is its primary key.
 *
 * Each has a version that its writes raise by one, and a payload that follows from number and version, so that a row
 * that nobody wrote, or half of two rows, shows. */
#ifndef SDI_TESTS_FAULT_ROWS_H
#define SDI_TESTS_FAULT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ITEMS = 1024,         /* read by key and by group, written most */
    DETAILS = ITEMS,      /* one an item, joined to it */
    PAIR_ROWS = 64,       /* rows of which two are always written together */
    DIARY_ROWS = 64,      /* rows that have one writer each, a thread that is never killed */
    COMER_ROWS = 64,      /* rows that come and go: inserted where the version is odd, deleted where it is even */
    ARRIVAL_ROWS = 16384, /* rows that are inserted once, with a key that the database gives them */
    GROUP = 8,            /* rows that a range reads */
    FIRST_DETAIL = ITEMS,
    FIRST_PAIR = FIRST_DETAIL + DETAILS,
    FIRST_DIARY = FIRST_PAIR + PAIR_ROWS,
    FIRST_COMER = FIRST_DIARY + DIARY_ROWS,
    FIRST_ARRIVAL = FIRST_COMER + COMER_ROWS,
    PAYLOAD_MAX = 256,
    ROWS = FIRST_ARRIVAL + ARRIVAL_ROWS
};

static inline bool row_comes_and_goes(size_t row)
{
    return row >= FIRST_COMER;
}

/* row_table: what its table is called, as tags have it. */
static inline const char *row_table(size_t row)
{
    return row < FIRST_DETAIL    ? "items"
           : row < FIRST_PAIR    ? "details"
           : row < FIRST_DIARY   ? "pairs"
           : row < FIRST_COMER   ? "diaries"
           : row < FIRST_ARRIVAL ? "comers"
                                 : "arrivals";
}

/* The version with which a row begins. Which row arrives next is not known before it has: all may. */
static inline int64_t row_first_version(size_t row)
{
    return row_comes_and_goes(row) ? 0 : 1;
}

static inline int64_t row_first_attempt(size_t row)
{
    return row < FIRST_ARRIVAL ? row_first_version(row) : 1;
}

/* row_payload writes the payload of that version of a row, PAYLOAD_MAX bytes at most; its length. row_intact: is this
 * the payload of that version of the row? */
size_t row_payload(int64_t row, int64_t version, char *payload);
bool row_intact(int64_t row, int64_t version, const char *payload, size_t length);

/* rows_schema makes the tables: SQL for the primary. */
extern const char rows_schema[];

#endif
