/* fenced.pml - two writers and one reader at a time. */
#define READERS 1
#include "protocol/protocol.pml"
