#include "versions.h"

#include <stdlib.h>

enum { KEPT_FEWEST = 4, KEPT_MOST = 64 };

/* A row of which a version this young would have to be forgotten has room made for more: reads last that long. */
#define YOUNG_NS INT64_C(1000000000)

struct acknowledged {
    int64_t version, at_ns;
};

struct load_row_versions {
    unsigned count, room;
    struct acknowledged kept[]; /* the newest versions, ascending */
};

bool load_versions_open(load_versions *versions, uint64_t count)
{
    versions->count = count;
    versions->rows = calloc(count + 1, sizeof *versions->rows);
    for (size_t i = 0; i < LOAD_VERSION_LOCKS; i++)
        pthread_mutex_init(&versions->locks[i], NULL);
    return versions->rows != NULL;
}

void load_versions_close(load_versions *versions)
{
    for (uint64_t key = 0; versions->rows && key <= versions->count; key++)
        free(atomic_load_explicit(&versions->rows[key], memory_order_relaxed));
    free(versions->rows);
    versions->rows = NULL;
}

static bool is_ours(const load_versions *versions, int64_t key)
{
    return key >= 1 && (uint64_t)key <= versions->count;
}

static struct load_row_versions *row_of(load_versions *versions, int64_t key)
{
    return atomic_load_explicit(&versions->rows[key], memory_order_acquire);
}

static pthread_mutex_t *lock_of(load_versions *versions, int64_t key)
{
    return &versions->locks[(uint64_t)key % LOAD_VERSION_LOCKS];
}

/* NULL without memory: then it stays as it is. */
static struct load_row_versions *resized(struct load_row_versions *row, unsigned room)
{
    struct load_row_versions *made = realloc(row, sizeof *row + room * sizeof row->kept[0]);
    if (made && !row)
        made->count = 0;
    if (made)
        made->room = room;
    return made;
}

static bool wants_room(const struct load_row_versions *row, int64_t now_ns)
{
    return row->count == row->room && row->room < KEPT_MOST && now_ns - row->kept[0].at_ns < YOUNG_NS;
}

/* The row with room for one more, if there is memory. The caller has its lock. */
static struct load_row_versions *roomy(load_versions *versions, int64_t key, int64_t now_ns)
{
    struct load_row_versions *row = row_of(versions, key);
    if (row && !wants_room(row, now_ns))
        return row;
    struct load_row_versions *made = resized(row, row ? row->room * 2 : KEPT_FEWEST);
    if (made)
        atomic_store_explicit(&versions->rows[key], made, memory_order_release);
    return made ? made : row;
}

/* Acknowledgements of neighbouring versions may overtake each other. */
static void keep(struct load_row_versions *row, struct acknowledged newest)
{
    unsigned at = row->count;
    if (row->count == row->room && newest.version < row->kept[0].version)
        return;
    if (row->count == row->room) {
        for (unsigned i = 1; i < row->room; i++)
            row->kept[i - 1] = row->kept[i];
        at--;
    } else
        row->count++;
    for (; at > 0 && row->kept[at - 1].version > newest.version; at--)
        row->kept[at] = row->kept[at - 1];
    row->kept[at] = newest;
}

void load_versions_acknowledge(load_versions *versions, int64_t key, int64_t version, int64_t now_ns)
{
    if (!is_ours(versions, key))
        return;
    pthread_mutex_lock(lock_of(versions, key));
    struct load_row_versions *row = roomy(versions, key, now_ns);
    if (row)
        keep(row, (struct acknowledged){version, now_ns});
    pthread_mutex_unlock(lock_of(versions, key));
}

/* The earliest acknowledgement before the read of a version that it lacks. */
static int64_t judge(const struct load_row_versions *row, int64_t version, int64_t began_ns)
{
    int64_t first_ns = INT64_MAX;
    bool known = false;
    for (unsigned i = 0; i < row->count; i++) {
        const struct acknowledged *one = &row->kept[i];
        if (one->at_ns >= began_ns)
            continue;
        known = true;
        if (one->version > version && one->at_ns < first_ns)
            first_ns = one->at_ns;
    }
    if (first_ns != INT64_MAX)
        return began_ns - first_ns;
    return known ? LOAD_VERSION_FRESH : LOAD_VERSION_UNKNOWN;
}

int64_t load_versions_judge(load_versions *versions, int64_t key, int64_t version, int64_t began_ns)
{
    if (!is_ours(versions, key) || !row_of(versions, key))
        return LOAD_VERSION_UNKNOWN;
    pthread_mutex_lock(lock_of(versions, key));
    int64_t age_ns = judge(row_of(versions, key), version, began_ns);
    pthread_mutex_unlock(lock_of(versions, key));
    return age_ns;
}
