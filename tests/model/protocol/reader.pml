/* reader.pml - a read of a cached statement, again and again: src/client/read.c. */

typedef Read {
    unsigned needs : WRITERS;   /* the writes that its answer must show */
    unsigned stored : 1;        /* an entry was found */
    unsigned shows : WRITERS;
    Stamp stamp;
    unsigned missing : TAGS;    /* mask of the fences that were not there */
    Point demand[TAGS]          /* what each fence demands; the floor, where it was missing */
#if STRICT
    ; unsigned running : XIDS;  /* what the floor has pending */
    unsigned settled : XIDS;    /* found pending, and finished */
    unsigned settle_lsn : 4
#endif
#if MARKS_FLUSH
    ; unsigned lost : XIDS      /* found pending, and lost in a crash */
#endif
#if FLIGHTS
    ; unsigned leads : 1
#endif
#if LATE_OPERATION
    ; unsigned unconfirmed : 1; /* the placeholder was not answered */
    unsigned nonces : 1         /* how many are used up */
#endif
#if LOCAL
    ; unsigned token : WRITERS; /* what had returned when the session's token was made */
    unsigned old : WRITERS;     /* what had aged when it began */
    unsigned mark : WRITERS;    /* the watermark */
    unsigned checked : WRITERS; /* what had returned when the multi-get was sent */
    Kept found
#endif
}

inline forget_answer(r)
{
    r.stored = 0; r.shows = 0; forget_stamp(r.stamp)
}

/* What is no longer needed is forgotten, so that fewer states differ. */
inline forget_demand(r)
{
    r.missing = 0; forget_point(r.demand[0]);
#if STRICT
    r.running = 0; r.settled = 0; r.settle_lsn = 0;
#endif
#if MARKS_FLUSH
    r.lost = 0;
#endif
#if TAGS > 1
    forget_point(r.demand[1]);
#endif
    skip
}

inline forget_judged(r)
{
    r.needs = 0;
    if
#if STRICT
    :: r.missing == 0 && r.settled == 0 -> forget_demand(r)
#else
    :: r.missing == 0 -> forget_demand(r)
#endif
    :: else
    fi
}

inline forget_read(r)
{
    r.needs = 0; forget_answer(r); forget_demand(r)
}

/* sdi_answer_passes, of one tag: before the floor was sampled, and after, when it stands for what was missing */
#define TAG_PASSES(r, tag) \
    (!HANGS(tag, r.shows) || (r.missing & BIT(tag) -> !RULE(missing_is_miss) : PASSES(r.stamp, r.demand[tag])))
#define TAG_FRESH(r, tag) (!HANGS(tag, r.shows) || PASSES(r.stamp, r.demand[tag]))

/* sdi_answer_passes */
#if TAGS > 1
#define ALL_PASS(r) (TAG_PASSES(r, 0) && (TAG_PASSES(r, 1) || !RULE(all_tags)))
#define ALL_FRESH(r) (TAG_FRESH(r, 0) && (TAG_FRESH(r, 1) || !RULE(all_tags)))
#else
#define ALL_PASS(r) TAG_PASSES(r, 0)
#define ALL_FRESH(r) TAG_FRESH(r, 0)
#endif

/* What is promised. */
inline answer(r)
{
    TELL("answers with writes {%x}, must show {%x}", r.shows, r.needs);
    assert(CONTAINS(r.shows, r.needs & visible)) /* but for what a crash has lost since */
}

inline begin(r)
{
    r.needs = PROMISED; TELL("begins, must show writes {%x}", r.needs)
}

/* sdi_lookup, the GET of the entry */
inline get_entry(r)
{
    r.stored = entry.stored; r.shows = entry.shows; copy_stamp(r.stamp, entry.stamp);
    if
    :: r.stored -> TELL("finds an entry with writes {%x}", r.shows)
    :: else
    fi
}

/* A fence whose floor does not know who was running is none for strict readers. */
#if FENCED_READERS
#define IS_TRUSTED(tag) (fence[tag].strict || !IS_STRICT(me) || !RULE(fence_of_mode))
#else
#define IS_TRUSTED(tag) true
#endif

/* The GET of a fence, and take_fences: a placeholder is missing too. */
inline get_fence(r, tag)
{
    if
    :: STANDS(tag, FENCE) && IS_TRUSTED(tag) -> copy_point(r.demand[tag], fence[tag].point); TELL("finds fence %d", tag)
    :: else -> r.missing = r.missing | BIT(tag); TELL("misses fence %d", tag)
    fi
}

