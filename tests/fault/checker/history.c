#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shopdata/shopdata.h>

#include "deeds.h"

enum { WRITES_TOLD = 24, READS_TOLD = 12, NOTES_TOLD = 16, TEXT_MAX = 16384 };

static const char *const sources[SOURCES] = {"?", "cache", "replica", "primary", "stale", "local"};

typedef struct entry {
    event what;
    size_t process;
} entry;

static bool belongs(const event *one, size_t row)
{
    return atomic_load(&one->order) && (one->happening == NOTED || (one->happening != NOTHING && one->row == row));
}

static int by_order(const void *a, const void *b)
{
    uint64_t x = ((const entry *)a)->what.order, y = ((const entry *)b)->what.order;
    return (x > y) - (x < y);
}

/* All that the rings still have of it, in its order. */
static entry *gather(shared *all, size_t row, size_t *count_out)
{
    entry *made = malloc(SLOTS * RING * sizeof *made);
    size_t count = 0;
    for (size_t s = 0; made && s < SLOTS; s++)
        for (size_t i = 0; i < RING; i++)
            if (belongs(&all->slots[s].ring[i], row))
                made[count++] = (entry){all->slots[s].ring[i], s};
    if (made)
        qsort(made, count, sizeof *made, by_order);
    *count_out = count;
    return made;
}

static size_t say_read(char *text, size_t size, const event *one)
{
    return (size_t)snprintf(
        text, size, "read %s, begun after %llu: version %lld from %s (%s), age %lld ms, staleness %lld ms",
        asks[one->kind].name, (unsigned long long)one->began, (long long)one->version, sources[one->source % SOURCES],
        one->text, (long long)one->age_ms, (long long)one->staleness_ms);
}

static size_t say_what(char *text, size_t size, const event *one)
{
    switch (one->happening) {
    case ATTEMPTED:
        return (size_t)snprintf(text, size, "begins to write (%s)", deeds[one->kind].name);
    case WROTE:
        return (size_t)snprintf(text, size, "write (%s) returned %s, version %lld", deeds[one->kind].name,
                                shopdata_status_name(one->status), (long long)one->version);
    case READ:
        return say_read(text, size, one);
    case OBSERVED:
        return (size_t)snprintf(text, size, "the observer saw version %lld on the primary", (long long)one->version);
    default:
        return (size_t)snprintf(text, size, "-- %s", one->text);
    }
}

static size_t say(char *text, size_t size, const event *one, size_t process)
{
    size_t length =
        (size_t)snprintf(text, size, "  %10llu  process %zu thread %u session %u: ", (unsigned long long)one->order,
                         process, one->thread, one->session);
    length += say_what(text + length, size - length, one);
    return length + (size_t)snprintf(text + length, size - length, "\n");
}

/* Of each kind the last ones; where the telling begins. */
static size_t skip(const entry *entries, size_t count, bool *told)
{
    size_t left[] = {[ATTEMPTED] = WRITES_TOLD,
                     [WROTE] = WRITES_TOLD,
                     [READ] = READS_TOLD,
                     [OBSERVED] = READS_TOLD,
                     [NOTED] = NOTES_TOLD};
    size_t first = count;
    for (size_t i = count; i-- > 0;) {
        told[i] = left[entries[i].what.happening] > 0;
        left[entries[i].what.happening] -= told[i];
        first = told[i] ? i : first;
    }
    return first;
}

static size_t say_all(char *text, size_t size, const entry *entries, size_t count)
{
    size_t length = 0;
    bool *told = calloc(count + 1, sizeof *told);
    for (size_t i = told ? skip(entries, count, told) : count; i < count && length < size; i++)
        if (told[i])
            length += say(text + length, size - length, &entries[i].what, entries[i].process);
    free(told);
    return length < size ? length : size - 1;
}

static size_t say_accusation(char *text, size_t size, const accusation *of)
{
    const bounds *b = &of->limits;
    size_t length =
        (size_t)snprintf(text, size, "VIOLATION %s: row %zu: session %u of thread %u: ", verdict_names[of->verdict],
                         of->row, of->read.session, of->read.thread);
    length += say_read(text + length, size - length, &of->read);
    return length +
           (size_t)snprintf(text + length, size - length,
                            "\n  before it began: acknowledged or observed %lld, written by the session %lld, seen by"
                            " it %lld; attempted until its end: %lld (0: not promised for this read)\n",
                            (long long)b->acknowledged, (long long)b->own, (long long)b->seen, (long long)b->attempted);
}

void history_tell(shared *all, const accusation *of)
{
    size_t count, length;
    char *text = malloc(TEXT_MAX);
    entry *entries = gather(all, of->row, &count);
    if (text && entries) {
        length = say_accusation(text, TEXT_MAX, of);
        length += say_all(text + length, TEXT_MAX - length, entries, count);
        if (write(STDOUT_FILENO, text, length) < 0)
            perror("freshness");
    }
    free(entries);
    free(text);
}
