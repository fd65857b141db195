/* fencing.h - telling the shared cache what a write changed, before the write returns. */
#ifndef SDI_CLIENT_FENCING_H
#define SDI_CLIENT_FENCING_H

#include "client/core.h"

/* sdi_fence_tags appends the tags of a call whose fences count: in a mode without fences none. False if this call must
 * not be cached. Check sdi_tags_failed after. */
bool sdi_fence_tags(const sdi_core *core, const sdi_plan *plan, const shopdata_param *params, size_t count,
                    sdi_tags *tags);
/* sdi_fence carries out `change` on the fences under `keys` (each ended by a zero byte); NULL, where the point of the
 * write is not known, deletes them: always safe. SHOPDATA_UNFENCED if the cache could not be told of all; then the
 * rest is kept (unfinished.h). The buffer is used up: afterwards it has the keys that are kept, or nothing. */
int sdi_fence(sdi_core *core, sdi_buffer *keys, const sdi_change *change);
/* sdi_fence_run is that until the deadline, once, with nothing kept: false if the cache was not told. */
bool sdi_fence_run(sdi_core *core, const sdi_buffer *keys, const sdi_change *change, int64_t deadline,
                   enum sdi_fence_event event);
/* sdi_fence_keys appends the fence keys of tags. */
void sdi_fence_keys(sdi_core *core, const sdi_tags *tags, sdi_buffer *keys);

/* How long a fence and a placeholder live without use. Neither has to outlive the entries: a missing one is a miss. */
int64_t sdi_fence_ttl(const sdi_settings *settings);
enum { SDI_PLACEHOLDER_TTL_MS = 10000 };

/* In proving builds: sdi_misfence_spare takes out of the operations what would delete a placeholder,
 * sdi_misfence_create makes the fences that are missing. */
void sdi_misfence_spare(sdi_core *core, sdi_cache_op *operations, size_t count);
/* sdi_misfence_meets: does a fence stand under any of their keys? */
bool sdi_misfence_meets(sdi_core *core, const sdi_cache_op *operations, size_t count);
void sdi_misfence_create(sdi_core *core, const sdi_cache_op *operations, size_t count);

#endif
