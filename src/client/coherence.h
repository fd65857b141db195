/* coherence.h - what is published of writes, so that what other processes keep of answers does not grow old.
 *
 * A message is the hashes of the tags that changed, SDI_CHANGED_TAG_BYTES each, little-endian. It goes out behind the
 * change of the fences, in the same round trip, whether or not a fence stands: an answer may be kept elsewhere though
 * its fences are long gone. A message that was not taken is as bad as a fence that was not moved. */
#ifndef SDI_CLIENT_COHERENCE_H
#define SDI_CLIENT_COHERENCE_H

#include <shopdata/shopdata.h>

#include "base/buffer.h"
#include "cache/backend.h"

struct sdi_core;

enum { SDI_CHANGED_TAG_BYTES = 8 };

typedef struct sdi_coherence {
    sdi_buffer channel;
} sdi_coherence;

int sdi_coherence_begin(struct sdi_core *core, shopdata_error **error_out);
void sdi_coherence_free(sdi_coherence *coherence);

/* sdi_coherence_publish writes into `message` what these operations on fences change, and puts the operation that tells
 * it behind them: 1 if it did, 0 where the cache carries no messages. */
size_t sdi_coherence_publish(struct sdi_core *core, sdi_cache_op *operations, size_t count, unsigned char *message);

#endif
