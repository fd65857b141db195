/* writer.pml - a write that is a transaction of its own: src/client/write.c. It may die at any step: that is never to
 * take the next one. */

#if RECOVERIES
byte begun;                     /* so many writes */
#define MINE begun
#else
#if STRICT
#define MINE next_xid
#else
#define MINE inserted
#endif
#define born 0
#endif

/* It takes no further step. */
#define ENDED_WRITE false

/* sdi_xid_command. Who is first does not matter: they come by number. */
inline take_xid()
{
#if RECOVERIES
    xid_of[me] = next_xid; begun++; born = restarts;
#endif
    next_xid++
}

/* The backend: a commit's record is written, and flushed, before it is visible. */
inline commit()
{
    inserted++; wal[inserted] = BIT(me); lsn = inserted; TELL("commits: its record is %d", inserted)
}

inline appear()
{
    born == restarts && (ASYNCHRONOUS || flushed >= lsn) ->
    visible = visible | BIT(me); finished = finished | BIT(XID_OF(me)); lsn = 0; TELL("is visible")
}

inline abort()
{
    MINE == me -> take_xid(); inserted++; finished = finished | BIT(XID_OF(me)); TELL("is rolled back")
}

/* sdi_moment_written */
inline written_snapshot(to)
{
    to.finished = finished
}

inline written_position(to)
{
    to.era = timeline; to.lsn = (ASYNCHRONOUS && RULE(insert_when_async) -> inserted : flushed); to.flush = to.lsn;
    TELL("is told OK, and the position %d", to.lsn)
}

/* sdi_fence */
inline bump(to, tag)
{
    if
    :: BUMPS(me, tag) ->
#if STRICT
        if
        :: STANDS(tag, FENCE) && fence[tag].point.era == to.era -> settle_fence(tag, BIT(XID_OF(me)), to.flush)
        :: else
        fi;
#endif
#if LOCAL
        publish(STANDS(tag, FENCE));
#endif
        merge_fence(tag, to); TELL("moves fence %d", tag)
    :: else
    fi
}

/* sdi_fence without a point */
inline delete_fence(tag)
{
    if
    :: BUMPS(me, tag) && RULE(ambiguous_fenced) -> remove_fence(tag); TELL("deletes fence %d", tag)
    :: else
    fi
}

/* sdi_ambiguous */
inline delete_fences()
{
    delete_fence(0); returned = returned | BIT(me); lsn = 0; TELL("returns: nobody knows whether it stands")
}

#if STRICT
/* put_mark; a write whose mark the cache did not take is rolled back */
inline mark(tag)
{
    if
    :: RULE(mark) -> mark_fence(tag, XID_OF(me), marked); TELL("marks fence %d", tag)
    :: else
    fi
}

/* sdi_mark_withdraw */
inline withdraw(tag)
{
    if
    :: STANDS(tag, FENCE) && fence[tag].point.era == born_in -> settle_fence(tag, BIT(XID_OF(me)), marked)
    :: else
    fi;
    marked = 0; TELL("withdraws his mark of fence %d", tag)
}

inline mark_first()
{
    d_step { MINE == me -> take_xid(); marked = flushed; born_in = timeline; TELL("begins, its xid is %d", XID_OF(me) + 1) };
    d_step { born == restarts -> mark(0) };
    if
    :: d_step { born == restarts -> commit() }
    :: d_step { born == restarts -> finished = finished | BIT(XID_OF(me)); TELL("is rolled back") };
        d_step { withdraw(0) };
        ENDED_WRITE
#if RECOVERIES
    :: d_step { born != restarts -> withdraw(0) }; ENDED_WRITE
#endif
    fi
}
#endif

#if LOST_CONNECTIONS
/* sdi_ambiguous: end_backend comes first. What it ends has committed, or never will. */
inline lose_connection()
{
    if
    :: RULE(backend_ended) ->
        if
        :: d_step { MINE == me -> take_xid(); commit() }; d_step { appear() }
        :: d_step { abort() }
        fi;
        d_step { delete_fences() }
    :: !RULE(backend_ended) ->
        d_step { delete_fences() };
        d_step { MINE == me -> take_xid(); commit() };
        d_step { appear() }
    fi
}
#endif

proctype writer(byte me)
{
    Point p;
    unsigned lsn : 4;
#if RECOVERIES
    unsigned born : 1;          /* its connection is of before a restart, or after */
#endif
#if STRICT
    unsigned marked : 4;        /* what was flushed when it was marked */
    unsigned born_in : 2;
#endif

#if LOST_CONNECTIONS
    if
    :: lose_connection(); ENDED_WRITE
    :: skip
    fi;
#endif
#if STRICT
    mark_first();
#else
    d_step { MINE == me && MAY_BEGIN(me) -> take_xid(); commit() };
#endif
    if
    :: d_step { appear() LATER written_snapshot(p) LATER written_position(p) }
#if RECOVERIES
    :: d_step { born != restarts -> delete_fences() }; ENDED_WRITE
#endif
    fi;
    if
#if LOCAL
    :: d_step { RULE(local_own_last) -> bump(p, 0) }; d_step { own_change() };
        d_step { returned = returned | BIT(me); forget_point(p); TELL("returns") }
    :: d_step { !RULE(local_own_last) -> own_change() }; d_step { bump(p, 0) };
        d_step { returned = returned | BIT(me); forget_point(p); TELL("returns") }
#else
    :: d_step { RULE(fence_before_return) ->
#if TAGS > 1
        bump(p, 1)
        LATER
#endif
        bump(p, 0)
        LATER
        returned = returned | BIT(me); forget_point(p); TELL("returns")
       }
    :: d_step { !RULE(fence_before_return) -> returned = returned | BIT(me); forget_point(p); TELL("returns") }
#endif
    fi
}
