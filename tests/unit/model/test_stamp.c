#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/random.h"
#include "model/stamp.h"

/* The reference: for each of a few xids, is it finished? Beyond them nothing is. */
enum { XIDS = 12 };

typedef struct reference {
    bool finished[XIDS];
} reference;

static reference reference_of(const sdi_snapshot *snapshot)
{
    reference all = {{false}};
    for (uint64_t xid = 0; xid < XIDS; xid++) {
        all.finished[xid] = xid < snapshot->xmax;
        for (uint32_t i = 0; i < snapshot->count; i++)
            all.finished[xid] &= snapshot->running[i] != xid;
    }
    return all;
}

static bool reference_contains(const reference *have, const reference *demand)
{
    for (int xid = 0; xid < XIDS; xid++)
        if (demand->finished[xid] && !have->finished[xid])
            return false;
    return true;
}

static sdi_snapshot random_snapshot(void)
{
    sdi_snapshot snapshot = {.xmin = sdi_random_below(XIDS)};
    snapshot.xmax = snapshot.xmin + sdi_random_below(XIDS - snapshot.xmin);
    for (uint64_t xid = snapshot.xmin; xid < snapshot.xmax; xid++)
        if (sdi_random_below(2))
            snapshot.running[snapshot.count++] = xid;
    return snapshot;
}

static sdi_point random_point(void)
{
    sdi_point point = {
        .era = {1, 1}, .lsn = sdi_random_below(9), .flush = sdi_random_below(9), .snapshot = random_snapshot()};
    for (uint64_t i = sdi_random_below(4); i > 1; i--)
        sdi_pending_add(&point.pending, (sdi_pending){sdi_random_below(XIDS), sdi_random_below(9)});
    return point;
}

START_TEST(containing_is_as_the_reference_says)
{
    int contained = 0;
    for (int i = 0; i < 20000; i++) {
        sdi_snapshot have = random_snapshot(), demand = random_snapshot();
        reference a = reference_of(&have), b = reference_of(&demand);
        ck_assert_int_eq(sdi_snapshot_contains(&have, &demand), reference_contains(&a, &b));
        contained += sdi_snapshot_contains(&have, &demand);
    }
    ck_assert_int_gt(contained, 100);
}
END_TEST

/* Moves a snapshot on, as a primary does: one begins, or one ends. */
static void advance(sdi_snapshot *snapshot)
{
    if (snapshot->count == 0 || (snapshot->xmax < XIDS - 1 && sdi_random_below(2))) {
        snapshot->running[snapshot->count++] = snapshot->xmax++;
        return;
    }
    uint64_t ended = sdi_random_below(snapshot->count);
    snapshot->count--;
    memmove(&snapshot->running[ended], &snapshot->running[ended + 1], (snapshot->count - ended) * sizeof(uint64_t));
    snapshot->xmin = snapshot->count ? snapshot->running[0] : snapshot->xmax;
}

START_TEST(of_one_primary_the_later_sees_more)
{
    for (int round = 0; round < 300; round++) {
        sdi_snapshot moments[16] = {{0}};
        for (int i = 1; i < 16; i++) {
            moments[i] = moments[i - 1];
            if (moments[i].count > 0 || moments[i].xmax < XIDS - 1)
                advance(&moments[i]);
        }
        for (int later = 0; later < 16; later++)
            for (int earlier = 0; earlier <= later; earlier++)
                ck_assert(sdi_snapshot_contains(&moments[later], &moments[earlier]));
    }
}
END_TEST

static bool same_point(const sdi_point *a, const sdi_point *b)
{
    return a->lsn == b->lsn && a->flush == b->flush && a->snapshot.xmin == b->snapshot.xmin &&
           a->snapshot.xmax == b->snapshot.xmax && a->snapshot.count == b->snapshot.count &&
           memcmp(a->snapshot.running, b->snapshot.running, a->snapshot.count * sizeof(uint64_t)) == 0 &&
           a->pending.count == b->pending.count &&
           memcmp(a->pending.list, b->pending.list, a->pending.count * sizeof *a->pending.list) == 0;
}

