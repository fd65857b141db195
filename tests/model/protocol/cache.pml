/* cache.pml - the shared cache: one entry, and the fences of its tags. Each operation is one step, as a script of Redis
 * is, or a compare-and-swap of memcached that succeeds. */

#define MISSING 0       /* SDI_FENCE_MISSING */
#define PLACEHOLDER 1   /* SDI_FENCE_PLACEHOLDER */
#define FENCE 2         /* SDI_FENCE_POINT */

typedef Record {
    unsigned kind : 2;
    unsigned nonce : 3;
#if CACHE_FAILOVERS
    unsigned epoch : 1;
#endif
#if FENCED_READERS
    unsigned strict : 1;    /* the letter S: its floor took as pending who was running */
#endif
    Point point
}

typedef Entry {
    unsigned stored : 1;
    unsigned shows : WRITERS;
    Stamp stamp
}

Record fence[TAGS];
Entry entry;

#if CACHE_FAILOVERS
unsigned epoch : 1;     /* of the server: a value of another one counts as missing */
#define OF_EPOCH(tag) (fence[tag].epoch == epoch || !RULE(epoch))
#define SET_EPOCH(tag) fence[tag].epoch = epoch
#else
#define OF_EPOCH(tag) true
#define SET_EPOCH(tag) skip
#endif
#define STANDS(tag, what) (fence[tag].kind == what && OF_EPOCH(tag))

/* SDI_CACHE_REMOVE */
inline remove_fence(tag)
{
    fence[tag].kind = MISSING; fence[tag].nonce = 0; forget_point(fence[tag].point);
#if CACHE_FAILOVERS
    fence[tag].epoch = 0;
#endif
#if FENCED_READERS
    fence[tag].strict = 0;
#endif
    skip
}

/* SDI_CACHE_ADD: add.lua */
inline add_placeholder(tag, number)
{
    if
    :: fence[tag].kind == MISSING || !OF_EPOCH(tag) ->
        remove_fence(tag); fence[tag].kind = PLACEHOLDER; fence[tag].nonce = number; SET_EPOCH(tag)
    :: else
    fi
}

/* SDI_CACHE_SWAP: swap.lua */
inline swap_placeholder(tag, number, floor)
{
    if
    :: STANDS(tag, PLACEHOLDER) && (fence[tag].nonce == number || !RULE(nonce)) ->
        fence[tag].kind = FENCE; fence[tag].nonce = 0; copy_point(fence[tag].point, floor);
#if FENCED_READERS
        fence[tag].strict = IS_STRICT(me);
#endif
        TELL("puts the floor in place of the placeholder")
    :: else -> TELL("finds his placeholder gone, and installs no fence")
    fi
}

/* SDI_CACHE_MERGE: sdi_fence_merge, merge.lua */
inline merge_fence(tag, change)
{
    if
    :: STANDS(tag, FENCE) && (fence[tag].point.era == change.era || !RULE(era)) -> merge_point(fence[tag].point, change)
    :: STANDS(tag, FENCE) && fence[tag].point.era < change.era && RULE(era) -> remove_fence(tag)
    :: STANDS(tag, PLACEHOLDER) && RULE(writer_ends_placeholder) -> remove_fence(tag)
    :: fence[tag].kind != MISSING && !OF_EPOCH(tag) -> remove_fence(tag)
    :: fence[tag].kind == MISSING && !RULE(writer_makes_no_fence) ->
        fence[tag].kind = FENCE; copy_point(fence[tag].point, change)
    :: else
    fi
}

#if STRICT
/* SDI_CACHE_MERGE of a mark */
inline mark_fence(tag, xid, at)
{
    if
    :: STANDS(tag, FENCE) && fence[tag].point.era == timeline ->
        fence[tag].point.pending = fence[tag].point.pending | BIT(xid);
#if MARKS_FLUSH
        fence[tag].point.marked[xid] = LAST(fence[tag].point.marked[xid], at);
#endif
    :: STANDS(tag, FENCE) && fence[tag].point.era < timeline -> remove_fence(tag)
    :: STANDS(tag, PLACEHOLDER) && RULE(mark_ends_placeholder) -> remove_fence(tag)
    :: else
    fi
}

/* sdi_pending_settle: what SDI_CACHE_MERGE takes out */
inline settle_fence(tag, xids, upto)
{
#if MARKS_FLUSH
    x = 0;
    do
    :: x < XIDS && ((xids) & BIT(x)) && (fence[tag].point.marked[x] <= upto || !RULE(settle_flush)) ->
        fence[tag].point.pending = fence[tag].point.pending & ~BIT(x); fence[tag].point.marked[x] = 0; x++
    :: x < XIDS && !(((xids) & BIT(x)) && (fence[tag].point.marked[x] <= upto || !RULE(settle_flush))) -> x++
    :: x >= XIDS -> x = 0; break
    od
#else
    fence[tag].point.pending = fence[tag].point.pending & ~(xids)
#endif
}
#endif

#if LATE_OPERATION
/* An operation that was not answered in time may still be carried out, once in all. */
#define NONE 0
#define LATE_ADD 1
#define LATE_SWAP 2
#define CARRIED_OUT 3

unsigned late : 2;
unsigned late_nonce : 3;
Point late_floor;

active proctype network()
{
    if
    :: d_step {
        late == LATE_ADD -> add_placeholder(0, late_nonce); late = CARRIED_OUT; late_nonce = 0;
        TELL("carries out the late placeholder")
       }
    :: d_step {
        late == LATE_SWAP -> swap_placeholder(0, late_nonce, late_floor); late = CARRIED_OUT; late_nonce = 0;
        forget_point(late_floor)
       }
    fi
}
#endif

/* Memory is short: anything may vanish at any time. */
active proctype eviction()
{
    do
    :: d_step { fence[0].kind != MISSING -> remove_fence(0); TELL("evicts the fence %d", 0) }
#if TAGS > 1
    :: d_step { fence[1].kind != MISSING -> remove_fence(1); TELL("evicts the fence %d", 1) }
#endif
    od
}

#if CACHE_FAILOVERS
/* A copy of the server follows, some way behind, and takes over without the last of what was put. */
Record copied_fence;
Entry copied_entry;

inline copy_record(to, from)
{
    to.kind = from.kind; to.nonce = from.nonce; to.epoch = from.epoch; copy_point(to.point, from.point)
}

inline copy_entry(to, from)
{
    to.stored = from.stored; to.shows = from.shows; copy_stamp(to.stamp, from.stamp)
}

active proctype failover()
{
    d_step { copy_record(copied_fence, fence[0]); copy_entry(copied_entry, entry); TELL("the copy of the cache is up to date") };
    d_step {
        copy_record(fence[0], copied_fence); copy_entry(entry, copied_entry); epoch = 1;
        copied_fence.kind = 0; copied_fence.nonce = 0; forget_point(copied_fence.point);
        copied_entry.stored = 0; copied_entry.shows = 0; forget_stamp(copied_entry.stamp);
#if LOCAL
        leave_listener();
#endif
        TELL("the cache server is lost, and its copy takes over")
    }
}
#endif
