/* local_own.pml - the same, and the writer is of the reader's own process. */
#define LOCAL 1
#define READERS 1
#define WRITERS 1
#define OWN 1
#include "protocol/protocol.pml"
