/* protocol.pml - all of it. A configuration says how much of each there is, and includes this. */

#ifndef ALL_STEPS
#define ALL_STEPS 0
#endif
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef TAGS
#define TAGS 1
#endif
#ifndef ASYNCHRONOUS
#define ASYNCHRONOUS 0
#endif
#ifndef STRICT
#define STRICT 0
#endif
#ifndef XIDS
#define XIDS WRITERS
#endif
#ifndef LSNS
#define LSNS (WRITERS + 3)
#endif
#ifndef BUMPS
#define BUMPS(writer, tag) true
#endif
#ifndef MAY_BEGIN
#define MAY_BEGIN(writer) true
#endif
#ifndef HANGS
#define HANGS(tag, answer) true
#endif
#ifndef FENCED_READERS
#define FENCED_READERS 0    /* beside strict ones, the first */
#endif
#define IS_STRICT(reader) (STRICT && (reader) > FENCED_READERS)
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef PROMOTIONS
#define PROMOTIONS 0
#endif
#ifndef CACHE_FAILOVERS
#define CACHE_FAILOVERS 0
#endif
#define RECOVERIES (CRASHES || PROMOTIONS)
#define MARKS_FLUSH (STRICT && RECOVERIES)

#ifndef FLIGHTS
#define FLIGHTS 0
#endif
#ifndef LOCAL
#define LOCAL 0
#endif
#ifndef LATE_OPERATION
#define LATE_OPERATION 0
#endif
#ifndef LOST_CONNECTIONS
#define LOST_CONNECTIONS 0
#endif

#include "rules.pml"

#define TELL(...) printf("\n@%d ", _pid); printf(__VA_ARGS__)

/* Between two steps anything may happen. Where it is shown that what lies between can only make an answer newer or a
 * fence demand more, two steps are one, unless the configuration asks for all. */
#if ALL_STEPS
#define LATER }; d_step {
#else
#define LATER ;
#endif

byte x; /* counts, within a step */
unsigned returned : WRITERS;
#if STRICT
#define PROMISED (IS_STRICT(me) -> visible : returned & visible)
#else
#define PROMISED (returned & visible)
#endif

#include "points.pml"
#include "database.pml"
#include "local.pml"
#include "cache.pml"
#include "reader.pml"
#include "writer.pml"

init
{
    atomic {
        x = 0;
        do :: x < WRITERS -> run writer(x); x++ :: else -> break od;
        x = 1;
        do :: x <= READERS -> run reader(x); x++ :: else -> x = 0; break od
    }
}
