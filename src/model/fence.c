#include "model/fence.h"

#include <string.h>

enum { XID_DIGITS = 16, RUNNING_AT = 96, PENDING_LENGTH = 33 };

/* What precedes the running xids behind the letter, with a zero for every digit. */
static const char SHAPE[] = " 0000000000000000 00000000 0000000000000000 0000000000000000 0000000000000000 "
                            "0000000000000000 ";

/* What a digit stands for, and one more. By table: every hit decodes its fences, and of a random digit no branch can be
 * predicted. */
static const unsigned char DIGITS[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool is_digit(char c)
{
    return DIGITS[(unsigned char)c] != 0;
}

static bool has_shape(const char *text, const char *shape, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (shape[i] == '0' ? !is_digit(text[i]) : text[i] != shape[i])
            return false;
    return true;
}

static uint64_t hex(const char *digits, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 4 | (uint64_t)(DIGITS[(unsigned char)digits[i]] - 1);
    return value;
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
        if (!has_shape(digits, "0000000000000000,", i + 1 < count ? XID_DIGITS + 1 : XID_DIGITS))
            return false;
        snapshot->running[i] = hex(digits, XID_DIGITS);
        if (snapshot->running[i] < (i > 0 ? snapshot->running[i - 1] : snapshot->xmin) ||
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
        if (!has_shape(at, "0000000000000000:0000000000000000,", i + 1 < count ? PENDING_LENGTH + 1 : PENDING_LENGTH))
            return false;
        pending->list[i] = (sdi_pending){hex(at, XID_DIGITS), hex(at + XID_DIGITS + 1, XID_DIGITS)};
        if (i > 0 && pending->list[i].xid <= pending->list[i - 1].xid)
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

/* A point is large, and most of it unused: it is filled where it stands. */
static bool decode_point(sdi_slice record, sdi_point *point)
{
    const char *at = record.data;
    if (record.length <= RUNNING_AT || (*at != 'F' && *at != 'S') || !has_shape(at + 1, SHAPE, RUNNING_AT - 1))
        return false;
    point->era = (sdi_era){hex(at + 2, 16), (uint32_t)hex(at + 19, 8)};
    point->lsn = hex(at + 28, 16);
    point->flush = hex(at + 45, 16);
    point->snapshot.xmin = hex(at + 62, 16);
    point->snapshot.xmax = hex(at + 79, 16);
    point->snapshot.count = point->pending.count = 0;
    return point->snapshot.xmin <= point->snapshot.xmax &&
           decode_lists((sdi_slice){at + RUNNING_AT, record.length - RUNNING_AT}, point);
}

enum sdi_fence_kind sdi_fence_decode(sdi_slice record, sdi_point *point_out)
{
    static const char placeholder[] = "P 0000000000000000";
    if (record.length == 0)
        return SDI_FENCE_MISSING;
    if (record.length == sizeof placeholder - 1 && has_shape(record.data, placeholder, record.length))
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
