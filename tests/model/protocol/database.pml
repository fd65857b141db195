/* database.pml - PostgreSQL: a primary, and a standby that lags.
 *
 * Who writes is a number, and an answer is the set of the writes that it shows, as a mask: any two writes are of
 * different rows that one statement reads. A write's only record in the WAL is that of its commit: an LSN is a count of
 * records. */

unsigned inserted : 4;          /* pg_current_wal_insert_lsn */
unsigned flushed : 4;           /* pg_current_wal_flush_lsn */
byte wal[LSNS];                 /* record 1, 2, ...: the mask of the write that it commits; 0 for a checkpoint */
unsigned visible : WRITERS;     /* what a query on the primary shows */
unsigned finished : XIDS;       /* what its snapshot says */
unsigned next_xid : 3;          /* those below have been given out */
unsigned applied : 4;           /* what a query on the standby shows: all records up to here */
unsigned replayed : 4;          /* pg_last_wal_replay_lsn: counted after it was applied */
unsigned shown : WRITERS;       /* on the standby: the writes of the records that it has applied */

#define BIT(n) (1 << (n))
#define BELOW(n) (BIT(n) - 1)
/* The xids below the snapshot's xmax, which lies behind the last that has finished. */
#define BELOW_XMAX (finished | (finished >> 1) | (finished >> 2) | (finished >> 3))
#define RUNNING (BELOW(next_xid) & ~finished)

#if RECOVERIES
byte timeline = 1;
byte xid_of[WRITERS];
unsigned restarts : 1;          /* connections of before are broken */
#define XID_OF(writer) xid_of[writer]
#else
#define timeline 1
#define restarts 0
#define XID_OF(writer) (writer)
#endif

/* The WAL writer, and with it XLogFlush of a commit that waits for it. */
active proctype walwriter()
{
    do
    :: d_step { flushed < inserted -> flushed++; TELL("the WAL is flushed up to %d", flushed) }
    od
}

/* A standby is sent what was flushed. It applies a record, then counts it as replayed: so what it tells is a lower bound
 * of what the next statement sees, and what it shows may be more, also than the primary shows by then. */
active proctype replay()
{
    do
    :: d_step {
            applied < flushed && timeline == 1 -> applied++; shown = shown | wal[applied]; TELL("applies record %d", applied)
            LATER
            replayed = applied; TELL("counts record %d as replayed", replayed)
       }
    od
}

#if RECOVERIES
/* What was behind `kept` is lost, and its xids are given out again: all of them, which is the worst. Recovery of a crash
 * ends with a record of its own, that is flushed before anybody is let in. (So does a promotion, but its new timeline has
 * to do without.) */
inline recover(kept, own)
{
    visible = 0; next_xid = 0; x = 1;
    do
    :: x <= kept -> visible = visible | wal[x]; x++
    :: x > kept && x <= inserted -> wal[x] = 0; x++
    :: else -> x = 0; break
    od;
    do
    :: x < WRITERS ->
        if
        :: (visible & BIT(x)) && xid_of[x] >= next_xid -> next_xid = xid_of[x] + 1
        :: else
        fi;
        x++
    :: else -> x = 0; break
    od;
    finished = BELOW(next_xid); inserted = kept + own; flushed = inserted; restarts = 1
}

active proctype disaster()
{
    if
#if CRASHES
    :: d_step { recover(flushed, 1); TELL("the primary crashes and is back, with writes {%x}", visible) }
#endif
#if PROMOTIONS
    :: d_step {
        recover(applied, 0); timeline = 2;
        TELL("the primary is lost, and the standby promoted, with writes {%x}", visible)
       }
#endif
    fi
}
#endif
