#include "versions.h"

#include <stdlib.h>

enum { KEPT = 4 };

struct acknowledged {
    int64_t version, at_ns;
};

struct load_row_versions {
    struct acknowledged kept[KEPT]; /* the newest versions, ascending */
    unsigned count;
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

/* Acknowledgements of neighbouring versions may overtake each other. */
static void keep(struct load_row_versions *row, struct acknowledged newest)
{
    unsigned at = row->count;
    if (row->count == KEPT && newest.version < row->kept[0].version)
        return;
    if (row->count == KEPT) {
        for (unsigned i = 1; i < KEPT; i++)
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
    struct load_row_versions *row = row_of(versions, key);
    if (!row) {
        row = calloc(1, sizeof *row);
        atomic_store_explicit(&versions->rows[key], row, memory_order_release);
    }
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
    return known || row->count == KEPT ? LOAD_VERSION_FRESH : LOAD_VERSION_UNKNOWN;
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
