#include "postgres/moment.h"

#include <stdlib.h>
#include <string.h>

#include "base/proving.h"
#include "model/result.h"

/* A text for each role, which does no more than it must, and one for both: there CASE runs only the branch taken, for a
 * primary's functions fail on a standby. A standby's tell nothing on a primary, so it says that it is one.
 * A standby is never asked for its snapshot: there it lists no running transactions. Its timeline is the wal
 * receiver's: the control file lags a promotion. The question is its own statement, before the read: a replay position
 * bounds the next statement's snapshot, not its own. A primary's snapshot is the one that this statement runs in, so
 * every position is read after it: the insert position covers all that the snapshot sees finished, and whoever has an
 * xid by then is in the snapshot or below the next one. age() tells the distance to that; it is the one thing that
 * does, and it is one value a transaction: of a transaction that has an xid itself, that one's. */
static const char of_primary[] =
    "SELECT 'f', pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8),"
    " pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_snapshot(),"
    " pg_catalog.age('3'::pg_catalog.xid)";
static const char of_standby[] =
    "SELECT pg_catalog.pg_is_in_recovery(), (pg_catalog.pg_stat_get_wal_receiver()).received_tli,"
    " pg_catalog.pg_last_wal_replay_lsn(), pg_catalog.pg_last_wal_receive_lsn(),"
    " pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())";
static const char of_either[] =
    "SELECT CASE WHEN standby THEN 't' ELSE 'f' END,"
    " CASE WHEN standby THEN (SELECT received_tli::text FROM pg_catalog.pg_stat_get_wal_receiver())"
    " ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END,"
    " CASE WHEN standby THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END,"
    " CASE WHEN standby THEN pg_catalog.pg_last_wal_receive_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END,"
    " CASE WHEN standby THEN pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())::text"
    " ELSE pg_catalog.pg_current_snapshot()::text END,"
    " CASE WHEN standby THEN NULL ELSE pg_catalog.age('3'::pg_catalog.xid) END"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby OFFSET 0) AS role";

/* A standby's columns, then a primary's. */
enum { STANDBY, TIMELINE, POSITION, HEAD, REPLAY_AGE, STANDBY_COLUMNS };
enum { SNAPSHOT = REPLAY_AGE, AGE, COLUMNS };

sdi_pg_command sdi_moment_command(void)
{
    return sdi_pg_fixed(of_either);
}

sdi_pg_command sdi_moment_of(bool primary)
{
    return sdi_pg_fixed(primary ? of_primary : of_standby);
}

static sdi_slice text_at(const shopdata_result *answer, size_t column)
{
    sdi_slice text;
    return sdi_result_at(answer, 0, column, &text) ? text : sdi_slice_of("");
}

static uint32_t timeline(const shopdata_result *answer, int base)
{
    return SDI_RULE(era) ? (uint32_t)strtoul(text_at(answer, TIMELINE).data, NULL, base) : 1;
}

static void read_standby(const shopdata_result *answer, sdi_moment *moment)
{
    moment->era.timeline = timeline(answer, 10);
    moment->replay = sdi_lsn_parse(text_at(answer, POSITION));
    moment->received = sdi_lsn_parse(text_at(answer, HEAD));
    sdi_slice age = text_at(answer, REPLAY_AGE);
    moment->replay_age_seconds = age.length > 0 ? strtod(age.data, NULL) : -1;
}

/* The next xid has 32 bits, and may have gone around since the snapshot's xmax, which has 64. */
static uint64_t next_xid(sdi_slice age, uint64_t xmax)
{
    enum { REFERENCE = 3 };
    char *end;
    uint32_t next = (uint32_t)strtol(age.data, &end, 10) + REFERENCE, ahead = next - (uint32_t)xmax;
    return age.length && end == age.data + age.length && ahead <= INT32_MAX ? xmax + ahead : 0;
}

static void read_primary(const shopdata_result *answer, sdi_moment *moment)
{
    moment->era.timeline = timeline(answer, 16);
    moment->flush = sdi_lsn_parse(text_at(answer, POSITION));
    moment->insert = sdi_lsn_settled(sdi_lsn_parse(text_at(answer, HEAD)));
    sdi_slice snapshot = text_at(answer, SNAPSHOT);
    moment->snapshot_known = sdi_snapshot_parse(snapshot, SDI_SNAPSHOT_STAMP, &moment->contained) &&
                             sdi_snapshot_parse(snapshot, SDI_SNAPSHOT_POINT, &moment->demanded);
    moment->next = moment->snapshot_known ? next_xid(text_at(answer, AGE), moment->demanded.xmax) : 0;
}

bool sdi_moment_missed(const sdi_pg_command *asked)
{
    const char *sqlstate = asked->error ? shopdata_error_sqlstate(asked->error) : "";
    if (asked->outcome == SDI_PG_ERROR)
        return asked->sql == of_primary && !strcmp(sqlstate, "55000");
    return asked->outcome == SDI_PG_DONE && asked->sql == of_standby && *text_at(asked->result, STANDBY).data != 't';
}

