/* unfinished.h - writes of this process that stand, or may, and that something is left to do for.
 *
 * After COMMIT a write has to be placed (where in the WAL does it stand?) and told (its fences, to the shared cache);
 * and where its connection broke behind COMMIT, its backend has to be gone, or it may commit later. What fails of this
 * is kept here until it can be done:
 *
 *   untold      The cache could not be told of the fences. While anything is untold this process does not trust the
 *               cache: what it holds under these tags may be old. Watchers and readers try again. Deleting a fence is
 *               always safe, so that is what the cache is told in the end.
 *   unplaced    Where the write stands is not known. Until it is, no replica can be told to have it, and what has no
 *               fences to go by is asked of the primary. The watcher asks that where it is: behind the write.
 *   doubtful    The backend may still commit, behind the fences that were deleted when its connection was lost. As soon
 *               as its server answers, the node's watcher ends it, and the fences are deleted once more.
 *
 * All of it is bounded. Past the bound, or where memory ran out, fences are forgotten, and the cache is not trusted
 * until every entry it may hold has outlived its TTL. */
#ifndef SDI_CLIENT_UNFINISHED_H
#define SDI_CLIENT_UNFINISHED_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/lock.h"
#include "base/map.h"
#include "postgres/connection.h"

struct sdi_core;

enum {
    SDI_UNTOLD_MAX = 10000,
    SDI_UNTOLD_SPARE = 64,
    SDI_DOUBTFUL_MAX = 1000, /* past it the oldest is forgotten: its entries live for their TTL */
};

typedef struct sdi_doubtful sdi_doubtful;

typedef struct sdi_unfinished {
    _Atomic size_t untold;
    _Atomic int64_t distrusted_until;   /* clock.h; 0: not */
    sdi_mutex lock;                     /* guards what follows */
    sdi_map fences;                     /* keys of fences -> itself */
    sdi_buffer spare[SDI_UNTOLD_SPARE]; /* keys for which the map had no memory, as their writes had them */
    size_t spares;
    bool telling;
    sdi_era era;
    sdi_lsn last_write;        /* of this process */
    uint64_t unplaced, placed; /* counts the unplaced writes; so many of them lie before `place` */
    sdi_point place;
    sdi_doubtful *first, **last;
    size_t doubtful;
} sdi_unfinished;

void sdi_unfinished_init(sdi_unfinished *unfinished);
void sdi_unfinished_free(sdi_unfinished *unfinished);

/* sdi_untold_keep: these fences (each key ended by a zero byte) have to be deleted as soon as that can be done. Where
 * there is no memory the buffer itself is kept, and the caller's is empty. */
void sdi_untold_keep(struct sdi_core *core, sdi_buffer *keys);
/* sdi_untold_none tries to tell the cache what waits; true if nothing does any more, so that it may be trusted. */
bool sdi_untold_none(struct sdi_core *core, int64_t deadline);
/* sdi_untold_forgotten: fences could not be kept. */
void sdi_untold_forgotten(struct sdi_core *core);

/* sdi_placed: a write stands before `point`. */
void sdi_placed(struct sdi_core *core, const sdi_point *point);
/* sdi_unplaced: a write stands, nobody knows where; its number, not 0. */
uint64_t sdi_unplaced(struct sdi_core *core);
/* sdi_last_write raises `era` and `lsn` to the process's last write; false if a later one is unplaced. */
bool sdi_last_write(struct sdi_core *core, sdi_era *era, sdi_lsn *lsn);
/* sdi_is_placed: is this write placed by now? Then *point_out demands it, and *number becomes 0. A number that a parent
 * had before fork is renewed. */
bool sdi_is_placed(struct sdi_core *core, uint64_t *number, sdi_point *point_out);
/* Whoever asks the primary where it stands notes sdi_unplaced_last before, and gives it with the answer to sdi_place:
 * the writes up to that number lie before the point. */
uint64_t sdi_unplaced_last(struct sdi_core *core);
void sdi_place(struct sdi_core *core, uint64_t number, const sdi_point *point);

/* sdi_doubtful_end ends a backend of the node that may still commit what the fences under `keys` must tell; one that
 * cannot be reached now is kept. */
void sdi_doubtful_end(struct sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys);
/* sdi_doubtful_settle ends the node's kept backends through `by`, and deletes the fences. */
void sdi_doubtful_settle(struct sdi_core *core, size_t node, sdi_pg_connection *by, int64_t deadline);

#endif
