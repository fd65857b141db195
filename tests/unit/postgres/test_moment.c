#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/buffer.h"
#include "model/result.h"
#include "postgres/link.h"
#include "postgres/moment.h"

static void cell(sdi_result_builder *builder, const char *text)
{
    sdi_result_cell(builder, text, text ? strlen(text) : 0);
}

/* What a primary with this snapshot answers, whose next xid is so far from 3. */
static sdi_moment primary_at(const char *snapshot, const char *age)
{
    static const char *const names[] = {"standby", "timeline", "position", "head", "snapshot", "age"};
    const char *const cells[] = {"f", "00000002", "0/5000000", "0/6000028", snapshot, age};
    enum { COLUMNS = 6 };
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_pg_connection connection = {.system = 77};
    sdi_moment moment;
    for (size_t i = 0; i < COLUMNS; i++)
        sdi_result_column(&builder, names[i], 25);
    for (size_t i = 0; i < COLUMNS; i++)
        cell(&builder, cells[i]);
    shopdata_result *answer = sdi_result_build(&builder);
    ck_assert(sdi_moment_read(&connection, answer, &moment));
    shopdata_result_free(answer);
    return moment;
}

static sdi_moment primary_with(const char *snapshot)
{
    return primary_at(snapshot, NULL);
}

START_TEST(positions_and_snapshot_are_read)
{
    sdi_moment moment = primary_with("100:105:100,103");
    sdi_stamp stamp;
    sdi_point floor;
    ck_assert(sdi_moment_stamp(&moment, &stamp) && sdi_moment_floor(&moment, &floor));
    ck_assert_uint_eq(stamp.era.timeline, 2);
    ck_assert_uint_eq(stamp.lsn, 0x5000000);
    ck_assert_uint_eq(floor.lsn, 0x6000000); /* not behind the page's header, where nobody ever gets */
    ck_assert(sdi_stamp_passes(&stamp, &floor));
}
END_TEST

/* More running transactions than a snapshot has room for: there is a stamp and a floor all the same, the stamp holding
 * for less and the floor asking for more. A floor that is not known would stop every read whose fence is missing. */
START_TEST(many_writers_do_not_hide_the_moment)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_text(&text, "4000000000:4000001000:");
    for (int i = 0; i < 500; i++)
        sdi_buffer_printf(&text, "%s%llu", i ? "," : "", 4000000000ull + 2 * (unsigned)i);
    sdi_moment moment = primary_with(text.data);
    sdi_stamp stamp;
    sdi_point floor;
    ck_assert(sdi_moment_stamp(&moment, &stamp) && sdi_moment_floor(&moment, &floor));
    ck_assert(!sdi_stamp_passes(&stamp, &floor));
    sdi_buffer_free(&text);
}
END_TEST

START_TEST(a_snapshot_that_cannot_be_read_is_no_stamp)
{
    sdi_moment moment = primary_with("100:nonsense");
    sdi_stamp stamp;
    sdi_point floor;
    ck_assert(!sdi_moment_stamp(&moment, &stamp) && !sdi_moment_floor(&moment, &floor));
}
END_TEST

static uint64_t next_of(const char *snapshot, const char *age)
{
    return primary_at(snapshot, age).next;
}

/* age() is an int4: past 2^31 it is negative. xids 0 to 2 are never given out. */
START_TEST(the_next_xid_goes_on_over_the_end_of_32_bits)
{
    ck_assert_uint_eq(next_of("100:105:100", "102"), 105);
    ck_assert_uint_eq(next_of("100:105:100", "109"), 112);
    ck_assert_uint_eq(next_of("2147483646:2147483646:", "2147483643"), 2147483646);
    ck_assert_uint_eq(next_of("2147483646:2147483646:", "2147483647"), 2147483650);
    ck_assert_uint_eq(next_of("2147483650:2147483652:", "-2147483645"), 2147483654);
    ck_assert_uint_eq(next_of("4294967290:4294967295:", "-4"), 4294967295);
    ck_assert_uint_eq(next_of("4294967290:4294967295:", "1"), 4294967300);
    ck_assert_uint_eq(next_of("12884901893:12884901893:", "7"), 12884901898);
    ck_assert_uint_eq(next_of("100:105:100", "101"), 0); /* before the snapshot: it cannot be */
    ck_assert_uint_eq(next_of("100:105:100", "x"), 0);
    ck_assert_uint_eq(next_of("100:105:100", NULL), 0);
    ck_assert_uint_eq(next_of("nonsense", "102"), 0);
}
END_TEST

