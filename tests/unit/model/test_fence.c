#include "../unit.h"
#include "base/random.h"
#include "model/fence.h"

static const sdi_point POINT = {.era = {0x1122334455667788, 3},
                                .lsn = 0xabc,
                                .flush = 0xab0,
                                .snapshot = {5, 0xfedcba9876543211, 2, {6, 0xfedcba9876543210}},
                                .pending = {2, {{7, 0xab1}, {0xfedcba9876543212, 0xabd}}}};
static const char TEXT[] = "F 1122334455667788 00000003 0000000000000abc 0000000000000ab0 0000000000000005 "
                           "fedcba9876543211 0000000000000006,fedcba9876543210 "
                           "0000000000000007:0000000000000ab1,fedcba9876543212:0000000000000abd";
enum { RUNNING_END = 96 + 33, PENDING_END = RUNNING_END + 1 + 33 };

static sdi_slice slice(const sdi_buffer *buffer)
{
    return (sdi_slice){buffer->data, buffer->length};
}

START_TEST(a_record_is_text_of_fixed_width)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point read;
    sdi_fence_encode(&POINT, false, &record);
    ck_assert_str_eq(record.data, TEXT);
    ck_assert(!sdi_fence_strict(slice(&record)));
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_POINT);
    ck_assert(sdi_era_equal(read.era, POINT.era) && read.lsn == POINT.lsn && read.flush == POINT.flush);
    ck_assert(read.snapshot.xmin == 5 && read.snapshot.xmax == 0xfedcba9876543211 && read.snapshot.count == 2);
    ck_assert(read.snapshot.running[0] == 6 && read.snapshot.running[1] == 0xfedcba9876543210);
    ck_assert(read.pending.count == 2 && read.pending.list[0].xid == 7 && read.pending.list[0].flush == 0xab1);
    ck_assert(read.pending.list[1].xid == 0xfedcba9876543212 && read.pending.list[1].flush == 0xabd);
    sdi_buffer_clear(&record);
    sdi_fence_encode(&POINT, true, &record);
    ck_assert_str_eq(record.data + 1, TEXT + 1);
    ck_assert(*record.data == 'S' && sdi_fence_strict(slice(&record)));
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_POINT);
    sdi_buffer_clear(&record);
    sdi_fence_placeholder(0xbeef, &record);
    ck_assert_str_eq(record.data, "P 000000000000beef");
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_PLACEHOLDER);
    ck_assert_int_eq(sdi_fence_decode(sdi_slice_of(""), &read), SDI_FENCE_MISSING);
    sdi_buffer_free(&record);
}
END_TEST

START_TEST(whatever_is_cut_or_added_is_damaged)
{
    sdi_point read;
    char text[sizeof TEXT + 1];
    memcpy(text, TEXT, sizeof TEXT);
    text[sizeof TEXT - 1] = '0';
    ck_assert_int_eq(sdi_fence_decode((sdi_slice){text, sizeof TEXT}, &read), SDI_FENCE_DAMAGED);
    for (size_t length = 1; length < sizeof TEXT - 1; length++) {
        bool whole = length == PENDING_END; /* without the last that is pending */
        ck_assert_int_eq(sdi_fence_decode((sdi_slice){TEXT, length}, &read),
                         whole ? SDI_FENCE_POINT : SDI_FENCE_DAMAGED);
    }
}
END_TEST

START_TEST(whatever_has_a_wrong_byte_is_damaged)
{
    static const char wrong[] = {'g', 'G', 'A', ' ', ',', '-', '\0', '\n', '/', ':', '`', '\x7f', '\xff'};
    sdi_point read;
    char text[sizeof TEXT];
    for (size_t at = 0; at < sizeof TEXT - 1; at++)
        for (size_t i = 0; i < sizeof wrong; i++) {
            memcpy(text, TEXT, sizeof TEXT);
            text[at] = wrong[i];
            if (TEXT[at] != wrong[i] && !(at == 0 && wrong[i] == 'S'))
                ck_assert_int_eq(sdi_fence_decode((sdi_slice){text, sizeof text - 1}, &read), SDI_FENCE_DAMAGED);
        }
}
END_TEST

