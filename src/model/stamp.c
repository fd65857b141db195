#include "model/stamp.h"

#include <ctype.h>
#include <string.h>

#include "base/proving.h"
#include "model/wire.h"

enum { PAGE_SIZE = 8192, SHORT_HEADER = 24, LONG_HEADER = 40 };

static void copy_snapshot(sdi_snapshot *to, const sdi_snapshot *from)
{
    to->xmin = from->xmin;
    to->xmax = from->xmax;
    to->count = from->count;
    for (uint32_t i = 0; i < from->count; i++)
        to->running[i] = from->running[i];
}

void sdi_stamp_copy(sdi_stamp *to, const sdi_stamp *from)
{
    to->era = from->era;
    to->standby = from->standby;
    to->lsn = from->lsn;
    to->seen = from->seen;
    copy_snapshot(&to->snapshot, &from->snapshot);
}

void sdi_stamp_reset(sdi_stamp *stamp)
{
    memset(stamp, 0, offsetof(sdi_stamp, snapshot.running));
}

void sdi_point_copy(sdi_point *to, const sdi_point *from)
{
    to->era = from->era;
    to->lsn = from->lsn;
    to->flush = from->flush;
    copy_snapshot(&to->snapshot, &from->snapshot);
    to->pending.count = from->pending.count;
    for (uint32_t i = 0; i < from->pending.count; i++)
        to->pending.list[i] = from->pending.list[i];
}

void sdi_point_reset(sdi_point *point)
{
    memset(point, 0, offsetof(sdi_point, snapshot.running));
    point->pending.count = 0;
}

bool sdi_era_equal(sdi_era a, sdi_era b)
{
    return a.system == b.system && a.timeline == b.timeline;
}

bool sdi_era_follows(sdi_era era, sdi_era other)
{
    return era.system == other.system && era.timeline >= other.timeline;
}

bool sdi_era_known(sdi_era era)
{
    return era.system != 0 && era.timeline != 0;
}

