/* unfenced.h - fences that the shared cache could not be told of: kept until it can be.
 *
 * While anything waits here this process does not trust the cache: what it holds under these tags may be old. Deleting
 * a fence is always safe, so that is what the cache is told in the end. Bounded: past the limit the tags are forgotten,
 * and the cache is not trusted until every entry it may hold has outlived its TTL. */
#ifndef SDI_CLIENT_UNFENCED_H
#define SDI_CLIENT_UNFENCED_H

#include "base/lock.h"
#include "base/map.h"
#include "base/slice.h"

struct sdi_core;

enum { SDI_UNFENCED_MAX = 10000 };

typedef struct sdi_unfenced {
    sdi_mutex lock;
    sdi_map keys; /* keys of fences -> itself */
    _Atomic size_t waiting;
    bool draining;
    _Atomic int64_t distrusted_until; /* clock.h; 0: not */
} sdi_unfenced;

void sdi_unfenced_init(sdi_unfenced *unfenced);
void sdi_unfenced_free(sdi_unfenced *unfenced);

/* sdi_unfenced_keep: this fence's key has to be deleted as soon as that can be done. */
void sdi_unfenced_keep(struct sdi_core *core, sdi_slice key);
/* sdi_unfenced_none tries to tell the cache what waits; true if nothing does any more, so that it may be trusted. */
bool sdi_unfenced_none(struct sdi_core *core, int64_t deadline);

#endif
