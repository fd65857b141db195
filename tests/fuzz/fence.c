/* A record of any bytes is one thing or damaged. Merging: what passes the merged fence passes each that went in, in any
 * order, and once is as good as twice; what is pending goes only when it is settled. */
#include "model/fence.h"
#include "fuzz.h"

enum { XIDS_FROM = 100 };

/* As a primary would make it: running ones below xmax, none below xmin. */
static sdi_snapshot snapshot_of(fuzz_input *in)
{
    sdi_snapshot snapshot = {.xmin = XIDS_FROM + fuzz_number(in, 1) % 8};
    uint64_t bits = fuzz_number(in, 1);
    snapshot.xmax = snapshot.xmin;
    for (int i = 0; i < 8; i++)
        if (bits >> i & 1) {
            snapshot.running[snapshot.count++] = snapshot.xmin + (uint64_t)i;
            snapshot.xmax = snapshot.xmin + (uint64_t)i + 1;
        }
    snapshot.xmin = snapshot.count ? snapshot.running[0] : snapshot.xmax;
    snapshot.xmax += fuzz_number(in, 1) % 4;
    return snapshot;
}

/* 0 to 3, or as many as fit and some more. */
static sdi_pendings pendings_of(fuzz_input *in)
{
    sdi_pendings pending = {0};
    uint64_t kind = fuzz_number(in, 1), count = kind % 8 == 7 ? 40 : kind % 4;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bits = fuzz_number(in, 1), xid = XIDS_FROM + (count > 4 ? i : 0) + bits % 16;
        bool room = pending.count < SDI_PENDING_MAX;
        HOLDS(sdi_pending_add(&pending, (sdi_pending){xid, bits >> 4}) || !room);
    }
    return pending;
}

static sdi_point point_of(fuzz_input *in)
{
    sdi_point point = {.era = {7, 1}, .lsn = fuzz_number(in, 1) % 8, .flush = fuzz_number(in, 1) % 8};
    point.snapshot = snapshot_of(in);
    point.pending = pendings_of(in);
    return point;
}

static bool same_pending(const sdi_pendings *a, const sdi_pendings *b)
{
    return a->count == b->count && !memcmp(a->list, b->list, a->count * sizeof *a->list);
}

static sdi_stamp stamp_of(fuzz_input *in)
{
    sdi_stamp stamp = {.era = {7, 1}, .standby = fuzz_number(in, 1) & 1, .lsn = fuzz_number(in, 1) % 8};
    stamp.snapshot = snapshot_of(in);
    return stamp;
}

static sdi_point merged(sdi_point a, const sdi_point *b, bool *fits)
{
    *fits &= sdi_point_merge(&a, b);
    return a;
}

/* Equal in what it demands; xmin only tells where to begin. */
static bool same(const sdi_point *a, const sdi_point *b)
{
    return a->lsn == b->lsn && a->flush == b->flush && same_pending(&a->pending, &b->pending) &&
           a->snapshot.xmax == b->snapshot.xmax && sdi_snapshot_contains(&a->snapshot, &b->snapshot) &&
           sdi_snapshot_contains(&b->snapshot, &a->snapshot);
}

static void check_merge(fuzz_input *in)
{
    sdi_point a = point_of(in), b = point_of(in), c = point_of(in);
    bool fits = true, other_way = true, again = true;
    sdi_point ab = merged(a, &b, &fits), ba = merged(b, &a, &other_way), bc = merged(b, &c, &other_way);
    sdi_point left = merged(ab, &c, &fits), right = merged(a, &bc, &other_way), twice = merged(ab, &b, &again);
    HOLDS(fits == other_way);
    if (!fits)
        return;
    HOLDS(again && same(&ab, &ba) && same(&left, &right) && same(&twice, &ab));
    for (int i = 0; i < 8; i++) {
        sdi_stamp stamp = stamp_of(in);
        bool each = sdi_stamp_passes(&stamp, &a) && sdi_stamp_passes(&stamp, &b);
        HOLDS(sdi_stamp_passes(&stamp, &ab) == each);
    }
}

/* What is read from a record is what was written into it. */
static void check_record(sdi_slice text)
{
    sdi_point point;
    sdi_buffer again = SDI_BUFFER_INIT;
    if (sdi_fence_decode(text, &point) == SDI_FENCE_POINT) {
        sdi_fence_encode(&point, sdi_fence_strict(text), &again);
        HOLDS(sdi_slice_equal(fuzz_slice(&again), text));
    }
    sdi_buffer_free(&again);
}

static void check_kept(sdi_slice record, const sdi_point *fence, const sdi_point *write)
{
    sdi_stamp stamp = {.era = fence->era, .standby = true, .lsn = write->lsn - (write->lsn > 0)};
    bool newer = fence->era.system == write->era.system && fence->era.timeline > write->era.timeline;
    HOLDS(record.length && (newer || write->lsn == 0 || !sdi_stamp_passes(&stamp, fence)));
}

/* What is marked and not settled is pending; what was pending and is not any more was settled. */
static void check_pendings(const sdi_point *before, const sdi_change *change, const sdi_point *after)
{
    sdi_pendings marks = change->point.pending, gone = before->pending;
    sdi_pending_settle(&marks, &change->settled);
    sdi_pending_settle(&marks, &after->pending);
    HOLDS(marks.count == 0);
    sdi_pending_settle(&gone, &after->pending);
    sdi_pending_settle(&gone, &change->settled);
    HOLDS(gone.count == 0);
}

static void check_replaced(sdi_slice record, const sdi_change *change, const sdi_buffer *out)
{
    sdi_point before, after;
    sdi_buffer twice = SDI_BUFFER_INIT;
    HOLDS(sdi_fence_decode(record, &before) == SDI_FENCE_POINT);
    HOLDS(sdi_fence_decode(fuzz_slice(out), &after) == SDI_FENCE_POINT);
    HOLDS(sdi_fence_strict(record) == sdi_fence_strict(fuzz_slice(out)));
    HOLDS(after.lsn >= change->point.lsn && after.flush >= change->point.flush);
    check_pendings(&before, change, &after);
    HOLDS(sdi_fence_merge(fuzz_slice(out), change, &twice) == SDI_FENCE_KEEP);
    sdi_buffer_free(&twice);
}

/* A writer leaves behind nothing that lets an older answer pass: no fence, or one that demands his write. */
static void check_writer(sdi_slice record, const sdi_change *change)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_point fence;
    switch (sdi_fence_merge(record, change, &out)) {
    case SDI_FENCE_REPLACE:
        check_replaced(record, change, &out);
        break;
    case SDI_FENCE_KEEP:
        HOLDS(!out.length);
        if (sdi_fence_decode(record, &fence) == SDI_FENCE_POINT)
            check_kept(record, &fence, &change->point);
        else
            HOLDS(sdi_fence_decode(record, &fence) == SDI_FENCE_MISSING);
        break;
    case SDI_FENCE_DELETE:
        HOLDS(!out.length);
        break;
    }
    sdi_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    if (size && *data & 1) {
        fuzz_number(&in, 1);
        check_merge(&in);
        return 0;
    }
    fuzz_number(&in, 1);
    sdi_change change = {.point = point_of(&in)};
    change.settled = pendings_of(&in);
    char *record = fuzz_exact(fuzz_rest(&in));
    check_record((sdi_slice){record, in.left});
    check_writer((sdi_slice){record, in.left}, &change);
    sdi_free(record);
    return 0;
}
