#include "protocol/protocol.pml"
