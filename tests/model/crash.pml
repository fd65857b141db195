/* crash.pml - the primary crashes, with commits that were visible but not flushed: they are lost, and their xids are given
 * out again. */
#define CRASHES 1
#define ASYNCHRONOUS 1
#define READERS 1
#include "protocol/protocol.pml"
