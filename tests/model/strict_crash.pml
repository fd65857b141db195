/* strict_crash.pml - the same in strict: marks, too, may be of a transaction that had the xid before. */
#define STRICT 1
#define CRASHES 1
#define READERS 1
#include "protocol/protocol.pml"
