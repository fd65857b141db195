/* memcached.h - memcached 1.4.33 or newer, one server or many: libmemcached places the keys, the text protocol over
 * sockets of our own carries them. There is no login and no TLS. */
#ifndef SDI_CACHE_MEMCACHED_H
#define SDI_CACHE_MEMCACHED_H

#include "cache/backend.h"

extern const sdi_cache_backend sdi_memcached_backend;

#endif
