/* trouble.h - how a backend tells of a server's trouble: it is counted, shown and logged. */
#ifndef SDI_CACHE_TROUBLE_H
#define SDI_CACHE_TROUBLE_H

#include "base/breaker.h"
#include "cache/backend.h"

/* sdi_cache_failed: a round trip failed. `server` and `why` (in words, without secrets) may be NULL: then the log has
 * what sdi_cache_trouble tells, or what the fault says of itself. */
void sdi_cache_failed(sdi_cache *cache, enum sdi_cache_fault fault, const sdi_address *server, const char *why);
/* sdi_cache_show_breaker: the state of the circuit breaker now. */
void sdi_cache_show_breaker(sdi_cache *cache, enum sdi_breaker_state state);

#endif
