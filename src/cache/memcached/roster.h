/* roster.h - which rings are read and which are written, while the list of servers changes.
 *
 * When the list changes, keys move, and not all processes hear of it at the same moment. Who still goes by the old list
 * would move fences where nobody looks for them any more: a reader by the new list would take an old answer for fresh.
 * And a server that was taken out and comes back would bring the fences of then. So:
 *
 *   - The list's version is part of every key: what was kept by another list is never read.
 *   - A list holds for a lease of 2 intervals from the last time it was confirmed; without a lease the cache is not
 * used. So a certain time after a change everybody goes by the new list or by none.
 *   - Who sees the next version goes on reading the old ring for 3 intervals, and moves and deletes fences on both
 * rings for 6. When the first begin to read the new ring, all have written to it since before; when the first cease to
 *     write to the old one, nobody reads it any more. (The third interval is for endpoints that disagree for a moment.)
 *   - Who does not know what came before (a process that has just started, or has lost its lease, or missed a version)
 *     cannot write where others may still read. It waits until it finds a mark, which those put who have come to the
 * end of that, or for 6 intervals; till then it does not use the cache.
 *
 * A fixed list has one ring and needs no lease. Thread safe. Times are of clock.h. */
#ifndef SDI_CACHE_MEMCACHED_ROSTER_H
#define SDI_CACHE_MEMCACHED_ROSTER_H

#include "cache/memcached/ring.h"

enum { SDI_MEMCACHED_RINGS_MAX = 4 };

typedef struct sdi_memcached_version {
    uint64_t number;
    int64_t seen; /* when this process first saw it */
    sdi_memcached_ring *ring;
} sdi_memcached_version;

typedef struct sdi_memcached_roster {
    sdi_mutex lock;
    int64_t interval_us; /* 0: the list is fixed */
    sdi_memcached_version versions[SDI_MEMCACHED_RINGS_MAX];
    size_t count;
    int64_t confirmed;  /* when the newest was asked for the last time */
    int64_t quarantine; /* until when the cache is not used; 0: it is */
} sdi_memcached_roster;

/* The rings of one run: [0] is read and written, the others only written. */
typedef struct sdi_memcached_selection {
    sdi_memcached_ring *rings[SDI_MEMCACHED_RINGS_MAX];
    size_t count;   /* 0: the cache is not to be used now */
    int64_t expiry; /* the run must have ended by then */
} sdi_memcached_selection;

/* sdi_memcached_roster_init makes an empty one. */
void sdi_memcached_roster_init(sdi_memcached_roster *roster, int64_t interval_ms);
void sdi_memcached_roster_free(sdi_memcached_roster *roster);
/* sdi_memcached_roster_abandon is that in a forked child (ring.h). */
void sdi_memcached_roster_abandon(sdi_memcached_roster *roster);

/* sdi_memcached_roster_fix: this ring, for ever. */
void sdi_memcached_roster_fix(sdi_memcached_roster *roster, sdi_memcached_ring *ring);
/* sdi_memcached_roster_knows: is this version the newest one known, or older? Then no ring is needed to see it. */
bool sdi_memcached_roster_knows(sdi_memcached_roster *roster, uint64_t number);
/* sdi_memcached_roster_see: who was asked at `asked` has answered at `now` that the list has this version. `ring` is of
 * that version and becomes the roster's (or is freed); it may be NULL if the version was known. */
void sdi_memcached_roster_see(sdi_memcached_roster *roster, uint64_t number, sdi_memcached_ring *ring, int64_t asked,
                              int64_t now);
/* sdi_memcached_roster_waits: no use is made of the cache before the newest ring's mark is found. */
bool sdi_memcached_roster_waits(sdi_memcached_roster *roster, int64_t now);
/* sdi_memcached_roster_marked: the mark of this version was found. */
void sdi_memcached_roster_marked(sdi_memcached_roster *roster, uint64_t number);
/* sdi_memcached_roster_settled: the change to the newest version is over, so that its mark may be put. */
bool sdi_memcached_roster_settled(sdi_memcached_roster *roster, int64_t now);

/* sdi_memcached_roster_select takes the rings for a run; they are given back with _return. */
sdi_memcached_selection sdi_memcached_roster_select(sdi_memcached_roster *roster, int64_t now);
/* sdi_memcached_roster_newest is the newest ring alone, trusted or not: to look for its mark. count 0: there is none.
 */
sdi_memcached_selection sdi_memcached_roster_newest(sdi_memcached_roster *roster, uint64_t *number_out);
void sdi_memcached_roster_return(sdi_memcached_roster *roster, sdi_memcached_selection *selection);

#endif
