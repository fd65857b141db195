/* tags.pml - an answer that hangs on two tags, as a join of two tables does: each write bumps one of them. */
#define TAGS 2
#define READERS 1
#define BUMPS(writer, tag) ((writer) == (tag))
#include "protocol/protocol.pml"
