/* pairs.pml - two readers and two writers at a time: a minute, so with --full only. */
#include "protocol/protocol.pml"
