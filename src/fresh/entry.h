/* entry.h - an answer as the shared cache keeps it.
 *
 *   u32 magic "sdE1"   u32 header length   u64 checksum of all that follows
 *   i64 read_at   u32 node name length   u32 identity length   node name   identity   stamp (stamp.h)
 *   rows (result.h), on a multiple of 8
 *
 * Little-endian. What does not begin with the magic was written by somebody else (foreign), what fails the checksum or
 * any bound is damaged: both are misses, never errors. */
#ifndef SDI_FRESH_ENTRY_H
#define SDI_FRESH_ENTRY_H

#include "base/buffer.h"
#include "base/slice.h"
#include "model/result.h"
#include "model/stamp.h"

/* sdi_entry_encode appends the entry of an answer. */
void sdi_entry_encode(const shopdata_result *answer, const sdi_stamp *stamp, sdi_slice identity, sdi_buffer *entry);

enum sdi_entry_state { SDI_ENTRY_GOOD, SDI_ENTRY_DAMAGED, SDI_ENTRY_FOREIGN };

/* sdi_entry_open makes a result (source: cache) of the entry that begins at block + headroom and has `length` bytes.
 * The block becomes the result's if it is good, and stays the caller's if not. Headroom: sizeof(shopdata_result) at
 * least. */
enum sdi_entry_state sdi_entry_open(char *block, size_t headroom, size_t length, sdi_slice identity,
                                    shopdata_result **answer_out, sdi_stamp *stamp_out);

#endif