START_TEST(who_has_an_xid_is_pending)
{
    sdi_pendings pending;
    sdi_moment moment = primary_at("100:105:100,103", "104");
    ck_assert(sdi_moment_pending(&moment, &pending));
    ck_assert_uint_eq(pending.count, 4);
    ck_assert(pending.list[0].xid == 100 && pending.list[1].xid == 103);
    ck_assert(pending.list[2].xid == 105 && pending.list[3].xid == 106);
    ck_assert_uint_eq(pending.list[3].flush, 0x5000000);
    moment = primary_with("100:105:100,103");
    ck_assert(!sdi_moment_pending(&moment, &pending));
    moment = primary_at("100:105:100,103", "132"); /* 2 + 30 */
    ck_assert(sdi_moment_pending(&moment, &pending));
    ck_assert_uint_eq(pending.count, SDI_PENDING_MAX);
    moment = primary_at("100:105:100,103", "133");
    ck_assert(!sdi_moment_pending(&moment, &pending));
}
END_TEST

/* Next is 107. What is in the snapshot has finished; who is not yet, or runs, has not; from next on all was lost, but
 * for one who marked at this same flush position: he may have got that xid since. */
START_TEST(what_has_finished_is_settled)
{
    sdi_moment moment = primary_at("100:105:100,103", "104");
    const sdi_pendings met = {8,
                              {{99, 1},
                               {100, 1},
                               {101, 0x5000000},
                               {102, 0x5000001},
                               {103, 1},
                               {106, 1},
                               {107, 0x4ffffff},
                               {108, 0x5000000}}};
    sdi_pendings settled, left = met;
    sdi_moment_settles(&moment, &met, &settled);
    ck_assert_uint_eq(settled.count, 3);
    ck_assert(settled.list[0].xid == 99 && settled.list[1].xid == 101 && settled.list[2].xid == 107);
    ck_assert_uint_eq(settled.list[0].flush, 0x5000000);
    ck_assert_uint_eq(settled.list[2].flush, 0x4ffffff);
    left.list[6].flush = 0x5000000; /* 107 was given out again meanwhile */
    sdi_pending_settle(&left, &settled);
    ck_assert_uint_eq(left.count, 6);
}
END_TEST

static sdi_lsn reached_by(size_t columns, const char *const *cells)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    for (size_t i = 0; i < columns; i++)
        sdi_result_column(&builder, "", 25);
    for (size_t i = 0; i < columns; i++)
        cell(&builder, cells[i]);
    shopdata_result *answer = sdi_result_build(&builder);
    sdi_lsn lsn = sdi_reached_read(answer);
    shopdata_result_free(answer);
    return lsn;
}

static sdi_lsn reached(const char *pause, const char *replayed, const char *received)
{
    return reached_by(4, (const char *[]){pause, replayed, received, "t"});
}

/* A standby that has received more may be at the next record, and show what it does. */
START_TEST(what_was_seen_ends_behind_the_record_under_way)
{
    ck_assert_uint_eq(reached_by(1, (const char *[]){"0/6000028"}), 0x6000000); /* a primary, behind a page's header */
    ck_assert_uint_eq(reached_by(4, (const char *[]){"paused", "0/6000100", "0/6000100", "f"}), 0); /* promoted */
    ck_assert_uint_eq(reached("not paused", "0/6000100", "0/6000100"), 0x6000100);
    ck_assert_uint_eq(reached("not paused", "0/6000100", "0/6000140"), 0x6000101);
    ck_assert_uint_eq(reached("paused", "0/6000100", "0/6000140"), 0x6000100); /* its replay is paused */
    ck_assert_uint_eq(reached("not paused", "0/6000100", "0/6000000"),
                      0x6000101); /* it reads an archive, or its own WAL */
    ck_assert_uint_eq(reached("not paused", "0/6000100", NULL), 0x6000101);
    ck_assert_uint_eq(reached("not paused", NULL, NULL), 0);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_seen_ends_behind_the_record_under_way);
    tcase_add_test(cases, positions_and_snapshot_are_read);
    tcase_add_test(cases, many_writers_do_not_hide_the_moment);
    tcase_add_test(cases, a_snapshot_that_cannot_be_read_is_no_stamp);
    tcase_add_test(cases, the_next_xid_goes_on_over_the_end_of_32_bits);
    tcase_add_test(cases, who_has_an_xid_is_pending);
    tcase_add_test(cases, what_has_finished_is_settled);
}

UNIT_MAIN("postgres/moment", fill, 10)
