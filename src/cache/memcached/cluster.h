/* cluster.h - the list of servers as ElastiCache's configuration endpoint gives it. No I/O.
 *
 *   12
 *   HOST|IP|PORT HOST|IP|PORT ...
 *
 * The first line is the list's version: it grows with every change. */
#ifndef SDI_CACHE_MEMCACHED_CLUSTER_H
#define SDI_CACHE_MEMCACHED_CLUSTER_H

#include <stdbool.h>

#include "model/address.h"

enum { SDI_MEMCACHED_CLUSTER_MAX = 300 };

typedef struct sdi_memcached_cluster {
    uint64_t version;       /* from 1 */
    sdi_address *addresses; /* one block for sdi_free; a host's name, or its IP address where it has none */
    size_t count;           /* 1 to SDI_MEMCACHED_CLUSTER_MAX */
} sdi_memcached_cluster;

/* sdi_memcached_cluster_parse reads the list. False, and nothing written, if any of it is not as above: half a list is
 * none, because the keys of what is missing would move. */
bool sdi_memcached_cluster_parse(sdi_slice text, sdi_memcached_cluster *cluster_out);

#endif
