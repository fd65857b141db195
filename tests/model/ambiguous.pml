/* ambiguous.pml - the connection is lost after COMMIT was sent. */
#define LOST_CONNECTIONS 1
#define READERS 1
#include "protocol/protocol.pml"
