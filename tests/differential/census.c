#include "census.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/* Under these a run proves nothing. Kinds are asked for only where there was time to see them all. */
enum { HIT_PERCENT = 25, KEPT_PERCENT = 10, KINDS_HIT_PERCENT = 60, PHASES_FOR_KINDS = 400, TRIED_OFTEN = 60 };

static tally *entry(sdi_map *kinds, const char *kind)
{
    tally *found = sdi_map_get(kinds, sdi_slice_of(kind));
    if (found)
        return found;
    found = sdi_calloc(1, sizeof *found);
    if (!found || !sdi_map_set(kinds, sdi_slice_of(kind), found))
        abort();
    return found;
}

static void count(sdi_map *kinds, const sentence *of, enum outcome outcome, bool cached)
{
    tally *at = entry(kinds, of->kind);
    at->outcomes[outcome]++;
    at->uncached += outcome == OUTCOME_GOOD && !cached;
    if (!at->example)
        at->example = sdi_strdup(of->steps[0].sql);
}

void census_read(census *of, const sentence *read, enum outcome outcome, bool cached)
{
    count(&of->reads, read, outcome, cached);
}

void census_write(census *of, const sentence *group, enum outcome outcome)
{
    count(&of->writes, group, outcome, true);
}

static void free_kinds(sdi_map *kinds)
{
    size_t cursor = 0;
    for (tally *at; (at = sdi_map_next(kinds, &cursor, NULL)); sdi_free(at))
        sdi_free(at->example);
    sdi_map_free(kinds);
}

void census_free(census *of)
{
    free_kinds(&of->reads);
    free_kinds(&of->writes);
}

/* -------------------------------------------------------------------------------------------------------- printing */

typedef struct sums {
    size_t outcomes[OUTCOMES], uncached, kinds, kinds_hit, kinds_never_good;
} sums;

static size_t tried(const tally *at)
{
    return at->outcomes[OUTCOME_GOOD] + at->outcomes[OUTCOME_HIT] + at->outcomes[OUTCOME_SQL_ERROR] +
           at->outcomes[OUTCOME_REFUSED];
}

/* Its errors are all that it is for. */
static bool is_meant_to_fail(sdi_slice kind)
{
    return kind.length > 7 && !memcmp(kind.data, "broken_", 7);
}

static sums add_up(const sdi_map *kinds)
{
    sums all = {0};
    size_t cursor = 0;
    sdi_slice kind;
    for (const tally *at; (at = sdi_map_next(kinds, &cursor, &kind));) {
        for (size_t i = 0; i < OUTCOMES; i++)
            all.outcomes[i] += at->outcomes[i];
        bool good = at->outcomes[OUTCOME_GOOD] || at->outcomes[OUTCOME_HIT] || at->outcomes[OUTCOME_REFUSED];
        all.uncached += at->uncached;
        all.kinds++;
        all.kinds_hit += at->outcomes[OUTCOME_HIT] > 0;
        all.kinds_never_good += !good && tried(at) >= TRIED_OFTEN && !is_meant_to_fail(kind);
    }
    return all;
}

static void print_kind(sdi_slice kind, const tally *at)
{
    printf("  %-24.*s %6zu hit %6zu asked %6zu uncached %5zu failed %5zu refused  %.90s\n", (int)kind.length, kind.data,
           at->outcomes[OUTCOME_HIT], at->outcomes[OUTCOME_GOOD], at->uncached, at->outcomes[OUTCOME_SQL_ERROR],
           at->outcomes[OUTCOME_REFUSED], at->example);
}

static void print_kinds(const sdi_map *kinds)
{
    size_t cursor = 0;
    sdi_slice kind;
    for (const tally *at; (at = sdi_map_next(kinds, &cursor, &kind));)
        print_kind(kind, at);
}

static size_t percent(size_t part, size_t whole)
{
    return whole ? part * 100 / whole : 0;
}

void census_print(const census *of, bool details)
{
    sums reads = add_up(&of->reads), writes = add_up(&of->writes);
    size_t answered = reads.outcomes[OUTCOME_HIT] + reads.outcomes[OUTCOME_GOOD];
    if (details) {
        print_kinds(&of->reads);
        print_kinds(&of->writes);
    }
    printf("%zu trials, %zu phases, %zu answers compared\n", of->trials, of->phases, of->compared);
    printf("reads: %zu hits (%zu %%), %zu of them over writes, %zu asked, %zu not cached, %zu failed, %zu refused; "
           "%zu kinds, %zu of them hit\n",
           reads.outcomes[OUTCOME_HIT], percent(reads.outcomes[OUTCOME_HIT], answered), of->kept,
           reads.outcomes[OUTCOME_GOOD], reads.uncached, reads.outcomes[OUTCOME_SQL_ERROR],
           reads.outcomes[OUTCOME_REFUSED], reads.kinds, reads.kinds_hit);
    printf("writes: %zu good, %zu failed, %zu refused; %zu kinds\n", writes.outcomes[OUTCOME_GOOD],
           writes.outcomes[OUTCOME_SQL_ERROR], writes.outcomes[OUTCOME_REFUSED], writes.kinds);
}

static bool below(const char *what, size_t part, size_t whole, size_t floor)
{
    if (percent(part, whole) >= floor)
        return false;
    printf("vacuous: %s: %zu of %zu, under %zu %%\n", what, part, whole, floor);
    return true;
}

static void print_never_good(const sdi_map *kinds)
{
    size_t cursor = 0;
    sdi_slice kind;
    for (const tally *at; (at = sdi_map_next(kinds, &cursor, &kind));)
        if (at->outcomes[OUTCOME_SQL_ERROR] == tried(at) && tried(at) >= TRIED_OFTEN && !is_meant_to_fail(kind))
            print_kind(kind, at);
}

bool census_is_vacuous(const census *of)
{
    sums reads = add_up(&of->reads), writes = add_up(&of->writes);
    size_t hits = reads.outcomes[OUTCOME_HIT], answered = hits + reads.outcomes[OUTCOME_GOOD];
    bool vacuous = below("hits", hits, answered, HIT_PERCENT);
    vacuous |= below("hits on what was cached before a write", of->kept, answered, KEPT_PERCENT);
    vacuous |= below("writes that succeeded", writes.outcomes[OUTCOME_GOOD],
                     writes.outcomes[OUTCOME_GOOD] + writes.outcomes[OUTCOME_SQL_ERROR], 40);
    if (of->phases >= PHASES_FOR_KINDS)
        vacuous |= below("kinds of reads that were hit", reads.kinds_hit, reads.kinds, KINDS_HIT_PERCENT);
    if (reads.kinds_never_good || writes.kinds_never_good) {
        printf("vacuous: these failed each time:\n");
        print_never_good(&of->reads);
        print_never_good(&of->writes);
        vacuous = true;
    }
    return vacuous;
}
