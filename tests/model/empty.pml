/* empty.pml - a read of one row by its key, which is not there yet. An INSERT that is given its key by a default cannot
 * bump the row's tag: an answer without the row hangs on the table's too. The writes: that INSERT, and a DELETE of the row;
 * tag 0 is the row's, tag 1 the table's. */
#define TAGS 2
#define READERS 1
#define MAY_BEGIN(writer) (visible == BIT(writer) - 1)
#define BUMPS(writer, tag) ((tag) == 1 || (writer) == 1)
#define HANGS(tag, answer) ((tag) == 0 || ((answer) != 1 && RULE(empty_by_table)))
#include "protocol/protocol.pml"
