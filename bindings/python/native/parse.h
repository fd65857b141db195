/* parse.h - values as PostgreSQL writes them (DateStyle ISO, IntervalStyle postgres, bytea as hex: the library pins
 * these). Knows no Python, and believes nothing: any bytes may come. Where a function answers false, the text is none
 * of its type's, or a value that Python's type cannot hold; nothing is written then. */
#ifndef SDB_PARSE_H
#define SDB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

typedef struct sdb_slice {
    const char *data;
    size_t length;
} sdb_slice;

typedef struct sdb_date {
    int year, month, day;
} sdb_date;

typedef struct sdb_time {
    int hour, minute, second, microsecond;
} sdb_time;

/* As timedelta keeps it: 0 <= seconds < 86400, 0 <= microseconds < 1000000. */
typedef struct sdb_span {
    int days, seconds, microseconds;
} sdb_span;

bool sdb_parse_int64(sdb_slice text, int64_t *number);
/* "\x00ff" into half as many bytes at `bytes`: (length - 2) / 2 of them. */
bool sdb_parse_hex(sdb_slice text, unsigned char *bytes);
/* The 32 digits of a UUID without its hyphens, and a zero byte. */
bool sdb_parse_uuid(sdb_slice text, char digits[33]);

/* Years 1 to 9999; not "infinity", not BC. */
bool sdb_parse_date(sdb_slice text, sdb_date *date);
/* Below 24:00. */
bool sdb_parse_time(sdb_slice text, sdb_time *time);
/* *offset is in seconds east of Greenwich, above -86400 and below 86400. */
bool sdb_parse_timetz(sdb_slice text, sdb_time *time, int *offset);
bool sdb_parse_timestamp(sdb_slice text, sdb_date *date, sdb_time *time);
bool sdb_parse_timestamptz(sdb_slice text, sdb_date *date, sdb_time *time, int *offset);
/* No months, no years: they have no fixed length. */
bool sdb_parse_interval(sdb_slice text, sdb_span *span);

enum sdb_array_token { SDB_ARRAY_BAD, SDB_ARRAY_OPEN, SDB_ARRAY_CLOSE, SDB_ARRAY_ITEM, SDB_ARRAY_NULL, SDB_ARRAY_END };
enum { SDB_ARRAY_DEPTH_MAX = 6 }; /* PostgreSQL's MAXDIM */

/* An array being read: token by token until SDB_ARRAY_END or SDB_ARRAY_BAD. */
typedef struct sdb_array {
    const char *at, *end;
    int depth;
    bool after_value; /* a comma or a brace must come */
    bool opened;      /* a closing brace may come at once */
    sdb_slice item;   /* of SDB_ARRAY_ITEM; until the next token */
    sdb_text unescaped;
} sdb_array;

void sdb_array_begin(sdb_array *array, sdb_slice text);
enum sdb_array_token sdb_array_next(sdb_array *array);
void sdb_array_end(sdb_array *array);

#endif
