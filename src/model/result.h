/* result.h - an answer as one block: header and rows together, counted by reference, immutable once published.
 *
 * The rows are the same bytes in a cache entry and in a result, so that an entry read from the cache becomes a result
 * where it lies: whoever reads it leaves `sizeof(shopdata_result)` bytes of room in front (see cache/backend.h).
 *
 * Rows, little-endian, all offsets from their first byte:
 *   u32 columns, u32 rows
 *   columns * { u32 name offset, u32 type OID }
 *   rows * columns * { u32 text offset, i32 length; -1 is NULL }
 *   texts, each with a zero byte behind
 */
#ifndef SDI_MODEL_RESULT_H
#define SDI_MODEL_RESULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { SDI_NODE_NAME_MAX = 31 };

struct shopdata_result {
    atomic_uint references;
    int source;                       /* enum shopdata_source */
    char node[SDI_NODE_NAME_MAX + 1]; /* who read it from the database */
    int64_t read_at;                  /* when that was: sdi_wall */
    int64_t staleness_ms;             /* see shopdata_result_staleness_ms */
    uint64_t changed;
    const unsigned char *rows; /* within this block, or where its owner keeps them */
    size_t rows_length;
    void (*release)(
        shopdata_result *result); /* of whose it is, when nobody has it any more; NULL: a block of its own */
};

/* A result being built: columns first, then cells row by row. A failed buffer is noticed at the end. */
typedef struct sdi_result_builder {
    sdi_buffer columns, cells, texts;
    uint32_t column_count;
    uint64_t cell_count;
} sdi_result_builder;

#define SDI_RESULT_BUILDER_INIT                                                                                        \
    {                                                                                                                  \
        SDI_BUFFER_INIT, SDI_BUFFER_INIT, SDI_BUFFER_INIT, 0, 0                                                        \
    }

void sdi_result_column(sdi_result_builder *builder, const char *name, uint32_t type);
/* sdi_result_cell appends the next cell; NULL data is SQL NULL. */
void sdi_result_cell(sdi_result_builder *builder, const char *data, size_t length);
/* sdi_result_size is what the result will take, so that a limit can stop it early. */
size_t sdi_result_size(const sdi_result_builder *builder);
/* sdi_result_build makes the result with one reference (NULL without memory, or over 4 GiB) and empties the builder.
 * source, node and read_at are the caller's to fill. */
shopdata_result *sdi_result_build(sdi_result_builder *builder);
void sdi_result_builder_free(sdi_result_builder *builder);

/* sdi_result_adopt makes a result of a block from sdi_malloc whose rows begin at `offset` (at least
 * sizeof(shopdata_result)) and have `length` bytes. The rows are checked: every offset within, every text ended. NULL,
 * and the block still the caller's, if they are damaged. */
shopdata_result *sdi_result_adopt(void *block, size_t offset, size_t length);

/* sdi_result_lend makes `result` one with one reference on rows that stay another's, who gets it back by `release`. */
void sdi_result_lend(shopdata_result *result, const unsigned char *rows, size_t length,
                     void (*release)(shopdata_result *result));

/* sdi_result_rows_ok is the check of sdi_result_adopt. */
bool sdi_result_rows_ok(const unsigned char *rows, size_t length);

/* sdi_result_at reads a cell: false if there is none or it is NULL. */
bool sdi_result_at(const shopdata_result *result, size_t row, size_t column, sdi_slice *text);

#endif