/* sdi_nonce: random; the reader's own number will do, as long as no operation comes late */
#if LATE_OPERATION
#define NONCE(r) (r.nonces * READERS + me)
#else
#define NONCE(r) me
#endif

/* add_placeholders */
inline claim(r, tag)
{
    if
    :: r.missing & BIT(tag) ->
#if FENCED_READERS
        if
        :: STANDS(tag, FENCE) && !IS_TRUSTED(tag) -> remove_fence(tag)
        :: else
        fi;
#endif
        add_placeholder(tag, NONCE(r)); TELL("puts a placeholder for fence %d", tag)
    :: else
    fi
}

/* sdi_floor_sample, sdi_moment_floor: one statement. The snapshot it runs in comes first, every position after it. */
inline sample_snapshot(r, tag)
{
    if
    :: r.missing & BIT(tag) ->
        r.demand[tag].finished = finished; TELL("asks the primary for its snapshot: finished {%x}", finished)
#if STRICT
        /* sdi_moment_pending, of which the reader himself demands nothing: who was running could not be seen yet */
        r.running = IS_STRICT(me) * RUNNING & ((RULE(running_pending) * BELOW_XMAX) | (RULE(next_pending) * (15 - BELOW_XMAX)));
#endif
    :: else
    fi
}

inline sample_positions(r, tag)
{
    if
    :: r.missing & BIT(tag) ->
        r.demand[tag].era = timeline; r.demand[tag].lsn = inserted; r.demand[tag].flush = flushed;
        TELL("and for its positions: %d inserted, %d flushed", inserted, flushed)
    :: else
    fi
}

/* add_swaps */
inline install(r, tag)
{
    if
    :: r.missing & BIT(tag) ->
#if STRICT
        r.demand[tag].pending = r.running;
#endif
#if MARKS_FLUSH
        r.demand[tag].marked[0] = ((r.running & 1) -> r.demand[tag].flush : 0);
        r.demand[tag].marked[1] = ((r.running & 2) -> r.demand[tag].flush : 0);
#endif
        swap_placeholder(tag, NONCE(r), r.demand[tag])
    :: else
    fi
}

/* sdi_ask_read on the standby: the first statement tells how far it has replayed */
inline standby_moment(r)
{
    r.stamp.standby = 1; r.stamp.era = timeline; r.stamp.lsn = replayed; TELL("the standby has replayed %d", replayed)
}

inline standby_query(r)
{
    r.shows = shown; TELL("the standby shows writes {%x}", shown)
}

inline primary_snapshot(r)
{
    r.stamp.era = timeline; r.stamp.finished = finished; TELL("the primary's snapshot has finished {%x}", finished)
}

inline primary_position(r)
{
    r.stamp.lsn = flushed; TELL("the primary has flushed %d", flushed)
}

#if STRICT
/* sdi_settle_find */
inline settle_positions(r)
{
    r.settle_lsn = (r.demand[0].pending -> inserted : 0)
}

#if MARKS_FLUSH
/* sdi_moment_settles: what was given out before a crash, and not since */
#define LOST(r, xid) (BIT(xid) * (next_xid <= xid && (r.demand[0].pending & BIT(xid)) && \
    (r.demand[0].marked[xid] < r.stamp.lsn || !RULE(lost_before))))
#define ENDED(r, xid) (BIT(xid) * (r.demand[0].marked[xid] <= r.stamp.lsn))

inline settle_find(r)
{
    if
    :: r.missing == 0 && r.demand[0].era == r.stamp.era ->
        r.settled = r.demand[0].pending & r.stamp.finished & (ENDED(r, 0) | ENDED(r, 1));
        r.lost = LOST(r, 0) | LOST(r, 1);
        TELL("settles {%x}, of which were lost {%x}", r.settled | r.lost, r.lost)
    :: else
    fi;
    r.settled = r.settled | r.lost;
    r.settle_lsn = (r.settled -> r.settle_lsn : 0)
}
#else
inline settle_find(r)
{
    r.settled = (r.missing & 1 -> 0 : r.demand[0].pending & r.stamp.finished);
    if
    :: r.settled == 0 -> r.settle_lsn = 0
    :: else -> TELL("settles {%x}", r.settled)
    fi
}
#endif

