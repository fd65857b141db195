/* operation.h - what every backend does to operations besides running them. */
#ifndef SDI_CACHE_OPERATION_H
#define SDI_CACHE_OPERATION_H

#include "cache/backend.h"

/* sdi_cache_unset frees the blocks and unsets the outputs: before a run, and after one that failed. */
void sdi_cache_unset(sdi_cache_op *operations, size_t count);
/* sdi_cache_ttl bounds a lifetime to what every server takes: a millisecond to ten years. */
int64_t sdi_cache_ttl(int64_t ttl_ms);
/* sdi_cache_gets is how many GETs stand side by side from the first operation on. */
size_t sdi_cache_gets(const sdi_cache_op *operations, size_t count);

#endif
