/* caches.h - caches to test: their settings, what they count and tell, and a socket for servers made up. */
#ifndef SDI_TESTS_SUPPORT_CACHES_H
#define SDI_TESTS_SUPPORT_CACHES_H

#include "../unit/unit.h"
#include "cache/backend.h"

/* caches_settings: no text is NULL, no server is named; one connection, timeouts of a second, and a breaker that opens
 * after three failures, for a minute. */
sdi_cache_settings caches_settings(enum sdi_cache_kind kind);
/* caches_memcached: the launcher's first so many memcached servers, NULL where it did not start that many. Free it. */
sdi_address *caches_memcached(size_t count);
/* caches_open demands that it works; caches_close closes both. */
sdi_cache *caches_open(const sdi_cache_settings *settings, sdi_metrics **metrics_out);
void caches_close(sdi_cache *cache, sdi_metrics *metrics);
/* caches_faults: how many failures of all kinds were counted. */
uint64_t caches_faults(sdi_metrics *metrics);
/* caches_check_trouble demands that the last trouble is told with these words. */
void caches_check_trouble(sdi_cache *cache, const char *expected);
/* caches_listen gives a socket that listens on 127.0.0.1, and its port. Close it. */
int caches_listen(int64_t *port_out);

#endif
