/* versions.h - the versions of rows that writes of ours have been acknowledged with, and when: a read that began after
 * the acknowledgement and brings an older one is stale. */
#ifndef LOAD_VERSIONS_H
#define LOAD_VERSIONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOAD_VERSION_LOCKS = 256 };

struct load_row_versions;

/* Of the rows 1 .. count of a table. Rows that nobody wrote take a pointer, others under 100 bytes more; those that are
 * written all the time up to a KiB. */
typedef struct load_versions {
    uint64_t count;
    _Atomic(struct load_row_versions *) *rows;
    pthread_mutex_t locks[LOAD_VERSION_LOCKS];
} load_versions;

/* load_versions_open: false without memory. load_versions_close also after that. */
bool load_versions_open(load_versions *versions, uint64_t count);
void load_versions_close(load_versions *versions);

/* load_versions_acknowledge: a write made this version of the row, and returned at this moment. Without memory for it
 * reads of the row are not judged. */
void load_versions_acknowledge(load_versions *versions, int64_t key, int64_t version, int64_t now_ns);

#define LOAD_VERSION_FRESH INT64_C(-1)
#define LOAD_VERSION_UNKNOWN INT64_C(-2)

/* load_versions_judge looks at a row that a read which began at a moment has brought. How long before that the first
 * version was acknowledged that the row lacks; of the last few versions of a row, of which that one may be no more:
 * then it was longer ago. LOAD_VERSION_FRESH: it lacks none. LOAD_VERSION_UNKNOWN: nobody wrote this row before, or it
 * has been written so often since that what came before is forgotten. */
int64_t load_versions_judge(load_versions *versions, int64_t key, int64_t version, int64_t began_ns);

#endif
