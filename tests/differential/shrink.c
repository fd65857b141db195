/* shrink.c - what is told of a difference, and the shortest history that still ends in it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "play.h"

typedef struct history {
    event *events;
    size_t count;
} history;

typedef struct shrinking {
    trial *of;
    const difference *goal;
    int64_t deadline;
    size_t replays;
} shrinking;

static history whole(const trial *t)
{
    history all = {NULL, t->events.length / sizeof(event)};
    all.events = sdi_malloc(t->events.length + 1);
    ck_assert_ptr_nonnull(all.events);
    memcpy(all.events, t->events.data, t->events.length);
    return all;
}

/* Does this history end in a difference too? Its last event is the read. */
static bool differs(shrinking *s, const history *of)
{
    difference found;
    bool same_end;
    trial again = {.of = s->of->of, .cache = s->of->cache};
    memcpy(again.reads, s->of->reads, sizeof again.reads);
    trial_open(&again);
    for (size_t i = 0; i + 1 < of->count; i++)
        if (of->events[i].write)
            trial_write(&again, of->events[i].write, of->events[i].client);
        else
            trial_read(&again, of->events[i].read, of->events[i].client, NULL);
    const event *last = &of->events[of->count - 1];
    same_end = trial_read(&again, last->read, last->client, &found);
    if (same_end)
        difference_free(&found);
    trial_close(&again);
    s->replays++;
    return same_end;
}

/* Tries without the events from..from+count; the last one always stays. */
static bool cut(shrinking *s, history *of, size_t from, size_t count)
{
    size_t end = from + count < of->count - 1 ? from + count : of->count - 1;
    if (from >= end)
        return false;
    history shorter = {sdi_malloc(of->count * sizeof *of->events), of->count - (end - from)};
    ck_assert_ptr_nonnull(shorter.events);
    memcpy(shorter.events, of->events, from * sizeof *of->events);
    memcpy(shorter.events + from, of->events + end, (of->count - end) * sizeof *of->events);
    bool still = differs(s, &shorter);
    if (still) {
        sdi_free(of->events);
        *of = shorter;
    } else {
        sdi_free(shorter.events);
    }
    return still;
}

/* Without the reads of other statements; if it needs one of them, with all. */
static void keep_reads_of(shrinking *s, history *of)
{
    history fewer = {sdi_malloc(of->count * sizeof *of->events), 0};
    ck_assert_ptr_nonnull(fewer.events);
    for (size_t i = 0; i < of->count; i++)
        if (of->events[i].write || of->events[i].read == s->goal->read)
            fewer.events[fewer.count++] = of->events[i];
    bool still = differs(s, &fewer);
    sdi_free(still ? of->events : fewer.events);
    if (still)
        *of = fewer;
}

static void cut_all(shrinking *s, history *of)
{
    for (size_t size = of->count / 2; size; size /= 2)
        for (size_t from = of->count > size ? of->count - 1 - size : 0; sdi_now() < s->deadline;) {
            cut(s, of, from, size);
            if (!from)
                break;
            from = from > size ? from - size : 0;
        }
}

static void print_event(trial *t, const event *what)
{
    const step *steps = what->write ? what->write->steps : t->reads[what->read].of->steps;
    size_t count = what->write ? what->write->count : 1;
    for (size_t i = 0; i < count; i++) {
        const char *explain = trial_explain(t, what->client, &steps[i]);
        printf("  client %zu %s ", what->client + 1, what->write ? "writes" : "reads ");
        step_print(&steps[i], stdout);
        for (; explain && *explain; explain += strcspn(explain, "\n"), explain += *explain == '\n')
            printf("        %.*s\n", (int)strcspn(explain, "\n"), explain);
    }
}

void shrink(trial *t, const difference *found, int64_t deadline)
{
    shrinking s = {t, found, deadline, 0};
    history left = whole(t);
    if (!differs(&s, &left)) {
        printf("the same history does not end so again: it depends on when things happened\n");
    } else {
        keep_reads_of(&s, &left);
        cut_all(&s, &left);
        printf("the shortest history that ends so (%zu replays), after schema.sql:\n", s.replays);
        for (size_t i = 0; i < left.count; i++)
            print_event(t, &left.events[i]);
    }
    sdi_free(left.events);
}

void difference_print(trial *t, const difference *found)
{
    const reading *read = &t->reads[found->read];
    const event *events = (const event *)(const void *)t->events.data;
    size_t count = t->events.length / sizeof(event);
    event last = {.read = found->read, .client = found->client};
    printf("DIFFERENCE, seed %llu, at event %zu, %s:\n", (unsigned long long)t->seed, count, read->of->kind);
    print_event(t, &last);
    printf("the library answers\n  %s\nthe database\n  %s\nwritten since the database was asked, at event %zu:\n",
           found->cached, found->bare, read->asked);
    for (size_t i = read->asked; i < count; i++)
        if (events[i].write)
            print_event(t, &events[i]);
}
