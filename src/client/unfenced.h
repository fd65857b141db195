/* unfenced.h - fences that the shared cache could not be told of: kept until it can be.
 *
 * While anything waits here this process does not trust the cache: what it holds under these tags may be old. Deleting
 * a fence is always safe, so that is what the cache is told in the end. Bounded: past the limit the tags are forgotten,
 * and the cache is not trusted until every entry it may hold has outlived its TTL. */
#ifndef SDI_CLIENT_UNFENCED_H
#define SDI_CLIENT_UNFENCED_H

#include "base/buffer.h"
#include "base/lock.h"
#include "base/map.h"

struct sdi_core;

enum { SDI_UNFENCED_MAX = 10000, SDI_UNFENCED_SPARE = 64 };

typedef struct sdi_unfenced {
    sdi_mutex lock;
    sdi_map keys;                         /* keys of fences -> itself */
    sdi_buffer spare[SDI_UNFENCED_SPARE]; /* keys for which the map had no memory, as their writes had them */
    size_t spares;
    _Atomic size_t waiting;
    bool draining;
    _Atomic int64_t distrusted_until; /* clock.h; 0: not */
} sdi_unfenced;

void sdi_unfenced_init(sdi_unfenced *unfenced);
void sdi_unfenced_free(sdi_unfenced *unfenced);

/* sdi_unfenced_keep: these fences (each key ended by a zero byte) have to be deleted as soon as that can be done. Where
 * there is no memory the buffer itself is kept, and the caller's is empty. */
void sdi_unfenced_keep(struct sdi_core *core, sdi_buffer *keys);
/* sdi_unfenced_distrust: something could not be kept. */
void sdi_unfenced_distrust(struct sdi_core *core);
/* sdi_unfenced_none tries to tell the cache what waits; true if nothing does any more, so that it may be trusted. */
bool sdi_unfenced_none(struct sdi_core *core, int64_t deadline);

#endif