static sdi_point merged(sdi_point a, sdi_point b)
{
    sdi_point_merge(&a, &b);
    return a;
}

START_TEST(merging_demands_what_both_demand_and_no_more)
{
    for (int i = 0; i < 10000; i++) {
        sdi_point a = random_point(), b = random_point(), both = merged(a, b);
        reference of_a = reference_of(&a.snapshot), of_b = reference_of(&b.snapshot);
        reference of_both = reference_of(&both.snapshot);
        for (int xid = 0; xid < XIDS; xid++)
            ck_assert_int_eq(of_both.finished[xid], of_a.finished[xid] || of_b.finished[xid]);
        ck_assert(both.lsn >= a.lsn && both.lsn >= b.lsn && both.flush >= a.flush && both.flush >= b.flush);
    }
}
END_TEST

START_TEST(merging_is_monotone_idempotent_and_in_any_order)
{
    for (int i = 0; i < 10000; i++) {
        sdi_point a = random_point(), b = random_point(), c = random_point();
        sdi_point ab = merged(a, b), ba = merged(b, a), left = merged(ab, c), right = merged(a, merged(b, c));
        sdi_point again = merged(ab, a), self = merged(a, a);
        ck_assert(same_point(&ab, &ba));
        ck_assert(same_point(&left, &right));
        ck_assert(same_point(&again, &ab));
        ck_assert(same_point(&self, &a));
        sdi_stamp stamp = {.era = {1, 1}, .lsn = sdi_random_below(9), .snapshot = random_snapshot()};
        ck_assert_int_eq(sdi_stamp_passes(&stamp, &ab), sdi_stamp_passes(&stamp, &a) && sdi_stamp_passes(&stamp, &b));
        stamp.standby = true;
        ck_assert_int_eq(sdi_stamp_passes(&stamp, &ab), sdi_stamp_passes(&stamp, &a) && sdi_stamp_passes(&stamp, &b));
    }
}
END_TEST

/* All from `first` on are running. */
static sdi_snapshot parse_running(uint64_t first, uint64_t top, enum sdi_snapshot_use use)
{
    sdi_snapshot snapshot;
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "%llu:%llu:", (unsigned long long)first, (unsigned long long)top);
    for (uint64_t xid = first; xid < top; xid++)
        sdi_buffer_printf(&text, "%s%llu", xid > first ? "," : "", (unsigned long long)xid);
    ck_assert(sdi_snapshot_parse((sdi_slice){text.data, text.length}, use, &snapshot));
    sdi_buffer_free(&text);
    return snapshot;
}

static bool sees(const sdi_snapshot *snapshot, uint64_t xid)
{
    for (uint32_t i = 0; i < snapshot->count; i++)
        if (snapshot->running[i] == xid)
            return false;
    return xid < snapshot->xmax;
}

START_TEST(what_does_not_fit_errs_to_the_safe_side)
{
    enum { FIRST = 10, TOP = 110 }; /* a hundred running */
    sdi_snapshot stamp = parse_running(FIRST, TOP, SDI_SNAPSHOT_STAMP);
    sdi_snapshot point = parse_running(FIRST, TOP, SDI_SNAPSHOT_POINT);
    for (uint64_t xid = FIRST; xid < TOP; xid++)
        ck_assert(!sees(&stamp, xid));
    ck_assert(!sdi_snapshot_contains(&stamp, &point)); /* demands more than it must */
    sdi_snapshot all = {.xmin = TOP, .xmax = TOP};
    ck_assert(sdi_snapshot_contains(&all, &point));
    ck_assert_uint_eq(point.xmax, TOP);
    ck_assert_uint_eq(point.count, SDI_SNAPSHOT_RUNNING_MAX);
}
END_TEST