START_TEST(numbers_out_of_order_are_damaged)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point point = POINT, read;
    point.snapshot.xmin = 10;
    sdi_fence_encode(&point, false, &record);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_DAMAGED);
    point = POINT;
    point.snapshot.running[1] = 5;
    sdi_buffer_clear(&record);
    sdi_fence_encode(&point, false, &record);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_DAMAGED);
    point = POINT;
    point.pending.list[1].xid = 7;
    sdi_buffer_clear(&record);
    sdi_fence_encode(&point, false, &record);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_DAMAGED);
    sdi_buffer_free(&record);
}
END_TEST

static enum sdi_fence_kind kind_with_running(uint64_t first, uint64_t last)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point point = {.era = {1, 1}, .snapshot = {5, 9, 2, {first, last}}}, read;
    sdi_fence_encode(&point, false, &record);
    enum sdi_fence_kind kind = sdi_fence_decode(slice(&record), &read);
    sdi_buffer_free(&record);
    return kind;
}

START_TEST(who_runs_outside_of_the_snapshot_is_damage)
{
    ck_assert_int_eq(kind_with_running(5, 8), SDI_FENCE_POINT);
    ck_assert_int_eq(kind_with_running(4, 8), SDI_FENCE_DAMAGED);
    ck_assert_int_eq(kind_with_running(5, 9), SDI_FENCE_DAMAGED);
    ck_assert_int_eq(kind_with_running(9, UINT64_MAX), SDI_FENCE_DAMAGED);
}
END_TEST

static enum sdi_fence_action merge(const char *record, const sdi_point *write)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_change change = {.point = *write};
    enum sdi_fence_action action = sdi_fence_merge(sdi_slice_of(record), &change, &out);
    if (action != SDI_FENCE_REPLACE)
        ck_assert_uint_eq(out.length, 0);
    sdi_buffer_free(&out);
    return action;
}

START_TEST(a_writer_merges_or_deletes_and_never_creates)
{
    sdi_point other = POINT;
    ck_assert_int_eq(merge("", &POINT), SDI_FENCE_KEEP);
    ck_assert_int_eq(merge("P 000000000000beef", &POINT), SDI_FENCE_DELETE);
    ck_assert_int_eq(merge("nonsense", &POINT), SDI_FENCE_DELETE);
    ck_assert_int_eq(merge(TEXT, &POINT), SDI_FENCE_KEEP);
    other.lsn++;
    ck_assert_int_eq(merge(TEXT, &other), SDI_FENCE_REPLACE);
    other = POINT;
    other.era.timeline = 2;
    ck_assert_int_eq(merge(TEXT, &other), SDI_FENCE_KEEP);
    other.era.timeline = 4;
    ck_assert_int_eq(merge(TEXT, &other), SDI_FENCE_DELETE);
    other.era = (sdi_era){1, 2};
    ck_assert_int_eq(merge(TEXT, &other), SDI_FENCE_DELETE);
}
END_TEST

START_TEST(what_is_put_is_both_points_behind_what_was_there)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_point write = POINT, read;
    sdi_change change;
    write.lsn = 0xfff;
    write.flush = 1;
    write.snapshot = (sdi_snapshot){.xmin = 7, .xmax = UINT64_MAX, .count = 1, .running = {UINT64_MAX - 1}};
    change = (sdi_change){.point = write};
    sdi_buffer_text(&out, "before:");
    ck_assert_int_eq(sdi_fence_merge(sdi_slice_of(TEXT), &change, &out), SDI_FENCE_REPLACE);
    ck_assert_mem_eq(out.data, "before:", 7);
    ck_assert_int_eq(sdi_fence_decode((sdi_slice){out.data + 7, out.length - 7}, &read), SDI_FENCE_POINT);
    ck_assert(read.lsn == 0xfff && read.flush == 0xab0 && read.snapshot.xmax == UINT64_MAX && read.snapshot.count == 1);
    ck_assert_int_eq(merge(out.data + 7, &write), SDI_FENCE_KEEP);
    sdi_buffer_free(&out);
}
END_TEST

/* ----------------------------------------------------------------------------------------------- marks and settles */

static const sdi_era ERA = {1, 3};

static sdi_change mark(uint64_t xid, sdi_lsn flush)
{
    return (sdi_change){.point = {.era = ERA, .pending = {1, {{xid, flush}}}}};
}

static sdi_change settle(uint64_t xid, sdi_lsn flush)
{
    return (sdi_change){.point.era = ERA, .settled = {1, {{xid, flush}}}};
}

