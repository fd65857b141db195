#include "../unit.h"
#include "base/random.h"
#include "model/fence.h"

static const sdi_point POINT = {.era = {0x1122334455667788, 3},
                                .lsn = 0xabc,
                                .flush = 0xab0,
                                .snapshot = {5, 0xfedcba9876543211, 2, {6, 0xfedcba9876543210}}};
static const char TEXT[] = "F 1122334455667788 00000003 0000000000000abc 0000000000000ab0 0000000000000005 "
                           "fedcba9876543211 0000000000000006,fedcba9876543210";

static sdi_slice slice(const sdi_buffer *buffer)
{
    return (sdi_slice){buffer->data, buffer->length};
}

START_TEST(a_record_is_text_of_fixed_width)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point read;
    sdi_fence_encode(&POINT, &record);
    ck_assert_str_eq(record.data, TEXT);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_POINT);
    ck_assert(sdi_era_equal(read.era, POINT.era) && read.lsn == POINT.lsn && read.flush == POINT.flush);
    ck_assert(read.snapshot.xmin == 5 && read.snapshot.xmax == 0xfedcba9876543211 && read.snapshot.count == 2);
    ck_assert(read.snapshot.running[0] == 6 && read.snapshot.running[1] == 0xfedcba9876543210);
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
        bool whole = length == sizeof TEXT - 1 - 17; /* without the last running xid */
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
            if (TEXT[at] != wrong[i])
                ck_assert_int_eq(sdi_fence_decode((sdi_slice){text, sizeof text - 1}, &read), SDI_FENCE_DAMAGED);
        }
}
END_TEST

START_TEST(numbers_out_of_order_are_damaged)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point point = POINT, read;
    point.snapshot.xmin = 10;
    sdi_fence_encode(&point, &record);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_DAMAGED);
    point = POINT;
    point.snapshot.running[1] = 5;
    sdi_buffer_clear(&record);
    sdi_fence_encode(&point, &record);
    ck_assert_int_eq(sdi_fence_decode(slice(&record), &read), SDI_FENCE_DAMAGED);
    sdi_buffer_free(&record);
}
END_TEST

static enum sdi_fence_kind kind_with_running(uint64_t first, uint64_t last)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point point = {.era = {1, 1}, .snapshot = {5, 9, 2, {first, last}}}, read;
    sdi_fence_encode(&point, &record);
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
    enum sdi_fence_action action = sdi_fence_merge(sdi_slice_of(record), write, &out);
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
    write.lsn = 0xfff;
    write.flush = 1;
    write.snapshot = (sdi_snapshot){.xmin = 7, .xmax = UINT64_MAX, .count = 1, .running = {UINT64_MAX - 1}};
    sdi_buffer_text(&out, "before:");
    ck_assert_int_eq(sdi_fence_merge(sdi_slice_of(TEXT), &write, &out), SDI_FENCE_REPLACE);
    ck_assert_mem_eq(out.data, "before:", 7);
    ck_assert_int_eq(sdi_fence_decode((sdi_slice){out.data + 7, out.length - 7}, &read), SDI_FENCE_POINT);
    ck_assert(read.lsn == 0xfff && read.flush == 0xab0 && read.snapshot.xmax == UINT64_MAX && read.snapshot.count == 1);
    ck_assert_int_eq(merge(out.data + 7, &write), SDI_FENCE_KEEP);
    sdi_buffer_free(&out);
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
}

UNIT_MAIN("model/fence", fill, 20)
