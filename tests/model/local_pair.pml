/* local_pair.pml - a local cache, a writer of its process and one of another: long. */
#define LOCAL 1
#define READERS 1
#define OWN 1
#include "protocol/protocol.pml"
