/* local.pml - a local cache above the shared one, and a writer of another process. */
#define LOCAL 1
#define READERS 1
#define WRITERS 1
#include "protocol/protocol.pml"
