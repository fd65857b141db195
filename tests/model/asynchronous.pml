/* asynchronous.pml - synchronous_commit = off: a commit is visible, and returns, before it is flushed. */
#define ASYNCHRONOUS 1
#define READERS 1
#include "protocol/protocol.pml"
