#include "model/fence.h"

#include <inttypes.h>
#include <string.h>

enum { XID_DIGITS = 16, RUNNING_AT = 96 };

/* What precedes the running xids, with a zero for every digit. */
static const char SHAPE[] = "F 0000000000000000 00000000 0000000000000000 0000000000000000 0000000000000000 "
                            "0000000000000000 ";

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
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
        value = value << 4 | (uint64_t)(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
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

static bool decode_point(sdi_slice record, sdi_point *point_out)
{
    const char *at = record.data;
    if (record.length <= RUNNING_AT || !has_shape(at, SHAPE, RUNNING_AT))
        return false;
    sdi_point point = {
        .era = {hex(at + 2, 16), (uint32_t)hex(at + 19, 8)},
        .lsn = hex(at + 28, 16),
        .flush = hex(at + 45, 16),
        .snapshot = {.xmin = hex(at + 62, 16), .xmax = hex(at + 79, 16)},
    };
    if (point.snapshot.xmin > point.snapshot.xmax ||
        !decode_running((sdi_slice){at + RUNNING_AT, record.length - RUNNING_AT}, &point.snapshot))
        return false;
    *point_out = point;
    return true;
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

void sdi_fence_encode(const sdi_point *point, sdi_buffer *record)
{
    const sdi_snapshot *snapshot = &point->snapshot;
    sdi_buffer_printf(record,
                      "F %016" PRIx64 " %08" PRIx32 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " ",
                      point->era.system, point->era.timeline, point->lsn, point->flush, snapshot->xmin, snapshot->xmax);
    for (uint32_t i = 0; i < snapshot->count; i++)
        sdi_buffer_printf(record, "%s%016" PRIx64, i ? "," : "", snapshot->running[i]);
    if (snapshot->count == 0)
        sdi_buffer_char(record, '-');
}

void sdi_fence_placeholder(uint64_t nonce, sdi_buffer *record)
{
    sdi_buffer_printf(record, "P %016" PRIx64, nonce);
}

static enum sdi_fence_action merge_point(sdi_slice record, sdi_point *fence, const sdi_point *write,
                                         sdi_buffer *record_out)
{
    size_t before = record_out->length;
    sdi_point_merge(fence, write);
    sdi_fence_encode(fence, record_out);
    if (record_out->failed)
        return SDI_FENCE_DELETE; /* deleting is always safe */
    if (!sdi_slice_equal(record, (sdi_slice){record_out->data + before, record_out->length - before}))
        return SDI_FENCE_REPLACE;
    record_out->length = before;
    record_out->data[before] = '\0';
    return SDI_FENCE_KEEP;
}

enum sdi_fence_action sdi_fence_merge(sdi_slice record, const sdi_point *write, sdi_buffer *record_out)
{
    sdi_point fence;
    enum sdi_fence_kind kind = sdi_fence_decode(record, &fence);
    if (kind == SDI_FENCE_MISSING)
        return SDI_FENCE_KEEP;
    if (kind != SDI_FENCE_POINT)
        return SDI_FENCE_DELETE;
    if (sdi_era_equal(fence.era, write->era))
        return merge_point(record, &fence, write, record_out);
    bool newer = fence.era.system == write->era.system && fence.era.timeline > write->era.timeline;
    return newer ? SDI_FENCE_KEEP : SDI_FENCE_DELETE;
}