bool sdi_moment_read(const sdi_pg_connection *connection, const shopdata_result *answer, sdi_moment *moment_out)
{
    size_t columns = shopdata_result_columns(answer);
    sdi_moment moment = {.era.system = sdi_pg_system(connection), .replay_age_seconds = -1};
    moment.standby = *text_at(answer, STANDBY).data == 't';
    if (shopdata_result_rows(answer) != 1 || (columns != COLUMNS && (columns != STANDBY_COLUMNS || !moment.standby)))
        return false;
    if (moment.standby)
        read_standby(answer, &moment);
    else
        read_primary(answer, &moment);
    *moment_out = moment;
    return moment.standby || (moment.flush && moment.insert);
}

/* Asked behind every read, so it does no more than it must: two texts, each an error or empty on the other role. Of a
 * primary all that was inserted by now. A standby may show the effect of a record that it has not counted as replayed
 * yet (a TRUNCATE): the one behind its position, if it is at one. It is not if it has received no more, nor if it stood
 * still before the position was read; so the columns are in this order. */
static const char reached_by_primary[] = "SELECT pg_catalog.pg_current_wal_insert_lsn()";
static const char reached_by_standby[] =
    "SELECT pg_catalog.pg_get_wal_replay_pause_state(), pg_catalog.pg_last_wal_replay_lsn(),"
    " pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_is_in_recovery()";

enum { PAUSE, REPLAYED, RECEIVED, RECOVERING, REACHED_COLUMNS };

sdi_pg_command sdi_reached_command(bool primary)
{
    return sdi_pg_fixed(primary ? reached_by_primary : reached_by_standby);
}

/* Positions of replay are ends of records: who is only a byte further has all of the next one. */
sdi_lsn sdi_reached_read(const shopdata_result *answer)
{
    if (shopdata_result_columns(answer) != REACHED_COLUMNS)
        return sdi_lsn_settled(sdi_lsn_parse(text_at(answer, 0)));
    sdi_lsn replayed = sdi_lsn_parse(text_at(answer, REPLAYED)), received = sdi_lsn_parse(text_at(answer, RECEIVED));
    if (*text_at(answer, RECOVERING).data != 't' || !replayed)
        return 0;
    return replayed == received || sdi_slice_equal(text_at(answer, PAUSE), sdi_slice_of("paused")) ? replayed
                                                                                                   : replayed + 1;
}

/* The flush position tells stamps from before a crash from writes after it: any from before the crash does. */
bool sdi_moment_stamp(const sdi_moment *moment, sdi_stamp *stamp_out)
{
    sdi_stamp stamp = {.era = moment->era, .standby = moment->standby, .snapshot = moment->contained};
    stamp.lsn = moment->standby ? moment->replay : moment->flush;
    if (!sdi_era_known(moment->era) || stamp.lsn == 0 || (!moment->standby && !moment->snapshot_known))
        return false;
    *stamp_out = stamp;
    return true;
}

static bool point_at(const sdi_moment *moment, sdi_lsn lsn, sdi_lsn flush, sdi_point *point_out)
{
    if (moment->standby || !moment->snapshot_known || !sdi_era_known(moment->era))
        return false;
    *point_out = (sdi_point){.era = moment->era, .lsn = lsn, .flush = flush, .snapshot = moment->demanded};
    return true;
}

bool sdi_moment_floor(const sdi_moment *moment, sdi_point *point_out)
{
    return point_at(moment, moment->insert, moment->flush, point_out);
}

bool sdi_moment_pending(const sdi_moment *moment, sdi_pendings *pending_out)
{
    const sdi_snapshot *snapshot = &moment->demanded;
    sdi_pendings pending = {0};
    if (!moment->next || snapshot->count + (moment->next - snapshot->xmax) > SDI_PENDING_MAX)
        return false;
    for (uint32_t i = 0; i < snapshot->count; i++)
        sdi_pending_add(&pending, (sdi_pending){snapshot->running[i], moment->flush});
    for (uint64_t xid = snapshot->xmax; xid < moment->next && SDI_RULE(next_pending); xid++)
        sdi_pending_add(&pending, (sdi_pending){xid, moment->flush});
    *pending_out = pending;
    return true;
}

/* A lost xid may be given out again before the settle arrives, to one who marks at this same flush position: his mark
 * must not go. After the crash that position had moved, so the lost one's lies before it. */
void sdi_moment_settles(const sdi_moment *moment, const sdi_pendings *pending, sdi_pendings *settled_out)
{
    sdi_stamp stamp;
    *settled_out = (sdi_pendings){0};
    if (!sdi_moment_stamp(moment, &stamp) || stamp.standby)
        return;
    for (uint32_t i = 0; i < pending->count; i++) {
        const sdi_pending *one = &pending->list[i];
        bool lost = moment->next && one->xid >= moment->next && one->flush < moment->flush;
        if (lost || sdi_stamp_finished(&stamp, one))
            sdi_pending_add(settled_out, (sdi_pending){one->xid, lost ? moment->flush - 1 : moment->flush});
    }
}

bool sdi_moment_written(const sdi_moment *moment, bool synchronous, sdi_point *point_out)
{
    sdi_lsn lsn = synchronous || !SDI_RULE(insert_when_async) ? moment->flush : moment->insert;
    if (!SDI_RULE(point_whole))
        return point_at(&(sdi_moment){.era = moment->era, .snapshot_known = true}, lsn, 0, point_out);
    return point_at(moment, lsn, lsn, point_out);
}
