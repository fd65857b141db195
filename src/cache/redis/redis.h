/* redis.h - Redis 6 or newer, or Valkey, by RESP2 over a socket of our own. Batches are pipelined: one write, one wait.
 */
#ifndef SDI_CACHE_REDIS_H
#define SDI_CACHE_REDIS_H

#include "cache/backend.h"

extern const sdi_cache_backend sdi_redis_backend;

#endif
