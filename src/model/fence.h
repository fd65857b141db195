/* fence.h - the record of a tag in the shared cache: which moment of the primary an answer that hangs on it must
 * contain.
 *
 * Text, with fixed-width hexadecimal numbers, so that a server-side script compares them as strings:
 *   P nonce                                            a placeholder: a reader is about to sample the floor
 *   F system timeline lsn flush xmin xmax running,...  a fence: a point (stamp.h)
 * (nonce, system, lsn, flush, xmin, xmax, running: 16 digits; timeline: 8 digits; "-" for nothing running)
 *
 * The rules (doc/freshness.md):
 *   A missing fence is a miss, never "nothing was written". A placeholder is a miss too.
 *   A reader who finds it missing puts a placeholder, then samples a point on the primary, then installs it if, and
 * only if, his placeholder still stands. A writer never creates a fence: he merges into one that stands, deletes a
 *   placeholder, deletes what is damaged or of an older era, and leaves one of a newer era alone.
 *   Deleting a fence is always safe.
 */
#ifndef SDI_MODEL_FENCE_H
#define SDI_MODEL_FENCE_H

#include "model/stamp.h"

enum sdi_fence_kind { SDI_FENCE_MISSING, SDI_FENCE_PLACEHOLDER, SDI_FENCE_POINT, SDI_FENCE_DAMAGED };

/* sdi_fence_decode tells what a record is; *point_out is written for SDI_FENCE_POINT only. Empty text is MISSING. */
enum sdi_fence_kind sdi_fence_decode(sdi_slice record, sdi_point *point_out);
void sdi_fence_encode(const sdi_point *point, sdi_buffer *record);
void sdi_fence_placeholder(uint64_t nonce, sdi_buffer *record);

enum sdi_fence_action { SDI_FENCE_KEEP, SDI_FENCE_REPLACE, SDI_FENCE_DELETE };

/* sdi_fence_merge is what a writer's point does to the standing record: keep it, replace it by *record_out (appended),
 * or delete it. Backends without a script of their own call it under a lock or in a compare-and-swap loop; the script
 * of the Redis backend does the same, and the conformance suite holds the two against each other. */
enum sdi_fence_action sdi_fence_merge(sdi_slice record, const sdi_point *write, sdi_buffer *record_out);

#endif
