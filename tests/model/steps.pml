/* steps.pml - one reader, and every statement and every operation of the cache a step of its own. */
#define ALL_STEPS 1
#define READERS 1
#include "protocol/protocol.pml"
