/* local.pml - the local cache of the readers' process, and its subscription to what writers publish: src/local,
 * src/cache/redis/subscription.c.
 *
 * An entry is void if anything changed after its moment, so here a change forgets it, and marks every read whose moment
 * was before. Time is what had returned by a moment: a watermark is the set of writes that had returned when
 * its PING was sent, `aged` those that returned longer than the bound ago. A watermark that is younger than the bound
 * contains them; so does one that is taken for younger here. */

#if LOCAL
typedef Kept {
    unsigned stored : 1;
    unsigned shows : WRITERS;
    unsigned checked : WRITERS  /* what had returned when the multi-get was sent that it passed */
}

Kept kept;
unsigned changed : 3;            /* mask of the reads after whose moment a change was heard of */
unsigned watermark : WRITERS;
unsigned aged : WRITERS;

/* What is on its way to the listener comes in order: messages, an answer to his PING, messages behind it. */
unsigned ahead : 3;
unsigned pong : 1;
unsigned behind : 3;
unsigned pinged : 1;            /* a PING is out, or its answer */
unsigned ping_mark : WRITERS;

/* The connection: lost, subscribed anew, and believed. */
#define BROKEN 0
#define SUBSCRIBED 1
#define HEARD 2
unsigned line : 2 = HEARD;

/* A server that was replaced is told of no write, and goes on answering. */
#if CACHE_FAILOVERS
unsigned left : 1;
#define IS_LEFT left

inline leave_listener()
{
    left = (line == HEARD)
}

inline subscribe_to_server()
{
    left = 0
}
#else
#define IS_LEFT 0
#define subscribe_to_server() skip
#endif

#ifndef OWN
#define OWN 0   /* mask of the writers of the readers' process */
#endif

/* sdi_local_changed, sdi_local_forget_all */
inline hear_change()
{
    kept.stored = 0; kept.shows = 0; kept.checked = 0; changed = BIT(READERS + 1) - 1
}

/* In the script that moves the fence, or deletes it. */
inline publish(had_fence)
{
    if
    :: line != BROKEN && !IS_LEFT && (had_fence || RULE(local_publish)) && pong -> behind++
    :: line != BROKEN && !IS_LEFT && (had_fence || RULE(local_publish)) && !pong -> ahead++
    :: else
    fi
}

/* What a process wrote itself, in any session, it hears of before the write returns. */
inline own_change()
{
    if
    :: (BIT(me) & OWN) && RULE(local_own) -> hear_change(); TELL("drops what it wrote from the local cache")
    :: else
    fi
}

inline forget_line()
{
    ahead = 0; behind = 0; pong = 0; pinged = 0; ping_mark = 0
}

inline forget_at(stage)
{
    if
    :: RULE(local_lost) && (RULE(local_forget_last) == (stage == HEARD)) -> hear_change(); TELL("forgets all that is local")
    :: else
    fi
}

active proctype listener()
{
    do
    :: d_step { ahead -> ahead--; hear_change(); TELL("hears of a change") }
    :: d_step { pong && !ahead ->
        watermark = (RULE(local_ping_sent) -> ping_mark : returned);
        ahead = behind; behind = 0; pong = 0; pinged = 0; ping_mark = 0;
        TELL("has the answer to the PING: all is heard that returned until it was sent: {%x}", watermark)
       }
    :: d_step { line == HEARD && !pinged && watermark != BIT(WRITERS) - 1 ->
        pinged = 1; ping_mark = returned; TELL("sends a PING")
       }
    :: d_step { line == HEARD && pinged && !pong && (!IS_LEFT || !RULE(local_primary)) ->
        pong = 1; TELL("its PING is answered")
       }
    :: d_step { line == HEARD -> line = BROKEN; forget_line(); TELL("has lost the subscription, and what was on its way") };
        d_step { forget_at(BROKEN) };
        d_step { line = SUBSCRIBED; subscribe_to_server(); TELL("has subscribed anew") };
        d_step { forget_at(HEARD); line = HEARD }
    od
}

active proctype clock()
{
    do
    :: d_step { returned & ~aged & 1 -> aged = aged | 1; TELL("the bound has passed since write 1 returned") }
#if WRITERS > 1
    :: d_step { returned & ~aged & 2 -> aged = aged | 2; TELL("the bound has passed since write 2 returned") }
#endif
    od
}

/* The clock, the watermark, and then sdi_local_get. */
inline take_clock(r)
{
    r.old = aged; r.needs = aged | (returned & OWN) | r.token;
    TELL("begins, must show writes {%x} also from the local cache", r.needs)
}

inline take_watermark(r)
{
    r.mark = watermark
}

inline take_local(r)
{
    r.found.stored = kept.stored; r.found.shows = kept.shows; r.found.checked = kept.checked
}

#define LOCAL_PASSES(r) \
    (r.found.stored && (CONTAINS(r.mark, r.old) || !RULE(local_watermark)) && \
     (CONTAINS(r.mark, r.token) || CONTAINS(r.found.checked, r.token) || !RULE(local_token)))

inline forget_local(r)
{
    r.old = 0; r.mark = 0; r.needs = 0; r.token = 0; r.found.stored = 0; r.found.shows = 0; r.found.checked = 0
}

inline local_answer(r)
{
    r.shows = r.found.shows; TELL("has it in the local cache"); answer(r); r.shows = 0; forget_local(r)
}

/* sdi_local_moment, before the multi-get is sent */
inline take_moment(r)
{
    changed = changed & ~BIT(me); r.checked = returned
}

/* sdi_local_put */
inline local_put(r)
{
    if
    :: !(changed & BIT(me)) || !RULE(local_insert) ->
        kept.stored = 1; kept.shows = r.shows; kept.checked = r.checked; TELL("puts it into the local cache")
    :: else -> TELL("heard of a change meanwhile: nothing goes into the local cache")
    fi;
    changed = changed | BIT(me); r.checked = 0
}
#endif
