#include "judge.h"

#include "rows.h"

const char *const verdict_names[VERDICTS] = {
    [FINE] = "fine",           [STALE] = "stale",       [OWN_LOST] = "own_write_lost",
    [WENT_BACK] = "went_back", [INVENTED] = "invented", [DAMAGED] = "damaged",
    [TORN] = "torn",           [MISSING] = "missing",
};

/* The session's own bounds come first: that promise holds where the others are suspended. */
static enum verdict judge_versions(const bounds *b, int64_t own, int64_t acknowledged, int64_t seen)
{
    if (own < b->own)
        return OWN_LOST;
    if (acknowledged < b->acknowledged)
        return STALE;
    return seen < b->seen ? WENT_BACK : FINE;
}

enum verdict judge_present(const bounds *b, const sighting *seen)
{
    bool deleted = row_comes_and_goes(seen->row) && seen->version % 2 == 0;
    if (!seen->intact)
        return DAMAGED;
    if (seen->version > b->attempted || deleted)
        return INVENTED;
    return judge_versions(b, seen->version, seen->version, seen->version);
}

/* Which version an absence shows is not told: the newest that may be, the last even one, speaks for it. */
enum verdict judge_absent(const bounds *b, size_t row)
{
    int64_t newest = b->attempted - b->attempted % 2;
    return row_comes_and_goes(row) ? judge_versions(b, newest, newest, newest) : MISSING;
}

enum verdict judge_sum(const bounds *b, size_t count, int64_t sum)
{
    bounds total = {0};
    for (size_t i = 0; i < count; i++) {
        total.acknowledged += b[i].acknowledged;
        total.own += b[i].own;
        total.seen += b[i].seen;
        total.attempted += b[i].attempted;
    }
    return sum > total.attempted ? INVENTED : judge_versions(&total, sum, sum, sum);
}

static const sighting *find(const sighting *seen, size_t count, size_t row)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i].row == row)
            return &seen[i];
    return NULL;
}

static bool asked_for(const size_t *rows, size_t count, const sighting *seen, size_t seen_count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += find(seen, seen_count, rows[i]) != NULL;
    return found == seen_count;
}

enum verdict judge_answer(const size_t *rows, const bounds *b, size_t count, bool together, const sighting *seen,
                          size_t seen_count, size_t *row_out)
{
    *row_out = rows[0];
    if (!asked_for(rows, count, seen, seen_count))
        return INVENTED;
    for (size_t i = 0; i < count; i++) {
        const sighting *one = find(seen, seen_count, rows[i]);
        enum verdict verdict = one ? judge_present(&b[i], one) : judge_absent(&b[i], rows[i]);
        *row_out = rows[i];
        if (verdict != FINE)
            return verdict;
        if (together && one->version != seen[0].version)
            return TORN;
    }
    return FINE;
}