/* Reads hexadecimal digits from *at on; false if there are none, or more than `most`. */
static bool read_hex(sdi_slice text, size_t *at, size_t most, uint64_t *value_out)
{
    uint64_t value = 0;
    size_t begin = *at;
    for (; *at < text.length && isxdigit((unsigned char)text.data[*at]); ++*at) {
        int digit = tolower((unsigned char)text.data[*at]);
        value = value << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    *value_out = value;
    return *at > begin && *at - begin <= most;
}

sdi_lsn sdi_lsn_parse(sdi_slice text)
{
    uint64_t high, low;
    size_t at = 0;
    if (!read_hex(text, &at, 8, &high) || at == text.length || text.data[at++] != '/')
        return 0;
    return read_hex(text, &at, 8, &low) && at == text.length ? high << 32 | low : 0;
}

sdi_lsn sdi_lsn_settled(sdi_lsn lsn)
{
    uint64_t offset = lsn % PAGE_SIZE;
    return offset == SHORT_HEADER || offset == LONG_HEADER ? lsn - offset : lsn;
}

/* Reads a decimal number from *at on and the separator behind it; the end of the text is a separator where `last`. */
static bool read_xid(sdi_slice text, size_t *at, uint64_t *xid_out)
{
    uint64_t xid = 0;
    size_t begin = *at;
    for (; *at < text.length && isdigit((unsigned char)text.data[*at]); ++*at) {
        if (xid > (UINT64_MAX - 9) / 10)
            return false;
        xid = xid * 10 + (uint64_t)(text.data[*at] - '0');
    }
    *xid_out = xid;
    return *at > begin;
}

static bool read_separator(sdi_slice text, size_t *at, char separator)
{
    return *at < text.length && text.data[(*at)++] == separator;
}

/* Takes one more running xid; when there is no more room, what is left counts by the snapshot's use. One told twice is
 * one: else the second of them would cut a full stamp at an xid that it holds. */
static void take_running(sdi_snapshot *snapshot, uint64_t xid, enum sdi_snapshot_use use)
{
    if (snapshot->count && snapshot->running[snapshot->count - 1] == xid)
        return;
    if (snapshot->count < SDI_SNAPSHOT_RUNNING_MAX)
        snapshot->running[snapshot->count++] = xid;
    else if (use == SDI_SNAPSHOT_STAMP && xid < snapshot->xmax)
        snapshot->xmax = xid;
}

bool sdi_snapshot_parse(sdi_slice text, enum sdi_snapshot_use use, sdi_snapshot *snapshot_out)
{
    sdi_snapshot snapshot = {0};
    size_t at = 0;
    if (!read_xid(text, &at, &snapshot.xmin) || !read_separator(text, &at, ':') ||
        !read_xid(text, &at, &snapshot.xmax) || !read_separator(text, &at, ':') || snapshot.xmin > snapshot.xmax)
        return false;
    uint64_t last = snapshot.xmin, top = snapshot.xmax;
    while (at < text.length) {
        uint64_t xid;
        if (!read_xid(text, &at, &xid) || xid < last || xid >= top)
            return false;
        if (at < text.length && (!read_separator(text, &at, ',') || at == text.length))
            return false;
        take_running(&snapshot, xid, use);
        last = xid;
    }
    *snapshot_out = snapshot;
    return true;
}

static bool is_running(const sdi_snapshot *snapshot, uint64_t xid)
{
    for (uint32_t i = 0; i < snapshot->count && snapshot->running[i] <= xid; i++)
        if (snapshot->running[i] == xid)
            return true;
    return false;
}

/* What `have` holds to be unfinished below demand's xmax must be unfinished in `demand` as well. */
bool sdi_snapshot_contains(const sdi_snapshot *have, const sdi_snapshot *demand)
{
    for (uint32_t i = 0; i < have->count && have->running[i] < demand->xmax; i++)
        if (!is_running(demand, have->running[i]))
            return false;
    if (demand->xmax > have->xmax && demand->xmax - have->xmax > demand->count)
        return false; /* more than `demand` has running: no need to count them */
    for (uint64_t xid = have->xmax; xid < demand->xmax; xid++)
        if (!is_running(demand, xid))
            return false;
    return true;
}

bool sdi_snapshot_finished(const sdi_snapshot *snapshot, uint64_t xid)
{
    return xid < snapshot->xmax && !is_running(snapshot, xid);
}

/* Where `xid` stands, or is to be put. */
static uint32_t find_pending(const sdi_pendings *pending, uint64_t xid)
{
    uint32_t at = 0;
    while (at < pending->count && pending->list[at].xid < xid)
        at++;
    return at;
}

bool sdi_pending_add(sdi_pendings *pending, sdi_pending one)
{
    uint32_t at = find_pending(pending, one.xid);
    sdi_pending *here = &pending->list[at];
    if (at < pending->count && here->xid == one.xid) {
        here->flush = here->flush > one.flush ? here->flush : one.flush;
        return true;
    }
    if (pending->count == SDI_PENDING_MAX)
        return false;
    memmove(here + 1, here, (pending->count++ - at) * sizeof *here);
    *here = one;
    return true;
}

void sdi_pending_settle(sdi_pendings *pending, const sdi_pendings *settled)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pending->count; i++) {
        sdi_pending one = pending->list[i];
        uint32_t at = find_pending(settled, one.xid);
        if (at == settled->count || settled->list[at].xid != one.xid || settled->list[at].flush < one.flush)
            pending->list[kept++] = one;
    }
    pending->count = kept;
}

bool sdi_stamp_finished(const sdi_stamp *stamp, const sdi_pending *pending)
{
    return !stamp->standby && stamp->lsn >= pending->flush && sdi_snapshot_finished(&stamp->snapshot, pending->xid);
}

bool sdi_stamp_settled(const sdi_stamp *stamp, const sdi_pendings *pending)
{
    for (uint32_t i = 0; i < pending->count; i++)
        if (!sdi_stamp_finished(stamp, &pending->list[i]))
            return false;
    return true;
}

bool sdi_stamp_passes(const sdi_stamp *stamp, const sdi_point *point)
{
    if (!sdi_era_known(stamp->era) || !sdi_era_equal(stamp->era, point->era))
        return false;
    if (!sdi_stamp_settled(stamp, &point->pending))
        return false;
    if (stamp->standby)
        return stamp->lsn >= point->lsn || !SDI_RULE(replayed);
    return stamp->lsn >= point->flush &&
           (sdi_snapshot_contains(&stamp->snapshot, &point->snapshot) || !SDI_RULE(snapshot_on_primary));
}