/* A fence at 100 whose snapshot has all below 50 finished. */
static void fence_at_100(sdi_buffer *record)
{
    sdi_point point = {.era = ERA, .lsn = 100, .flush = 100, .snapshot = {.xmin = 50, .xmax = 50}};
    sdi_buffer_clear(record);
    sdi_fence_encode(&point, true, record);
}

static enum sdi_fence_action carry_out(sdi_buffer *record, sdi_change change)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    enum sdi_fence_action action = sdi_fence_merge(slice(record), &change, &out);
    if (action != SDI_FENCE_KEEP)
        sdi_buffer_clear(record);
    sdi_buffer_append(record, out.data, out.length);
    sdi_buffer_free(&out);
    return action;
}

static sdi_point point_of(const sdi_buffer *record)
{
    sdi_point point;
    ck_assert_int_eq(sdi_fence_decode(slice(record), &point), SDI_FENCE_POINT);
    return point;
}

static bool passes(const sdi_buffer *record, bool standby, sdi_lsn lsn, uint64_t xmax)
{
    sdi_point point = point_of(record);
    sdi_stamp stamp = {.era = ERA, .standby = standby, .lsn = lsn, .snapshot = {.xmin = xmax, .xmax = xmax}};
    return sdi_stamp_passes(&stamp, &point);
}

START_TEST(a_mark_lets_pass_only_who_has_seen_the_end)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    fence_at_100(&record);
    ck_assert(passes(&record, true, 500, 0) && passes(&record, false, 100, 50));
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_REPLACE);
    ck_assert(!passes(&record, true, 500, 0));
    ck_assert(!passes(&record, false, 500, 60));
    ck_assert(passes(&record, false, 120, 61));
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_KEEP);
    ck_assert_int_eq(carry_out(&record, settle(60, 120)), SDI_FENCE_REPLACE);
    ck_assert(passes(&record, true, 100, 0) && passes(&record, false, 100, 50)); /* as if it had never been */
    ck_assert_int_eq(carry_out(&record, settle(60, 120)), SDI_FENCE_KEEP);
    sdi_buffer_free(&record);
}
END_TEST

/* The xid 60 was lost in a crash and given out again. What was seen of the first one says nothing of the second. */
START_TEST(an_xid_given_out_again_is_another_transaction)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    fence_at_100(&record);
    carry_out(&record, mark(60, 120));
    ck_assert_int_eq(carry_out(&record, mark(60, 150)), SDI_FENCE_REPLACE);
    ck_assert(!passes(&record, false, 149, 61));
    ck_assert(passes(&record, false, 150, 61));
    ck_assert_int_eq(carry_out(&record, settle(60, 149)), SDI_FENCE_KEEP);
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_KEEP);
    ck_assert_uint_eq(point_of(&record).pending.list[0].flush, 150);
    ck_assert_int_eq(carry_out(&record, settle(60, 200)), SDI_FENCE_REPLACE);
    ck_assert_uint_eq(point_of(&record).pending.count, 0);
    sdi_buffer_free(&record);
}
END_TEST

/* It stands until somebody who sees that it has finished settles it: safe, only slower. */
START_TEST(a_mark_that_comes_after_its_settle_stands)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    fence_at_100(&record);
    ck_assert_int_eq(carry_out(&record, settle(60, 130)), SDI_FENCE_KEEP);
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_REPLACE);
    ck_assert_uint_eq(point_of(&record).pending.count, 1);
    sdi_change reader = settle(60, 140);
    reader.point.lsn = reader.point.flush = 140;
    ck_assert_int_eq(carry_out(&record, reader), SDI_FENCE_REPLACE);
    ck_assert_uint_eq(point_of(&record).pending.count, 0);
    ck_assert_uint_eq(point_of(&record).lsn, 140);
    sdi_buffer_free(&record);
}
END_TEST

