/* local_failover.pml - the cache server is replaced by its copy, and the listener is still connected to the old one. */
#define LOCAL 1
#define READERS 1
#define WRITERS 1
#define CACHE_FAILOVERS 1
#include "protocol/protocol.pml"
