/* failover.pml - the cache server is lost, and a copy takes over that lacks the last of what was put. */
#define CACHE_FAILOVERS 1
#define READERS 1
#include "protocol/protocol.pml"
