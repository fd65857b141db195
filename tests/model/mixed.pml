/* mixed.pml - a rolling restart from fenced to strict: one reader still makes fences whose floor knows nothing of who runs;
 * writers mark already. The strict reader is promised what was visible, the other what had returned. */
#define STRICT 1
#define FENCED_READERS 1
#define WRITERS 1
#include "protocol/protocol.pml"
