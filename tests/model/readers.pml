/* readers.pml - two readers at a time and one writer. */
#define WRITERS 1
#include "protocol/protocol.pml"
