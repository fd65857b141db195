/* reinsert.pml - a row that is there is deleted, and inserted again under the same key; tags as in empty.pml. The one who
 * deletes may die before he has moved a fence: then nobody is promised his DELETE, but the INSERT that returned is. */
#define TAGS 2
#define READERS 1
#define MAY_BEGIN(writer) (visible == BIT(writer) - 1)
#define BUMPS(writer, tag) ((tag) == 1 || (writer) == 0 || RULE(insert_bumps_row))
#define HANGS(tag, answer) ((tag) == 0 || (answer) == 1)
#include "protocol/protocol.pml"