/* What both together demand: of those that the further snapshot leaves running, `other` may have seen some finished.
 * For snapshots of one primary that is simply the later one; but not if one was cut to fit, or is from before a crash.
 */
static void merge_snapshot(sdi_snapshot *snapshot, const sdi_snapshot *other)
{
    const sdi_snapshot *high = other->xmax > snapshot->xmax ? other : snapshot;
    const sdi_snapshot *low = high == other ? snapshot : other;
    uint64_t xmin = low->xmin > high->xmin ? low->xmin : high->xmin;
    if (high->count == 0) { /* as most are, and a hit merges its fences */
        snapshot->count = 0;
        snapshot->xmax = high->xmax;
        snapshot->xmin = xmin;
        return;
    }
    sdi_snapshot merged = {.xmin = xmin, .xmax = high->xmax};
    for (uint32_t i = 0; i < high->count; i++)
        if (high->running[i] >= low->xmax || is_running(low, high->running[i]))
            merged.running[merged.count++] = high->running[i];
    *snapshot = merged;
}

bool sdi_point_merge(sdi_point *point, const sdi_point *other)
{
    bool fits = true;
    if (other->lsn > point->lsn)
        point->lsn = other->lsn;
    if (other->flush > point->flush)
        point->flush = other->flush;
    merge_snapshot(&point->snapshot, &other->snapshot);
    for (uint32_t i = 0; i < other->pending.count; i++)
        fits &= sdi_pending_add(&point->pending, other->pending.list[i]);
    return fits;
}

/* Of another timeline: a later primary demands all that was not lost before. */
bool sdi_point_covers(const sdi_point *point, const sdi_point *other)
{
    if (!sdi_era_equal(point->era, other->era))
        return sdi_era_follows(point->era, other->era);
    return point->lsn >= other->lsn && point->flush >= other->flush &&
           sdi_snapshot_contains(&point->snapshot, &other->snapshot);
}

void sdi_stamp_encode(const sdi_stamp *stamp, sdi_buffer *bytes)
{
    sdi_wire_u64(bytes, stamp->era.system);
    sdi_wire_u32(bytes, stamp->era.timeline);
    sdi_wire_u32(bytes, stamp->standby);
    sdi_wire_u64(bytes, stamp->lsn);
    sdi_wire_u64(bytes, stamp->seen);
    sdi_wire_u64(bytes, stamp->snapshot.xmin);
    sdi_wire_u64(bytes, stamp->snapshot.xmax);
    sdi_wire_u32(bytes, stamp->snapshot.count);
    for (uint32_t i = 0; i < stamp->snapshot.count; i++)
        sdi_wire_u64(bytes, stamp->snapshot.running[i]);
}

size_t sdi_stamp_decode(const void *bytes, size_t length, sdi_stamp *stamp_out)
{
    enum { FIXED = 52 };
    const unsigned char *at = bytes;
    if (length < FIXED)
        return 0;
    /* Filled where it stands: a stamp is large, and most of it unused. */
    sdi_snapshot *snapshot = &stamp_out->snapshot;
    stamp_out->era = (sdi_era){sdi_read_u64(at), sdi_read_u32(at + 8)};
    stamp_out->standby = sdi_read_u32(at + 12) != 0;
    stamp_out->lsn = sdi_read_u64(at + 16);
    stamp_out->seen = sdi_read_u64(at + 24);
    snapshot->xmin = sdi_read_u64(at + 32);
    snapshot->xmax = sdi_read_u64(at + 40);
    snapshot->count = sdi_read_u32(at + 48);
    if (snapshot->count > SDI_SNAPSHOT_RUNNING_MAX || length < FIXED + 8 * (size_t)snapshot->count)
        return 0;
    for (uint32_t i = 0; i < snapshot->count; i++)
        snapshot->running[i] = sdi_read_u64(at + FIXED + 8 * (size_t)i);
    return FIXED + 8 * (size_t)snapshot->count;
}