/* A full list whose last is told twice: the second must not count as what did not fit. */
START_TEST(one_told_twice_is_one)
{
    sdi_snapshot snapshot;
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "10:90:");
    for (int xid = 10; xid < 10 + SDI_SNAPSHOT_RUNNING_MAX; xid++)
        sdi_buffer_printf(&text, "%d,", xid);
    sdi_buffer_printf(&text, "%d", 10 + SDI_SNAPSHOT_RUNNING_MAX - 1);
    ck_assert(sdi_snapshot_parse((sdi_slice){text.data, text.length}, SDI_SNAPSHOT_STAMP, &snapshot));
    ck_assert_uint_eq(snapshot.count, SDI_SNAPSHOT_RUNNING_MAX);
    ck_assert_uint_eq(snapshot.xmax, 90);
    sdi_buffer_free(&text);
}
END_TEST

/* The first of many running has finished, and both lists are cut to as many: whichever comes first, it is demanded. */
START_TEST(merging_what_was_cut_loses_no_write)
{
    sdi_point before = {.era = {1, 1}, .snapshot = parse_running(10, 110, SDI_SNAPSHOT_POINT)};
    sdi_point after = {.era = {1, 1}, .snapshot = parse_running(11, 110, SDI_SNAPSHOT_POINT)};
    sdi_stamp stale = {.era = {1, 1}, .snapshot = {.xmin = 10, .xmax = 110, .count = 1, .running = {10}}};
    sdi_point forth = merged(before, after), back = merged(after, before);
    ck_assert(sdi_stamp_passes(&stale, &before));
    ck_assert(!sdi_stamp_passes(&stale, &forth));
    ck_assert(!sdi_stamp_passes(&stale, &back));
    ck_assert(same_point(&forth, &back));
}
END_TEST

START_TEST(parses_what_the_server_says_and_nothing_else)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "5:6",
                                      "6:5:",
                                      "5:9:7,6",
                                      "5:9:6,",
                                      "5:9:,6",
                                      "5:9:x",
                                      "5:9:4",
                                      "5:9:9",
                                      " 5:6:",
                                      "5:6: ",
                                      "99999999999999999999999:5:"};
    sdi_snapshot snapshot;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!sdi_snapshot_parse(sdi_slice_of(bad[i]), SDI_SNAPSHOT_STAMP, &snapshot), "%s", bad[i]);
    ck_assert(sdi_snapshot_parse(sdi_slice_of("5:9:6,8"), SDI_SNAPSHOT_STAMP, &snapshot));
    ck_assert(snapshot.xmin == 5 && snapshot.xmax == 9 && snapshot.count == 2 && snapshot.running[1] == 8);
    ck_assert_uint_eq(sdi_lsn_parse(sdi_slice_of("16/B374D848")), UINT64_C(0x16B374D848));
    ck_assert_uint_eq(sdi_lsn_parse(sdi_slice_of("16")), 0);
    ck_assert_uint_eq(sdi_lsn_parse(sdi_slice_of("16/")), 0);
    ck_assert_uint_eq(sdi_lsn_parse(sdi_slice_of("16/123456789")), 0);
    ck_assert_uint_eq(sdi_lsn_parse(sdi_slice_of("16/1 ")), 0);
}
END_TEST

START_TEST(stamps_survive_being_bytes)
{
    for (int i = 0; i < 2000; i++) {
        sdi_stamp stamp = {.era = {sdi_random(), (uint32_t)sdi_random()},
                           .standby = sdi_random_below(2),
                           .lsn = sdi_random(),
                           .snapshot = random_snapshot()},
                  read = {.lsn = 0};
        sdi_buffer bytes = SDI_BUFFER_INIT;
        sdi_stamp_encode(&stamp, &bytes);
        ck_assert_uint_eq(sdi_stamp_decode(bytes.data, bytes.length, &read), bytes.length);
        ck_assert(sdi_era_equal(stamp.era, read.era) && stamp.standby == read.standby && stamp.lsn == read.lsn);
        ck_assert_mem_eq(&stamp.snapshot, &read.snapshot, sizeof stamp.snapshot);
        for (size_t length = 0; length < bytes.length; length++)
            ck_assert_uint_eq(sdi_stamp_decode(bytes.data, length, &read), 0);
        sdi_buffer_free(&bytes);
    }
}
END_TEST

