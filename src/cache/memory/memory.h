/* memory.h - the cache of one process: nothing is shared with another, so fences order the threads of this one only. */
#ifndef SDI_CACHE_MEMORY_H
#define SDI_CACHE_MEMORY_H

#include "cache/backend.h"

extern const sdi_cache_backend sdi_memory_backend;

#endif
