/* writer.pml - a write that is a transaction of its own: src/client/write.c. It may die at any step: that is never to
 * take the next one. */

/* sdi_fence */
inline bump(to, tag)
{
    if
    :: BUMPS(me, tag) ->
#if STRICT
        settle_fence(tag, BIT(me));
#endif
        merge_fence(tag, to); TELL("moves fence %d", tag)
    :: else
    fi
}

/* The backend: a commit's record is written, and flushed, before it is visible. Who is first does not matter: they come
 * by number. */
#if STRICT
/* sdi_xid_command. Who is first does not matter: they come by number. */
inline begin_write()
{
    next_xid == me -> next_xid++; TELL("begins, its xid is %d", me + 1)
}

/* put_mark; without its tags being marked a write is rolled back */
inline mark(tag)
{
    if
    :: BUMPS(me, tag) && RULE(mark) -> mark_fence(tag, me); TELL("marks fence %d", tag)
    :: else
    fi
}

inline commit()
{
    inserted++; wal[inserted] = BIT(me); lsn = inserted; TELL("commits: its record is %d", inserted)
}
#else
inline commit()
{
    inserted == me && MAY_BEGIN(me) -> inserted++; wal[inserted] = BIT(me); lsn = inserted;
    TELL("commits: its record is %d", inserted)
}
#endif

inline appear()
{
    ASYNCHRONOUS || flushed >= lsn -> visible = visible | BIT(me); finished = finished | BIT(me); lsn = 0;
    TELL("is visible")
}

inline abort()
{
    d_step { inserted == me -> inserted++; finished = finished | BIT(me); TELL("is rolled back") }
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

#if LOST_CONNECTIONS
/* sdi_fence without a point */
inline delete_fence(tag)
{
    if
    :: BUMPS(me, tag) && RULE(ambiguous_fenced) -> remove_fence(tag); TELL("deletes fence %d", tag)
    :: else
    fi
}

inline delete_fences()
{
    d_step { delete_fence(0); returned = returned | BIT(me); TELL("returns: nobody knows whether it stands") }
}

/* sdi_ambiguous: end_backend comes first. What it ends has committed, or never will. */
inline lose_connection()
{
    if
    :: RULE(backend_ended) ->
        if
        :: d_step { commit() }; d_step { appear() }
        :: abort()
        fi;
        delete_fences()
    :: !RULE(backend_ended) -> delete_fences(); d_step { commit() }; d_step { appear() }
    fi
}
#endif

proctype writer(byte me)
{
    Point p;
    unsigned lsn : 4;

#if LOST_CONNECTIONS
    if
    :: lose_connection(); goto end
    :: skip
    fi;
#endif
#if STRICT
    d_step { begin_write() };
    d_step { mark(0) };
    if
    :: skip
    :: d_step { finished = finished | BIT(me); TELL("is rolled back") };
        d_step { settle_fence(0, BIT(me)) };    /* sdi_mark_withdraw */
        goto end
    fi;
#endif
    d_step { commit() };
    d_step { appear() LATER written_snapshot(p) LATER written_position(p) };
    if
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
    fi;
end:
    skip
}