START_TEST(what_is_pending_passes_only_where_it_has_finished)
{
    sdi_point point = {.era = {1, 1}, .lsn = 5, .flush = 5, .snapshot = {10, 10, 0, {0}}, .pending = {1, {{12, 7}}}};
    sdi_stamp standby = {.era = {1, 1}, .standby = true, .lsn = 1000};
    sdi_stamp before = {.era = {1, 1}, .lsn = 9, .snapshot = {12, 12, 0, {0}}};
    sdi_stamp running = {.era = {1, 1}, .lsn = 9, .snapshot = {12, 14, 1, {12}}};
    sdi_stamp old = {.era = {1, 1}, .lsn = 6, .snapshot = {14, 14, 0, {0}}}; /* another 12, of before a crash */
    sdi_stamp after = {.era = {1, 1}, .lsn = 7, .snapshot = {13, 14, 1, {13}}};
    ck_assert(!sdi_stamp_passes(&standby, &point));
    ck_assert(!sdi_stamp_passes(&before, &point));
    ck_assert(!sdi_stamp_passes(&running, &point));
    ck_assert(!sdi_stamp_passes(&old, &point));
    ck_assert(sdi_stamp_passes(&after, &point));
}
END_TEST

START_TEST(more_that_is_pending_than_fits_is_told)
{
    sdi_point a = {.era = {1, 1}}, b = a;
    for (uint64_t xid = 0; xid < SDI_PENDING_MAX; xid++)
        ck_assert(sdi_pending_add(&a.pending, (sdi_pending){xid * 2, 1}));
    ck_assert(sdi_pending_add(&b.pending, (sdi_pending){4, 9}));
    ck_assert(sdi_point_merge(&a, &b));
    ck_assert(a.pending.count == SDI_PENDING_MAX && a.pending.list[2].flush == 9);
    ck_assert(sdi_pending_add(&b.pending, (sdi_pending){5, 1}));
    ck_assert(!sdi_point_merge(&a, &b));
    ck_assert(!sdi_pending_add(&a.pending, (sdi_pending){7, 1}));
}
END_TEST

START_TEST(another_era_never_passes)
{
    sdi_point point = {.era = {1, 2}};
    sdi_stamp same = {.era = {1, 2}}, other = {.era = {1, 3}}, foreign = {.era = {2, 2}}, unknown = {.era = {1, 0}};
    ck_assert(sdi_stamp_passes(&same, &point));
    ck_assert(!sdi_stamp_passes(&other, &point));
    ck_assert(!sdi_stamp_passes(&foreign, &point));
    point.era = unknown.era;
    ck_assert(!sdi_stamp_passes(&unknown, &point));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, containing_is_as_the_reference_says);
    tcase_add_test(cases, of_one_primary_the_later_sees_more);
    tcase_add_test(cases, merging_demands_what_both_demand_and_no_more);
    tcase_add_test(cases, merging_is_monotone_idempotent_and_in_any_order);
    tcase_add_test(cases, what_does_not_fit_errs_to_the_safe_side);
    tcase_add_test(cases, one_told_twice_is_one);
    tcase_add_test(cases, merging_what_was_cut_loses_no_write);
    tcase_add_test(cases, parses_what_the_server_says_and_nothing_else);
    tcase_add_test(cases, stamps_survive_being_bytes);
    tcase_add_test(cases, what_is_pending_passes_only_where_it_has_finished);
    tcase_add_test(cases, more_that_is_pending_than_fits_is_told);
    tcase_add_test(cases, another_era_never_passes);
}

UNIT_MAIN("model/stamp", fill, 60)
