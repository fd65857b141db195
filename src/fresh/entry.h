/* entry.h - an answer as the shared cache keeps it.
 *
 *   u32 magic "sdE3"   u32 header length   u64 checksum of all that follows
 *   i64 read_at   i64 expires_at   u32 length of the rows if they are compressed, 0 if they stand as they are
 *   u32 node name length   u32 identity length   node name   identity   stamp (stamp.h)
 *   rows (result.h), on a multiple of 8; compressed, they are one LZ4 block
 *
 * Little-endian. What does not begin with the magic was written by somebody else, or by another version (foreign); what
 * fails the checksum or any bound is damaged: both are misses, never errors. */
#ifndef SDI_FRESH_ENTRY_H
#define SDI_FRESH_ENTRY_H

#include "base/buffer.h"
#include "base/slice.h"
#include "model/result.h"
#include "model/stamp.h"

/* What an entry says of its answer. */
typedef struct sdi_entry {
    sdi_stamp stamp;
    int64_t expires_at; /* sdi_wall; 0: when the cache forgets it */
} sdi_entry;

/* sdi_entry_encode appends the entry of an answer, its rows compressed if they have more than `compress_over` bytes (0:
 * never) and that saves at least an eighth. Returns what the rows take. */
size_t sdi_entry_encode(const shopdata_result *answer, const sdi_entry *entry, sdi_slice identity, size_t compress_over,
                        sdi_buffer *out);

enum sdi_entry_state { SDI_ENTRY_GOOD, SDI_ENTRY_DAMAGED, SDI_ENTRY_FOREIGN };

/* What the cache gave: the entry begins at block + headroom and has `length` bytes. Headroom: sizeof(shopdata_result)
 * at least. */
typedef struct sdi_entry_block {
    char *block; /* from sdi_malloc */
    size_t headroom, length;
    size_t rows_max; /* more than that is not decompressed */
} sdi_entry_block;

/* sdi_entry_open makes a result (source: cache) of an entry. Rows that stand as they are become the result where they
 * lie: `block` is NULL then, else it is still the caller's. *entry_out is of use for SDI_ENTRY_GOOD only. */
enum sdi_entry_state sdi_entry_open(sdi_entry_block *kept, sdi_slice identity, shopdata_result **answer_out,
                                    sdi_entry *entry_out);

#endif