/* sdi_settle_add: the point of the moment that the answer's stamp is of */
inline settle(r)
{
    forget_point(r.demand[0]);
    r.demand[0].era = r.stamp.era; r.demand[0].lsn = r.settle_lsn; r.demand[0].flush = r.stamp.lsn;
    r.demand[0].finished = r.stamp.finished;
    if
    :: STANDS(0, FENCE) && fence[0].point.era == r.stamp.era ->
#if MARKS_FLUSH
        settle_fence(0, r.lost, r.stamp.lsn - RULE(lost_before)); settle_fence(0, r.settled & ~r.lost, r.stamp.lsn)
#else
        settle_fence(0, r.settled, 0)
#endif
    :: else
    fi;
    merge_fence(0, r.demand[0])
}
#endif

inline primary_query(r)
{
    r.shows = visible; TELL("the primary shows writes {%x}", visible)
}

inline ask_standby(r)
{
    if
    :: d_step { RULE(stamp_first) -> standby_moment(r) LATER standby_query(r) }
    :: d_step { !RULE(stamp_first) -> standby_query(r) }; d_step { standby_moment(r) }
    fi
}

inline ask_primary(r)
{
#if STRICT
    if
    :: d_step {
            RULE(settle_position_last) -> primary_snapshot(r) LATER settle_positions(r); primary_position(r) LATER primary_query(r); settle_find(r)
        }
    :: d_step { !RULE(settle_position_last) -> settle_positions(r) };
        d_step { primary_snapshot(r) LATER primary_position(r) LATER primary_query(r); settle_find(r) }
    fi
#else
    d_step { primary_snapshot(r) LATER primary_position(r) LATER primary_query(r) }
#endif
}

inline sample_floor(r)
{
#if TAGS > 1
    d_step { sample_snapshot(r, 0); sample_snapshot(r, 1) LATER sample_positions(r, 0); sample_positions(r, 1) }
#else
    if
    :: d_step { RULE(floor_position_last) -> sample_snapshot(r, 0) LATER sample_positions(r, 0) }
    :: d_step { !RULE(floor_position_last) -> sample_positions(r, 0) }; d_step { sample_snapshot(r, 0) }
    fi
#endif
}

#if STRICT
#define STORES_FENCE(r) (r.missing || r.settled)
#else
#define STORES_FENCE(r) (r.missing)
#endif

/* put_entry */
inline store_entry(r)
{
    entry.stored = 1; entry.shows = r.shows; copy_stamp(entry.stamp, r.stamp); TELL("stores the entry")
}

#if LATE_OPERATION
/* sdi_claim, when the cache does not answer: a new nonce for the next try */
inline lose_placeholder(r)
{
    late = LATE_ADD; late_nonce = NONCE(r); r.unconfirmed = 1; TELL("puts a placeholder, and is not answered")
}

/* sdi_store, the same */
inline lose_swap(r)
{
    late = LATE_SWAP; late_nonce = NONCE(r); copy_point(late_floor, r.demand[0]);
    r.nonces = (RULE(nonce_renewed) -> 1 : 0); TELL("puts the floor, and is not answered")
}
#endif

#if FLIGHTS
/* sdi_flight_board, sdi_flight_land, sdi_flight_wait: one flight at a time, and one who waits. A flight that has landed is
 * no longer found: the next may take off before its answer was taken. */
unsigned flying : 1;
unsigned aboard : 1;
unsigned landed : 1;
unsigned landed_good : 1;
unsigned landed_shows : WRITERS;
Stamp landed_stamp;

inline land(r, good)
{
    if
    :: r.leads && aboard ->
        landed = 1; landed_good = good; landed_shows = r.shows; copy_stamp(landed_stamp, r.stamp); aboard = 0;
        TELL("lands")
    :: else
    fi;
    if
    :: r.leads -> flying = 0; r.leads = 0
    :: else
    fi
}

inline take_landed(r)
{
    r.stored = landed_good; r.shows = landed_shows; copy_stamp(r.stamp, landed_stamp);
    landed = 0; landed_good = 0; landed_shows = 0; forget_stamp(landed_stamp)
}