START_TEST(more_marks_than_fit_delete_the_fence)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    fence_at_100(&record);
    for (uint64_t i = 0; i < SDI_PENDING_MAX; i++)
        ck_assert_int_eq(carry_out(&record, mark(99 - i, i)), SDI_FENCE_REPLACE);
    sdi_point full = point_of(&record);
    for (uint32_t i = 0; i < SDI_PENDING_MAX; i++)
        ck_assert(full.pending.list[i].xid == 68 + i && full.pending.list[i].flush == 31 - i);
    ck_assert_int_eq(carry_out(&record, mark(80, 7)), SDI_FENCE_KEEP); /* it is among them: 99 - 19, at 19 */
    sdi_change both = mark(100, 5);
    both.settled = settle(68, 500).settled;
    ck_assert_int_eq(carry_out(&record, both), SDI_FENCE_REPLACE);
    ck_assert_int_eq(carry_out(&record, mark(101, 5)), SDI_FENCE_DELETE);
    ck_assert_uint_eq(record.length, 0);
    sdi_buffer_free(&record);
}
END_TEST

START_TEST(a_mark_deletes_what_a_write_deletes)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_change older = mark(60, 120), newer = mark(60, 120), foreign = settle(60, 120);
    older.point.era.timeline = 2;
    newer.point.era.timeline = 4;
    foreign.point.era.system = 9;
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_KEEP);
    ck_assert_uint_eq(record.length, 0);
    sdi_fence_placeholder(5, &record);
    ck_assert_int_eq(carry_out(&record, mark(60, 120)), SDI_FENCE_DELETE);
    fence_at_100(&record);
    ck_assert_int_eq(carry_out(&record, older), SDI_FENCE_KEEP);
    ck_assert_int_eq(carry_out(&record, newer), SDI_FENCE_DELETE);
    fence_at_100(&record);
    ck_assert_int_eq(carry_out(&record, foreign), SDI_FENCE_DELETE);
    sdi_buffer_free(&record);
}
END_TEST

static sdi_change random_change(void)
{
    sdi_change change = {.point.era = ERA};
    uint64_t xid = 50 + sdi_random_below(6), flush = 100 + sdi_random_below(6);
    switch (sdi_random_below(3)) {
    case 0:
        return mark(xid, flush);
    case 1:
        return settle(xid, flush);
    default:
        change.point.lsn = change.point.flush = flush;
        change.point.snapshot = (sdi_snapshot){.xmin = xid, .xmax = xid};
        return change;
    }
}

/* Every change twice, the second time at any moment after: nothing passes that did not pass what one of them left. */
START_TEST(repetition_never_lets_more_pass)
{
    sdi_buffer once = SDI_BUFFER_INIT, twice = SDI_BUFFER_INIT;
    for (int round = 0; round < 3000; round++) {
        sdi_change changes[6];
        fence_at_100(&once);
        fence_at_100(&twice);
        for (size_t i = 0; i < 6; i++) {
            changes[i] = random_change();
            bool settles = changes[i].settled.count;
            carry_out(&once, changes[i]);
            carry_out(&twice, changes[i]);
            size_t again = sdi_random_below(i + 1);
            if (!settles && !changes[again].settled.count)
                carry_out(&twice, changes[again]);
        }
        for (uint64_t xmax = 49; xmax < 58; xmax++)
            for (sdi_lsn lsn = 99; lsn < 107; lsn++) {
                ck_assert(!passes(&twice, false, lsn, xmax) || passes(&once, false, lsn, xmax));
                ck_assert(!passes(&twice, true, lsn, xmax) || passes(&once, true, lsn, xmax));
            }
    }
    sdi_buffer_free(&once);
    sdi_buffer_free(&twice);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_record_is_text_of_fixed_width);
    tcase_add_test(cases, whatever_is_cut_or_added_is_damaged);
    tcase_add_test(cases, whatever_has_a_wrong_byte_is_damaged);
    tcase_add_test(cases, numbers_out_of_order_are_damaged);
    tcase_add_test(cases, who_runs_outside_of_the_snapshot_is_damage);
    tcase_add_test(cases, a_writer_merges_or_deletes_and_never_creates);
    tcase_add_test(cases, what_is_put_is_both_points_behind_what_was_there);
    tcase_add_test(cases, a_mark_lets_pass_only_who_has_seen_the_end);
    tcase_add_test(cases, an_xid_given_out_again_is_another_transaction);
    tcase_add_test(cases, a_mark_that_comes_after_its_settle_stands);
    tcase_add_test(cases, more_marks_than_fit_delete_the_fence);
    tcase_add_test(cases, a_mark_deletes_what_a_write_deletes);
    tcase_add_test(cases, repetition_never_lets_more_pass);
}

UNIT_MAIN("model/fence", fill, 20)
