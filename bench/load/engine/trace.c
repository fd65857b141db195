#include "trace.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbering.h"

struct reader {
    load_trace *trace;
    load_numbering numbering;
    const char *path;
    uint64_t line, room;
    double first; /* the first access's time */
    load_fault *fault;
};

static bool wrong(struct reader *reader, const char *why)
{
    return load_fail(reader->fault, "%s:%" PRIu64 ": %s; a line is a key, or a time in seconds, a blank, and a key",
                     reader->path, reader->line, why);
}

static bool no_memory(struct reader *reader)
{
    return load_fail(reader->fault, "%s: no memory for %" PRIu64 " accesses", reader->path, reader->room);
}

static bool make_room(struct reader *reader)
{
    load_trace *trace = reader->trace;
    if (trace->count < reader->room)
        return true;
    reader->room = reader->room ? reader->room * 2 : 4096;
    uint32_t *things = realloc(trace->things, reader->room * sizeof *things);
    if (things)
        trace->things = things;
    double *times = realloc(trace->times, reader->room * sizeof *times);
    if (times)
        trace->times = times;
    return (things && times) || no_memory(reader);
}

static bool keep(struct reader *reader, int64_t key, double time)
{
    load_trace *trace = reader->trace;
    if (!make_room(reader))
        return false;
    if (!load_numbering_of(&reader->numbering, key, &trace->things[trace->count]))
        return no_memory(reader);
    if (trace->count == 0)
        reader->first = time;
    trace->times[trace->count++] = time - reader->first;
    return true;
}

static bool read_key(struct reader *reader, const char *text, int64_t *key_out)
{
    char *end;
    errno = 0;
    *key_out = strtoll(text, &end, 10);
    if (end == text || errno || *end)
        return wrong(reader, "the key is no whole number");
    return true;
}

static bool read_time(struct reader *reader, const char *text, double *time_out)
{
    const load_trace *trace = reader->trace;
    char *end;
    *time_out = strtod(text, &end);
    if (end == text || !isspace((unsigned char)*end) || !isfinite(*time_out))
        return wrong(reader, "the time is no number");
    if (trace->count && *time_out - reader->first < trace->times[trace->count - 1])
        return wrong(reader, "the time is before that of the line above");
    return true;
}

/* Blanks at the end are cut off. */
static char *trimmed(char *line)
{
    size_t length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    return line + strspn(line, " \t");
}

static bool read_line(struct reader *reader, char *line, bool *has_times)
{
    const char *text = trimmed(line), *blank = strpbrk(text, " \t");
    int64_t key;
    double time = 0;
    if (!*text || *text == '#')
        return true;
    if (reader->trace->count && *has_times != (blank != NULL))
        return wrong(reader, *has_times ? "there is no time, as the lines above have" : "there is a time, or too much");
    *has_times = blank != NULL;
    if (blank && !read_time(reader, text, &time))
        return false;
    return read_key(reader, blank ? blank + strspn(blank, " \t") : text, &key) && keep(reader, key, time);
}

static bool read_lines(struct reader *reader, FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    bool has_times = false, good = true;
    for (reader->line = 1; good && getline(&line, &size, file) >= 0; reader->line++)
        good = read_line(reader, line, &has_times);
    free(line);
    if (good && ferror(file))
        return load_fail(reader->fault, "%s: cannot be read: %s", reader->path, strerror(errno));
    if (good && reader->trace->count == 0)
        return load_fail(reader->fault, "%s: there is no access in it", reader->path);
    if (!has_times) {
        free(reader->trace->times);
        reader->trace->times = NULL;
    }
    return good;
}

bool load_trace_read(load_trace *trace, const char *path, load_fault *fault)
{
    struct reader reader = {.trace = trace, .path = path, .fault = fault};
    *trace = (load_trace){0};
    FILE *file = fopen(path, "r");
    if (!file)
        return load_fail(fault, "%s: cannot be opened: %s", path, strerror(errno));
    bool good = read_lines(&reader, file);
    trace->distinct = reader.numbering.count;
    load_numbering_free(&reader.numbering);
    fclose(file);
    return good;
}

void load_trace_free(load_trace *trace)
{
    free(trace->things);
    free(trace->times);
    *trace = (load_trace){0};
}

double load_trace_span(const load_trace *trace)
{
    double last = trace->times[trace->count - 1];
    return last > 0 ? last + last / (double)(trace->count - 1) : 1;
}

double load_trace_time(const load_trace *trace, uint64_t access)
{
    return (double)(access / trace->count) * load_trace_span(trace) + trace->times[access % trace->count];
}
