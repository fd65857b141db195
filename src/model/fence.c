#include "model/fence.h"

#include <string.h>

#include "model/wire.h"

enum { XID_DIGITS = 16, RUNNING_AT = 96, PENDING_LENGTH = 33 };

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Reads eight hexadecimal digits at once, all bytes of a word side by side: every hit decodes its fences, and of a
 * random digit no branch can be predicted. Digits that would be spelled otherwise than we do set *bad. */
static inline uint64_t hex8(const char *digits, uint64_t *bad)
{
    uint64_t text = sdi_read_u64(digits);
    uint64_t value = (text & EACH_BYTE(15)) + (text >> 6 & EACH_BYTE(1)) * 9;
    uint64_t letters = (value + EACH_BYTE(6)) >> 4 & EACH_BYTE(1);
    *bad |= (text ^ (value + EACH_BYTE('0') + letters * ('a' - '0' - 10))) | (value & EACH_BYTE(0xf0));
    value = (value << 4 | value >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    value = (value << 8 | value >> 16) & UINT64_C(0x0000ffff0000ffff);
    return (value << 16 | value >> 32) & UINT32_MAX;
}

static inline uint64_t hex16(const char *digits, uint64_t *bad)
{
    uint64_t high = hex8(digits, bad);
    return high << 32 | hex8(digits + 8, bad);
}

static uint64_t not_blank(char byte)
{
    return (uint64_t)(byte ^ ' ');
}

/* Reads "-" or "x,x,x": ascending, no more than fit, of those that can run at all. */
static bool decode_running(sdi_slice text, sdi_snapshot *snapshot)
{
    if (sdi_slice_equal(text, sdi_slice_of("-")))
        return true;
    size_t count = (text.length + 1) / (XID_DIGITS + 1);
    if (count * (XID_DIGITS + 1) != text.length + 1 || count > SDI_SNAPSHOT_RUNNING_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *digits = text.data + i * (XID_DIGITS + 1);
        uint64_t bad = i > 0 && digits[-1] != ',';
        snapshot->running[i] = hex16(digits, &bad);
        if (bad || snapshot->running[i] < (i > 0 ? snapshot->running[i - 1] : snapshot->xmin) ||
            snapshot->running[i] >= snapshot->xmax)
            return false;
    }
    snapshot->count = (uint32_t)count;
    return count > 0;
}

/* Reads "-" or "xid:flush,xid:flush": ascending, no more than fit. */
static bool decode_pending(sdi_slice text, sdi_pendings *pending)
{
    if (sdi_slice_equal(text, sdi_slice_of("-")))
        return true;
    size_t count = (text.length + 1) / (PENDING_LENGTH + 1);
    if (count * (PENDING_LENGTH + 1) != text.length + 1 || count > SDI_PENDING_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *at = text.data + i * (PENDING_LENGTH + 1);
        uint64_t bad = (i > 0 && at[-1] != ',') || at[XID_DIGITS] != ':';
        pending->list[i] = (sdi_pending){hex16(at, &bad), hex16(at + XID_DIGITS + 1, &bad)};
        if (bad || (i > 0 && pending->list[i].xid <= pending->list[i - 1].xid))
            return false;
    }
    pending->count = (uint32_t)count;
    return count > 0;
}

/* Reads the running and the pending transactions, with a blank between. */
static bool decode_lists(sdi_slice text, sdi_point *point)
{
    const char *blank = memchr(text.data, ' ', text.length);
    if (!blank)
        return false;
    size_t length = (size_t)(blank - text.data);
    return decode_running((sdi_slice){text.data, length}, &point->snapshot) &&
           decode_pending((sdi_slice){blank + 1, text.length - length - 1}, &point->pending);
}

/* Reads "F system timeline lsn flush xmin xmax " but for the letter. A point is large, and most of it unused: it is
 * filled where it stands. */
static bool decode_head(const char *at, sdi_point *point)
{
    uint64_t bad = not_blank(at[1]) | not_blank(at[18]) | not_blank(at[27]) | not_blank(at[44]) | not_blank(at[61]) |
                   not_blank(at[78]) | not_blank(at[95]);
    point->era = (sdi_era){hex16(at + 2, &bad), (uint32_t)hex8(at + 19, &bad)};
    point->lsn = hex16(at + 28, &bad);
    point->flush = hex16(at + 45, &bad);
    point->snapshot.xmin = hex16(at + 62, &bad);
    point->snapshot.xmax = hex16(at + 79, &bad);
    point->snapshot.count = point->pending.count = 0;
    return !bad && point->snapshot.xmin <= point->snapshot.xmax;
}

static bool decode_point(sdi_slice record, sdi_point *point)
{
    const char *at = record.data;
    if (record.length <= RUNNING_AT || (*at != 'F' && *at != 'S') || !decode_head(at, point))
        return false;
    if (record.length == RUNNING_AT + 3 && memcmp(at + RUNNING_AT, "- -", 3) == 0)
        return true; /* as most are */
    return decode_lists((sdi_slice){at + RUNNING_AT, record.length - RUNNING_AT}, point);
}

static bool is_placeholder(sdi_slice record)
{
    enum { LENGTH = 18 };
    uint64_t bad = 0;
    if (record.length != LENGTH || memcmp(record.data, "P ", 2) != 0)
        return false;
    hex16(record.data + 2, &bad);
    return !bad;
}

enum sdi_fence_kind sdi_fence_decode(sdi_slice record, sdi_point *point_out)
{
    if (record.length == 0)
        return SDI_FENCE_MISSING;
    if (is_placeholder(record))
        return SDI_FENCE_PLACEHOLDER;
    return decode_point(record, point_out) ? SDI_FENCE_POINT : SDI_FENCE_DAMAGED;
}

bool sdi_fence_strict(sdi_slice record)
{
    return record.length && *record.data == 'S';
}

static void put_digits(sdi_buffer *text, const char *before, uint64_t number, size_t digits)
{
    sdi_buffer_text(text, before);
    sdi_buffer_hex(text, number, digits);
}

static void encode_running(const sdi_snapshot *snapshot, sdi_buffer *record)
{
    for (uint32_t i = 0; i < snapshot->count; i++)
        put_digits(record, i ? "," : "", snapshot->running[i], XID_DIGITS);
    if (snapshot->count == 0)
        sdi_buffer_char(record, '-');
}

void sdi_fence_pendings(const sdi_pendings *pending, sdi_buffer *text)
{
    for (uint32_t i = 0; i < pending->count; i++) {
        put_digits(text, i ? "," : "", pending->list[i].xid, XID_DIGITS);
        put_digits(text, ":", pending->list[i].flush, XID_DIGITS);
    }
    if (pending->count == 0)
        sdi_buffer_char(text, '-');
}

void sdi_fence_encode(const sdi_point *point, bool strict, sdi_buffer *record)
{
    const sdi_snapshot *snapshot = &point->snapshot;
    const uint64_t numbers[] = {point->lsn, point->flush, snapshot->xmin, snapshot->xmax};
    put_digits(record, strict ? "S " : "F ", point->era.system, 16);
    put_digits(record, " ", point->era.timeline, 8);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_digits(record, " ", numbers[i], 16);
    sdi_buffer_char(record, ' ');
    encode_running(snapshot, record);
    sdi_buffer_char(record, ' ');
    sdi_fence_pendings(&point->pending, record);
}

void sdi_fence_placeholder(uint64_t nonce, sdi_buffer *record)
{
    put_digits(record, "P ", nonce, 16);
}

/* False if more is pending then than fits. */
static bool take_change(sdi_point *fence, const sdi_change *change)
{
    sdi_point point = change->point;
    sdi_pending_settle(&point.pending, &change->settled);
    sdi_pending_settle(&fence->pending, &change->settled);
    return sdi_point_merge(fence, &point);
}

static enum sdi_fence_action merge_change(sdi_slice record, sdi_point *fence, const sdi_change *change,
                                          sdi_buffer *record_out)
{
    size_t before = record_out->length;
    if (!take_change(fence, change))
        return SDI_FENCE_DELETE; /* deleting is always safe */
    sdi_fence_encode(fence, sdi_fence_strict(record), record_out);
    if (record_out->failed)
        return SDI_FENCE_DELETE;
    if (!sdi_slice_equal(record, (sdi_slice){record_out->data + before, record_out->length - before}))
        return SDI_FENCE_REPLACE;
    record_out->length = before;
    record_out->data[before] = '\0';
    return SDI_FENCE_KEEP;
}

enum sdi_fence_action sdi_fence_merge(sdi_slice record, const sdi_change *change, sdi_buffer *record_out)
{
    sdi_point fence;
    enum sdi_fence_kind kind = sdi_fence_decode(record, &fence);
    sdi_era era = change->point.era;
    if (kind == SDI_FENCE_MISSING)
        return SDI_FENCE_KEEP;
    if (kind != SDI_FENCE_POINT)
        return SDI_FENCE_DELETE;
    if (sdi_era_equal(fence.era, era))
        return merge_change(record, &fence, change, record_out);
    bool newer = fence.era.system == era.system && fence.era.timeline > era.timeline;
    return newer ? SDI_FENCE_KEEP : SDI_FENCE_DELETE;
}
