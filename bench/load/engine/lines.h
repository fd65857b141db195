/* lines.h - the lines that a run prints, as FORMAT.md tells them. */
#ifndef LOAD_LINES_H
#define LOAD_LINES_H

#include "crew.h"
#include "host.h"
#include "library.h"
#include "plan.h"

/* What all lines have, and whether they still find a reader. */
typedef struct load_lines {
    load_json json;
    const char *label; /* or NULL */
    bool failed;
} load_lines;

/* load_line_begin writes what every line begins with; load_line_end ends it, and notes if nobody takes it. */
void load_line_begin(load_lines *lines, const char *type);
void load_line_end(load_lines *lines);
/* load_line_times writes an object of times; a histogram that was not made is empty. */
void load_line_times(load_json *json, const char *key, const load_histogram *histogram, bool with_buckets);

/* load_print_start tells all that it takes to do the same again. */
void load_print_start(load_lines *lines, const load_plan *plan, const load_shop *shop, int count, char **arguments);

/* How a phase goes: what `second` and `result` tell of, and what was so before. */
typedef struct load_progress {
    const load_crew *crew;
    load_histogram *before, *latest; /* of the latency: until the last second, and in it */
    uint64_t counts[LOAD_COUNTS], sources[LOAD_SOURCES], intended;
    load_usage began, last;
    shopdata_metrics *metrics_began, *metrics_last;
    load_by_node lag_ms, connections; /* the highest of the seconds */
    double began_unix_s;
    double strained_seconds; /* in which this process or the machine had used up its processors */
    unsigned second;
    uint64_t access_began; /* of a trace */
} load_progress;

/* load_progress_begin is false without memory; load_progress_end also after that. */
bool load_progress_begin(load_progress *progress, const load_crew *crew);
void load_progress_end(load_progress *progress);

void load_print_second(load_lines *lines, load_progress *progress);
void load_print_result(load_lines *lines, load_progress *progress, const char *ended);

#endif
