/* json.h - writes JSON, a line at a time. Keys are written as they are: they are ours. A key is NULL within an array.
 * Numbers that are not finite have no place in JSON and are written as 0: none of ours should be. */
#ifndef LOAD_JSON_H
#define LOAD_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct load_json {
    FILE *file;
    bool follows; /* a comma comes before the next thing */
} load_json;

void load_json_begin(load_json *json, const char *key);
void load_json_end(load_json *json);
void load_json_begin_array(load_json *json, const char *key);
void load_json_end_array(load_json *json);
void load_json_text(load_json *json, const char *key, const char *text);
void load_json_count(load_json *json, const char *key, uint64_t count);
void load_json_flag(load_json *json, const char *key, bool flag);
/* load_json_number writes with so many decimals. */
void load_json_number(load_json *json, const char *key, double number, int decimals);
/* load_json_line ends the line and hands it on at once. False if nobody takes it: the reader has gone, the disk is
 * full. */
bool load_json_line(load_json *json);

#endif
