/* Positions and snapshots as PostgreSQL writes them, stamps as entries keep them. A snapshot with more running
 * transactions than fit must err to the safe side: as a stamp contain less, as a point demand more. */
#include "model/stamp.h"
#include "fuzz.h"

/* Is a transaction finished in the snapshot that this text tells? Read anew, without any limit. */
static bool finished_in_text(const char *text, uint64_t xid)
{
    char *at;
    uint64_t xmin = strtoull(text, &at, 10), xmax = strtoull(at + 1, &at, 10);
    if (xid < xmin || xid >= xmax)
        return xid < xmin;
    while (*at && at[1]) {
        uint64_t running = strtoull(at + 1, &at, 10);
        if (running == xid)
            return false;
    }
    return true;
}

/* Asked with the library's own question: a snapshot that leaves nothing else running. */
static bool finished_in(const sdi_snapshot *snapshot, uint64_t xid)
{
    for (uint32_t i = 0; i < snapshot->count; i++)
        if (snapshot->running[i] == xid)
            return false;
    return xid < snapshot->xmax;
}

static bool well_formed(const sdi_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->count; i++)
        if (snapshot->running[i] < snapshot->xmin || snapshot->running[i] >= snapshot->xmax)
            return false;
    return true;
}

static void check_around(const char *text, const sdi_snapshot *stamp, const sdi_snapshot *point, uint64_t xid)
{
    bool truly = finished_in_text(text, xid);
    HOLDS(truly || !finished_in(stamp, xid));
    HOLDS(!truly || finished_in(point, xid));
}

static void check_snapshot(sdi_slice slice)
{
    sdi_snapshot stamp, point;
    bool parsed = sdi_snapshot_parse(slice, SDI_SNAPSHOT_STAMP, &stamp);
    HOLDS(sdi_snapshot_parse(slice, SDI_SNAPSHOT_POINT, &point) == parsed);
    if (!parsed)
        return;
    HOLDS(well_formed(&point) && well_formed(&stamp));
    char *text = sdi_memdup0(slice.data, slice.length);
    HOLDS(text);
    for (const char *at = text; *at; at++)
        if (at == text || at[-1] < '0' || at[-1] > '9') {
            uint64_t xid = strtoull(at, NULL, 10);
            for (uint64_t near = xid ? xid - 1 : 0; near < xid + 2; near++)
                check_around(text, &stamp, &point, near);
        }
    HOLDS(sdi_snapshot_contains(&point, &stamp) && sdi_snapshot_contains(&stamp, &stamp));
    sdi_free(text);
}

static void check_bytes(sdi_slice slice)
{
    sdi_stamp stamp;
    sdi_buffer again = SDI_BUFFER_INIT;
    size_t used = sdi_stamp_decode(slice.data, slice.length, &stamp);
    HOLDS(used <= slice.length);
    if (used) {
        sdi_stamp_encode(&stamp, &again);
        HOLDS(again.length == used);
    }
    sdi_buffer_free(&again);
}

static void check_lsn(sdi_slice slice)
{
    char text[40];
    sdi_lsn lsn = sdi_lsn_parse(slice);
    if (!lsn)
        return;
    HOLDS(sdi_lsn_settled(lsn) <= lsn && lsn - sdi_lsn_settled(lsn) <= 40);
    snprintf(text, sizeof text, "%llX/%llX", (unsigned long long)(lsn >> 32), (unsigned long long)(lsn & 0xffffffff));
    HOLDS(sdi_lsn_parse(sdi_slice_of(text)) == lsn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = fuzz_exact((sdi_slice){(const char *)data, size});
    sdi_slice slice = {exact, size};
    check_snapshot(slice);
    check_bytes(slice);
    check_lsn(slice);
    sdi_free(exact);
    return 0;
}
