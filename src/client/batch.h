/* batch.h - operations on the shared cache, gathered for one round trip.
 *
 * Keys and values stand in two growing buffers, which move as they grow: so each is known by where it begins (a span)
 * until the batch runs. Only then do the operations point at them. */
#ifndef SDI_CLIENT_BATCH_H
#define SDI_CLIENT_BATCH_H

#include "base/buffer.h"
#include "client/core.h"

typedef struct sdi_span {
    size_t begin, length;
} sdi_span;

enum { SDI_BATCH_SMALL = 4 };

/* One operation, and where its texts lie: the key in `keys`, the others in `values`. */
typedef struct sdi_batch_texts {
    sdi_span key, value, expected;
} sdi_batch_texts;

typedef struct sdi_batch {
    sdi_cache_op *operations; /* key, value and expected are set by sdi_batch_run */
    sdi_batch_texts *texts;
    size_t count, most;
    sdi_buffer keys;                                /* append a key, then sdi_batch_add */
    sdi_buffer values;                              /* append a value, then sdi_batch_value */
    size_t keyed;                                   /* so far `keys` belongs to operations */
    sdi_cache_op small_operations[SDI_BATCH_SMALL]; /* room for a look at one row, as most are: it takes no memory */
    sdi_batch_texts small_texts[SDI_BATCH_SMALL];
} sdi_batch;

/* sdi_batch_make makes room for `most` operations; false without memory. It stays where it is. */
bool sdi_batch_make(sdi_batch *batch, size_t most);
/* sdi_batch_free frees what GETs brought, too; a block that was taken out must be NULL by then. */
void sdi_batch_free(sdi_batch *batch);

/* sdi_batch_add adds an operation on the key that was appended to `keys` since the last one. The rest of it is the
 * caller's to fill; it stays where it is. */
sdi_cache_op *sdi_batch_add(sdi_batch *batch, enum sdi_cache_verb verb);
/* sdi_batch_key: the same for a key that is there already, and stays until the batch has run. */
sdi_cache_op *sdi_batch_key(sdi_batch *batch, sdi_slice key, enum sdi_cache_verb verb);
/* sdi_batch_since is what was appended to `values` from `begin` on. sdi_batch_value, sdi_batch_expected give the last
 * operation its texts; several may share one. */
sdi_span sdi_batch_since(const sdi_batch *batch, size_t begin);
void sdi_batch_value(sdi_batch *batch, sdi_span value);
void sdi_batch_expected(sdi_batch *batch, sdi_span expected);

/* sdi_batch_run is sdi_cache_run; nothing to do is done. False also if memory ran out on the way here. */
bool sdi_batch_run(sdi_batch *batch, sdi_core *core, int64_t deadline);

#endif
