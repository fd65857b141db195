/* strict.pml - writers that mark before they commit. What must be shown is what was visible when the read began. */
#define STRICT 1
#define READERS 1
#include "protocol/protocol.pml"
