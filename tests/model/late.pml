/* late.pml - the cache does not answer in time, and carries out what was asked of it later. */
#define LATE_OPERATION 1
#define READERS 1
#define WRITERS 1
#include "protocol/protocol.pml"
