/* strict_readers.pml - strict, with two readers and one writer. */
#define STRICT 1
#define WRITERS 1
#include "protocol/protocol.pml"
