/* changes.h - when each tag changed last, in little memory and without locks.
 *
 * A clock numbers the changes. A tag has two cells among a fixed number, and its change puts its number into both; so
 * two tags may share one cell, but seldom both. What was asked for at a moment is good while of each of its tags one
 * cell at least is not newer: a change is never overlooked, and one of another tag seldom taken for one of this. */
#ifndef SDI_LOCAL_CHANGES_H
#define SDI_LOCAL_CHANGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sdi_changes {
    _Atomic uint64_t forgotten; /* what is older than this is void, whatever it hangs on */
    _Atomic uint64_t *cells;    /* the number of the last change of a tag that has this cell */
    unsigned cell_bits;
    char apart[64];         /* what every change writes is not in the line that every hit reads */
    _Atomic uint64_t clock; /* changes so far */
    char apart_too[64];
} sdi_changes;

/* sdi_changes_init: about so many bytes, at least a few hundred. False without memory. */
bool sdi_changes_init(sdi_changes *changes, size_t bytes);
void sdi_changes_free(sdi_changes *changes);
size_t sdi_changes_bytes(const sdi_changes *changes);

uint64_t sdi_changes_now(const sdi_changes *changes);
/* sdi_changes_tick numbers a change; sdi_changes_tell is one of a tag, sdi_changes_tell_all one of all. */
uint64_t sdi_changes_tick(sdi_changes *changes);
void sdi_changes_tell(sdi_changes *changes, uint32_t tag);
void sdi_changes_tell_all(sdi_changes *changes);
/* sdi_changes_none: has none of these tags changed since? */
bool sdi_changes_none(const sdi_changes *changes, const uint32_t *tags, size_t count, uint64_t since);

#endif
