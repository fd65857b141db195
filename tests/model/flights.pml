/* flights.pml - two readers of one process: who misses while the other asks may wait for that answer. */
#define FLIGHTS 1
#define WRITERS 1
#include "protocol/protocol.pml"
