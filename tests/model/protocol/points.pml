/* points.pml - stamps, points, and the one rule of freshness: src/model/stamp.c.
 *
 * A snapshot {xmin, xmax, running} is here the set of xids that are finished in it, as a mask: what
 * sdi_snapshot_contains and sdi_point_merge do to the three is inclusion and union of that set. */

typedef Stamp {
    unsigned standby : 1;
    unsigned era : 2;
    unsigned lsn : 4;          /* standby: replayed; primary: flushed */
    unsigned finished : XIDS   /* primary only */
}

typedef Point {
    unsigned era : 2;
    unsigned lsn : 4;
    unsigned flush : 4;
    unsigned finished : XIDS
#if STRICT
    ; unsigned pending : XIDS
#endif
#if MARKS_FLUSH
    ; byte marked[XIDS]        /* of each pending xid: what was flushed when it was marked */
#endif
}

#if MARKS_FLUSH
/* sdi_stamp_finished */
#define FINISHED(s, p, xid) (!(p.pending & BIT(xid)) || ((s.finished & BIT(xid)) && (s.lsn >= p.marked[xid] || !RULE(mark_flush))))
#define ALL_FINISHED(s, p) (FINISHED(s, p, 0) && FINISHED(s, p, 1))
#elif STRICT
#define ALL_FINISHED(s, p) CONTAINS(s.finished, p.pending)
#else
#define ALL_FINISHED(s, p) true
#endif

#if STRICT
#define PENDING(p) (p.pending)
#else
#define PENDING(p) 0
#endif

/* sdi_snapshot_contains */
#define CONTAINS(have, demand) (((demand) & ~(have)) == 0)

/* sdi_stamp_passes */
#define PASSES(s, p) \
    ((s.era == p.era || !RULE(era)) && \
     (s.standby -> ((s.lsn >= p.lsn || !RULE(replayed)) && (PENDING(p) == 0 || !RULE(pending_refuses))) \
                 : ((s.lsn >= p.flush || !RULE(flush_on_primary)) && \
                    ((CONTAINS(s.finished, p.finished) && ALL_FINISHED(s, p)) || !RULE(snapshot_on_primary)))))

inline forget_stamp(it)
{
    it.standby = 0; it.era = 0; it.lsn = 0; it.finished = 0
}

inline copy_stamp(to, from)
{
    to.standby = from.standby; to.era = from.era; to.lsn = from.lsn; to.finished = from.finished
}

inline forget_point(it)
{
    it.era = 0; it.lsn = 0; it.flush = 0; it.finished = 0;
#if STRICT
    it.pending = 0;
#endif
#if MARKS_FLUSH
    x = 0;
    do :: x < XIDS -> it.marked[x] = 0; x++ :: else -> x = 0; break od;
#endif
    skip
}

inline copy_point(to, from)
{
    to.era = from.era; to.lsn = from.lsn; to.flush = from.flush; to.finished = from.finished;
#if STRICT
    to.pending = from.pending;
#endif
#if MARKS_FLUSH
    x = 0;
    do :: x < XIDS -> to.marked[x] = from.marked[x]; x++ :: else -> x = 0; break od;
#endif
    skip
}

#define LAST(a, b) ((a) > (b) -> (a) : (b))

/* sdi_point_merge, of the same era */
inline merge_point(to, from)
{
    to.lsn = LAST(to.lsn, from.lsn);
    to.flush = LAST(to.flush, from.flush);
    if
    :: RULE(point_whole) -> to.finished = to.finished | from.finished
    :: else
    fi
}
