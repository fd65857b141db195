/* cache.pml - the shared cache: one entry, and the fences of its tags. Each operation is one step, as a script of Redis
 * is, or a compare-and-swap of memcached that succeeds. */

#define MISSING 0       /* SDI_FENCE_MISSING */
#define PLACEHOLDER 1   /* SDI_FENCE_PLACEHOLDER */
#define FENCE 2         /* SDI_FENCE_POINT */

typedef Record {
    unsigned kind : 2;
    unsigned nonce : 3;
    Point point
}

typedef Entry {
    unsigned stored : 1;
    unsigned shows : WRITERS;
    Stamp stamp
}

Record fence[TAGS];
Entry entry;

/* SDI_CACHE_REMOVE */
inline remove_fence(tag)
{
    fence[tag].kind = MISSING; fence[tag].nonce = 0; forget_point(fence[tag].point)
}

/* SDI_CACHE_ADD: add.lua */
inline add_placeholder(tag, number)
{
    if
    :: fence[tag].kind == MISSING -> fence[tag].kind = PLACEHOLDER; fence[tag].nonce = number
    :: else
    fi
}

/* SDI_CACHE_SWAP: swap.lua */
inline swap_placeholder(tag, number, floor)
{
    if
    :: fence[tag].kind == PLACEHOLDER && (fence[tag].nonce == number || !RULE(nonce)) ->
        fence[tag].kind = FENCE; fence[tag].nonce = 0; copy_point(fence[tag].point, floor);
        TELL("puts the floor in place of the placeholder")
    :: else -> TELL("finds his placeholder gone, and installs no fence")
    fi
}

/* SDI_CACHE_MERGE: sdi_fence_merge, merge.lua */
inline merge_fence(tag, change)
{
    if
    :: fence[tag].kind == FENCE -> merge_point(fence[tag].point, change)
    :: fence[tag].kind == PLACEHOLDER && RULE(writer_ends_placeholder) -> remove_fence(tag)
    :: fence[tag].kind == MISSING && !RULE(writer_makes_no_fence) ->
        fence[tag].kind = FENCE; copy_point(fence[tag].point, change)
    :: else
    fi
}

#if STRICT
/* SDI_CACHE_MERGE of a mark */
inline mark_fence(tag, xid)
{
    if
    :: fence[tag].kind == FENCE -> fence[tag].point.pending = fence[tag].point.pending | BIT(xid)
    :: fence[tag].kind == PLACEHOLDER && RULE(mark_ends_placeholder) -> remove_fence(tag)
    :: else
    fi
}

/* sdi_pending_settle: what SDI_CACHE_MERGE takes out */
inline settle_fence(tag, xids)
{
    if
    :: fence[tag].kind == FENCE -> fence[tag].point.pending = fence[tag].point.pending & ~(xids)
    :: else
    fi
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
