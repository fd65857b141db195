/* promotion.pml - the primary is lost, and the standby promoted: what had not come to it is lost, positions and xids are
 * given out again in the new timeline. */
#define PROMOTIONS 1
#define READERS 1
#include "protocol/protocol.pml"
