/* fence.h - the record of a tag in the shared cache: which moment of the primary an answer that hangs on it must
 * contain.
 *
 * Text, with fixed-width hexadecimal numbers, so that a server-side script compares them as strings:
 *   P nonce                                            a placeholder: a reader is about to sample the floor
 *   F system timeline lsn flush xmin xmax running,... xid:flush,...  a fence: a point (stamp.h), and what is pending
 *   S ...                                              the same; its floor took as pending what was running
 * (timeline: 8 digits, every other number 16; "-" for nothing running, nothing pending)
 *
 * The rules (doc/freshness.md):
 *   A missing fence is a miss, never "nothing was written". A placeholder is a miss too.
 *   A reader who finds it missing puts a placeholder, then samples a point on the primary, then installs it if, and
 * only if, his placeholder still stands. A writer never creates a fence: he merges into one that stands, deletes a
 *   placeholder, deletes what is damaged or of an older era, and leaves one of a newer era alone.
 *   Deleting a fence is always safe.
 * In strict mode the writer marks the fences before he commits: the xid is pending there until somebody settles it who
 * knows that it has finished, himself or any reader. A fence whose floor was sampled by a reader of another mode lacks
 * the transactions that were running then, so strict readers do not trust it.
 */
#ifndef SDI_MODEL_FENCE_H
#define SDI_MODEL_FENCE_H

#include "model/stamp.h"

enum sdi_fence_kind { SDI_FENCE_MISSING, SDI_FENCE_PLACEHOLDER, SDI_FENCE_POINT, SDI_FENCE_DAMAGED };

/* sdi_fence_decode tells what a record is; *point_out is of use for SDI_FENCE_POINT only. Empty text is MISSING. */
enum sdi_fence_kind sdi_fence_decode(sdi_slice record, sdi_point *point_out);
/* sdi_fence_strict: of a record that is a point, did its floor take as pending what was running? */
bool sdi_fence_strict(sdi_slice record);
void sdi_fence_encode(const sdi_point *point, bool strict, sdi_buffer *record);
void sdi_fence_placeholder(uint64_t nonce, sdi_buffer *record);
/* sdi_fence_pendings writes a list as records have it. */
void sdi_fence_pendings(const sdi_pendings *pending, sdi_buffer *text);

/* What happens to the fences of a write, or of one that was found pending. What is pending in `point` are marks, which
 * are added; a mark alone comes with a point that demands nothing else. What is settled is taken out, after that. */
typedef struct sdi_change {
    sdi_point point;
    sdi_pendings settled;
} sdi_change;

enum sdi_fence_action { SDI_FENCE_KEEP, SDI_FENCE_REPLACE, SDI_FENCE_DELETE };

/* sdi_fence_merge is what a change does to the standing record: keep it, replace it by *record_out (appended), or
 * delete it, also where more would be pending than fits. Any order and any repetition of changes is safe. Backends
 * without a script of their own call it under a lock or in a compare-and-swap loop; the script of the Redis backend
 * does the same, and the conformance suite holds the two against each other. */
enum sdi_fence_action sdi_fence_merge(sdi_slice record, const sdi_change *change, sdi_buffer *record_out);

#endif