inline board(r)
{
    if
    :: d_step { !flying -> flying = 1; r.leads = 1 }
    :: flying /* who waited in vain asks alone */
    :: d_step { flying && !aboard && !landed -> aboard = 1; TELL("waits for the answer of another") };
        d_step { landed -> take_landed(r); TELL("is given writes {%x}", r.shows) };
        if
        :: d_step { r.stored && (ALL_PASS(r) || !RULE(joiner_judges)) -> answer(r); forget_read(r) }
        :: d_step { else -> forget_read(r); TELL("cannot use it") }
        fi;
        goto again
    fi
}
#else
inline land(r, good) { skip }
#endif

proctype reader(byte me)
{
    Read r;

again:
#if LOCAL
    if
    :: d_step { returned != 0 -> r.token = returned; TELL("takes a token that knows writes {%x}", r.token) }
    :: true
    fi;
    d_step { take_clock(r) };
    if
    :: d_step { RULE(local_watermark_first) -> take_watermark(r) }; d_step { take_local(r) }
    :: d_step { !RULE(local_watermark_first) -> take_local(r) }; d_step { take_watermark(r) }
    fi;
    if
    :: d_step { LOCAL_PASSES(r) -> local_answer(r) }; goto again
    :: d_step { forget_local(r) }
    fi;
#endif
    atomic {
        if
        :: d_step {
            begin(r);
#if LOCAL
            take_moment(r);
#endif
            get_entry(r)
#if TAGS > 1
            LATER
            get_fence(r, 1)
#endif
            LATER
            get_fence(r, 0)
           }
        fi;
        if /* judge_entry; or it was evicted */
#if LOCAL
        :: d_step { r.stored && ALL_PASS(r) -> answer(r); forget_demand(r) }; goto put
#else
        :: d_step { r.stored && ALL_PASS(r) -> answer(r); forget_read(r) }; goto again
#endif
        :: d_step { forget_answer(r); TELL("finds nothing to use") }
        fi;
#if FLIGHTS
    };
    board(r);
    atomic {
#endif
        if
        :: r.missing == 0 -> goto ask
        :: else
        fi
    };

    /* ask_and_store: claim, find_floor */
    if
    :: d_step { RULE(placeholder_first) -> claim(r, 0) };
#if TAGS > 1
        d_step { claim(r, 1) };
#endif
        sample_floor(r)
    :: !RULE(placeholder_first) -> sample_floor(r); d_step { claim(r, 0) }
#if LATE_OPERATION
    :: d_step { late == NONE -> lose_placeholder(r) }; sample_floor(r)
#endif
    fi;

    /* sdi_round_ask */
ask:
    if
#if STRICT
    :: r.demand[0].pending == 0 -> ask_standby(r) /* sdi_is_pending */
#else
    :: ask_standby(r)
#endif
    :: ask_primary(r)
    :: d_step { r.missing != 0 -> TELL("gives up"); land(r, 0); forget_read(r) }; goto again
    fi;
    if
    :: d_step { r.stamp.standby && !ALL_FRESH(r) -> forget_answer(r); TELL("that is too old") }; goto ask
    :: d_step { else -> answer(r); forget_judged(r) }
    fi;

    /* sdi_store */
    if
#if LOCAL
    :: d_step { !STORES_FENCE(r) -> skip }
#else
    :: d_step { !STORES_FENCE(r) -> store_entry(r); land(r, 1); forget_read(r) }; goto again
#endif
#if LATE_OPERATION
    :: d_step { r.missing != 0 && r.unconfirmed && RULE(placeholder_confirmed) ->
        r.unconfirmed = 0; r.nonces = 1; forget_demand(r); TELL("installs no fence, for the placeholder was not confirmed")
       }
    :: d_step { r.missing != 0 && late == NONE -> lose_swap(r); forget_demand(r) }
    :: d_step { r.missing != 0 && (!r.unconfirmed || !RULE(placeholder_confirmed)) -> install(r, 0); forget_demand(r) }
#elif TAGS > 1
    :: d_step { r.missing != 0 -> install(r, 0) }; d_step { install(r, 1); forget_demand(r) }
#else
    :: d_step { r.missing != 0 -> install(r, 0); forget_demand(r) }
#endif
#if STRICT
    :: d_step { r.settled -> settle(r); forget_demand(r) }
#endif
    fi;
#if LOCAL
    d_step { store_entry(r) };
put:
    skip;
    d_step { local_put(r); forget_read(r) };
#else
    d_step { store_entry(r); land(r, 1); forget_read(r) };
#endif
    goto again
}
