#include "json.h"

#include <inttypes.h>
#include <math.h>

static void write_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(file, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(file, "\\u%04x", *at);
        else
            fputc(*at, file);
    }
    fputc('"', file);
}

static void before(load_json *json, const char *key)
{
    if (json->follows)
        fputc(',', json->file);
    json->follows = true;
    if (key) {
        write_text(json->file, key);
        fputc(':', json->file);
    }
}

void load_json_begin(load_json *json, const char *key)
{
    before(json, key);
    fputc('{', json->file);
    json->follows = false;
}

void load_json_end(load_json *json)
{
    fputc('}', json->file);
    json->follows = true;
}

void load_json_begin_array(load_json *json, const char *key)
{
    before(json, key);
    fputc('[', json->file);
    json->follows = false;
}

void load_json_end_array(load_json *json)
{
    fputc(']', json->file);
    json->follows = true;
}

void load_json_text(load_json *json, const char *key, const char *text)
{
    before(json, key);
    write_text(json->file, text);
}

void load_json_count(load_json *json, const char *key, uint64_t count)
{
    before(json, key);
    fprintf(json->file, "%" PRIu64, count);
}

void load_json_flag(load_json *json, const char *key, bool flag)
{
    before(json, key);
    fputs(flag ? "true" : "false", json->file);
}

void load_json_number(load_json *json, const char *key, double number, int decimals)
{
    before(json, key);
    fprintf(json->file, "%.*f", decimals, isfinite(number) ? number : 0);
}

bool load_json_line(load_json *json)
{
    fputc('\n', json->file);
    json->follows = false;
    return fflush(json->file) == 0;
}
