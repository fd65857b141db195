/* text.h - a text that grows, with room for most values of a query where it lies: on the stack. Knows no Python. */
#ifndef SDB_TEXT_H
#define SDB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SDB_TEXT_ROOM = 200 };

/* Without memory `failed` is set, and nothing is appended from then on: ask once, at the end. */
typedef struct sdb_text {
    char *data;
    size_t length, capacity;
    bool failed;
    char room[SDB_TEXT_ROOM];
} sdb_text;

/* sdb_text_begin makes an empty text; one that moves house afterwards is broken (`data` points into it). */
void sdb_text_begin(sdb_text *text);
void sdb_text_end(sdb_text *text);

/* sdb_text_extend makes `length` more bytes part of the text and returns where they begin; NULL without memory. */
char *sdb_text_extend(sdb_text *text, size_t length);
void sdb_text_append(sdb_text *text, const char *data, size_t length);
void sdb_text_char(sdb_text *text, char c);
void sdb_text_decimal(sdb_text *text, int64_t number);
void sdb_text_printf(sdb_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* sdb_text_hex appends bytes as PostgreSQL writes a bytea: \x and two digits each. */
void sdb_text_hex(sdb_text *text, const unsigned char *bytes, size_t length);

/* sdb_text_quote puts what stands from `begin` on into double quotes, as an element of an array. */
void sdb_text_quote(sdb_text *text, size_t begin);

#endif
