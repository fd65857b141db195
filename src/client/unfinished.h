/* unfinished.h - writes of this process that stand, or may, and that something is left to do for.
 *
 * After COMMIT a write has to be placed (where in the WAL does it stand?) and told (its fences, to the shared cache);
 * and where its connection broke behind COMMIT, its backend has to be gone, or it may commit later. What fails of this
 * is kept here until it can be done:
 *
 *   untold      The cache could not be told of the fences. What it holds under these tags may be older than the write,
 *               so until it is told this process adds the write's point to what it reads there. Watchers try again, and
 *               so do readers of these tags. Deleting a fence is always safe: that is what the cache is told in the
 * end. unplaced    Where the write stands is not known. Until it is, no replica can be told to have it, and what has no
 *               fences to go by is asked of the primary. The watcher asks that where it is: behind the write.
 *   doubtful    The backend may still commit, behind the fences that were deleted when its connection was lost. As soon
 *               as its server answers, the node's watcher ends it, and the fences are deleted once more.
 *
 * All of it is bounded, and keeps going without memory. Tags past the bound are forgotten: then the point is added to
 * all that this process reads of the cache, for as long as it lives. */
#ifndef SDI_CLIENT_UNFINISHED_H
#define SDI_CLIENT_UNFINISHED_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/lock.h"
#include "base/map.h"
#include "model/stamp.h"
#include "postgres/connection.h"

struct sdi_core;

enum {
    SDI_UNTOLD_MAX = 10000,
    SDI_UNTOLD_SPARE = 64,
    SDI_DOUBTFUL_MAX = 1000,
};

typedef struct sdi_doubtful sdi_doubtful;

typedef struct sdi_unfinished {
    atomic_bool any;                    /* something is untold or forgotten: whoever reads the cache asks */
    sdi_mutex lock;                     /* guards what follows */
    sdi_map fences;                     /* keys of fences that wait -> number */
    sdi_buffer spare[SDI_UNTOLD_SPARE]; /* keys for which the map had no memory, as their writes had them */
    size_t spares;
    uintptr_t kept; /* the last number */
    size_t cursor;  /* of the fences: where the next telling begins */
    bool telling;
    bool forgotten;
    sdi_point owed;         /* what is untold or forgotten demands */
    uint64_t owed_unplaced; /* an unplaced write that `owed` lacks; 0: none */
    sdi_era era;
    sdi_lsn last_write;        /* of this process */
    uint64_t unplaced, placed; /* counts the unplaced writes; so many of them lie before `place` */
    sdi_point place;
    sdi_doubtful *first, **last;
    size_t doubtful;
} sdi_unfinished;

void sdi_unfinished_init(sdi_unfinished *unfinished);
void sdi_unfinished_free(sdi_unfinished *unfinished);

/* sdi_untold_keep: these fences (each key ended by a zero byte) have to be deleted as soon as that can be done, and
 * till then demand `point` too; NULL: nobody knows it. Where there is no memory the buffer itself is kept, and the
 * caller's is empty. */
void sdi_untold_keep(struct sdi_core *core, sdi_buffer *keys, const sdi_point *point);
/* sdi_untold_forget: the fences of a write cannot be kept. */
void sdi_untold_forget(struct sdi_core *core, const sdi_point *point);
/* sdi_untold_tell tells the cache what waits: all of it, or, for a reader to lend a hand, some. */
enum sdi_telling { SDI_TELL_SOME, SDI_TELL_ALL };
void sdi_untold_tell(struct sdi_core *core, enum sdi_telling how_much, int64_t deadline);

/* What this process adds to the fences it reads. */
typedef struct sdi_untold {
    bool any;      /* something; else `point` is not set */
    bool all;      /* to all fences; else to those that wait */
    bool unplaced; /* a write whose point is not known: such a fence counts as missing */
    bool pointed;
    sdi_point point;
} sdi_untold;

/* sdi_untold_look, sdi_untold_waits are asked before the cache is: what is told in between is found there. */
void sdi_untold_look(struct sdi_core *core, sdi_untold *untold_out);
bool sdi_untold_waits(struct sdi_core *core, sdi_slice key);
/* sdi_untold_owe adds a point to `owed`; the lock is held. */
void sdi_untold_owe(sdi_unfinished *unfinished, const sdi_point *point);

/* sdi_placed: a write stands before `point`. */
void sdi_placed(struct sdi_core *core, const sdi_point *point);
/* sdi_unplaced: a write stands, nobody knows where; its number, not 0. */
uint64_t sdi_unplaced(struct sdi_core *core);
/* sdi_last_write raises `era` and `lsn` to the process's last write; false if a later one is unplaced. */
bool sdi_last_write(struct sdi_core *core, sdi_era *era, sdi_lsn *lsn);
/* sdi_is_placed: is this write placed by now? Then *point_out demands it, and *number becomes 0. A number that a parent
 * had before fork is renewed. */
bool sdi_is_placed(struct sdi_core *core, uint64_t *number, sdi_point *point_out);
/* Whoever asks a node, as the primary, where it stands notes sdi_unplaced_last before, and gives it with the answer to
 * sdi_place: the writes up to that number lie before the point. 0, none: as long as a backend of the node is in doubt,
 * its write may come behind. */
uint64_t sdi_unplaced_last(struct sdi_core *core, size_t node);
void sdi_place(struct sdi_core *core, uint64_t number, const sdi_point *point);

/* sdi_doubtful_end ends a backend of the node that may still commit what the fences under `keys` must tell; one that
 * cannot be reached now is kept. */
void sdi_doubtful_end(struct sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys);
/* sdi_doubtful_settle ends the node's kept backends through `by`, and deletes the fences. */
void sdi_doubtful_settle(struct sdi_core *core, size_t node, sdi_pg_connection *by, int64_t deadline);
/* sdi_is_doubtful: has the node a backend that is kept? The lock is held. */
bool sdi_is_doubtful(const sdi_unfinished *unfinished, size_t node);

#endif
