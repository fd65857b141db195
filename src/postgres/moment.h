/* moment.h - asking a server where it stands: role, era, and the stamp or point of this moment.
 *
 * The question is a command that goes before the reads of a batch (then it is their stamp) or after a COMMIT (then it
 * is the point that the write's fences must demand). */
#ifndef SDI_POSTGRES_MOMENT_H
#define SDI_POSTGRES_MOMENT_H

#include "model/stamp.h"
#include "postgres/connection.h"

typedef struct sdi_moment {
    int64_t asked_at; /* sdi_now, before the server said this; the caller's to fill, 0 unknown */
    bool standby;
    sdi_era era;               /* timeline 0: not known (wal receiver down, or not allowed to look) */
    sdi_lsn replay;            /* standby: replayed */
    sdi_lsn received;          /* standby: received, 0 unknown */
    sdi_lsn flush;             /* primary */
    sdi_lsn insert;            /* primary, settled */
    bool snapshot_known;       /* primary: the next two were read */
    sdi_snapshot contained;    /* primary: the snapshot as a stamp's: certainly finished */
    sdi_snapshot demanded;     /* primary: the same as a point's: perhaps finished */
    uint64_t next;             /* primary: the xid that is given out next, read after the snapshot; 0 unknown. Asked in
                                * a transaction that has an xid, it is that one and of no use */
    double replay_age_seconds; /* standby: since the last replayed commit; -1 unknown */
} sdi_moment;

/* sdi_moment_command is the question, as a command for sdi_pg_run or sdi_pg_read (prepared where that is on). */
sdi_pg_command sdi_moment_command(void);
/* sdi_moment_of is the same of a server whose role is known, at a fraction of the cost. sdi_moment_missed: that role is
 * not its role any more; it has to be asked by sdi_moment_command. */
sdi_pg_command sdi_moment_of(bool primary);
bool sdi_moment_missed(const sdi_pg_command *asked);
/* sdi_moment_read reads the answer to either; false if it is malformed, or of a server of the other role. */
bool sdi_moment_read(const sdi_pg_connection *connection, const shopdata_result *answer, sdi_moment *moment_out);

/* What an answer that was asked for after this moment on the same connection certainly contained. False if unknown. */
bool sdi_moment_stamp(const sdi_moment *moment, sdi_stamp *stamp_out);
/* sdi_reached_command asks a server of this role how far it has come, behind the reads of a batch: sdi_reached_read
 * reads from the answer so far all that they saw lies at most; 0: not known, its role is another one by now. */
sdi_pg_command sdi_reached_command(bool primary);
sdi_lsn sdi_reached_read(const shopdata_result *answer);
/* sdi_moment_floor: the point that demands all writes that had returned before this moment of the primary. */
bool sdi_moment_floor(const sdi_moment *moment, sdi_point *point_out);
/* sdi_moment_pending: what may commit at any moment after this one, without a mark that tells of it: who runs, and who
 * has an xid but is not in the snapshot yet. False if that is not known, or more than fits. */
bool sdi_moment_pending(const sdi_moment *moment, sdi_pendings *pending_out);
/* sdi_moment_settles: which of these have finished for certain by this moment of the primary: they are in its snapshot,
 * or their xid is to be given out again, so that they were lost in a crash. With the floor of the moment they may be
 * settled. */
void sdi_moment_settles(const sdi_moment *moment, const sdi_pendings *pending, sdi_pendings *settled_out);
/* sdi_moment_written: the point that demands the write this connection has just committed; needs the flush position
 * only, where that COMMIT was `synchronous`: it waited for the flush. */
bool sdi_moment_written(const sdi_moment *moment, bool synchronous, sdi_point *point_out);

#endif
