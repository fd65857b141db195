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

/* What a primary with this snapshot answers. */
static sdi_moment primary_with(const char *snapshot)
{
    static const char *const names[] = {"standby", "timeline", "position", "snapshot", "head", "synchronous", "age"};
    const char *const cells[] = {"f", "00000002", "0/5000000", snapshot, "0/6000028", "t", NULL};
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_pg_connection connection = {.system = 77};
    sdi_moment moment;
    for (size_t i = 0; i < 7; i++)
        sdi_result_column(&builder, names[i], 25);
    for (size_t i = 0; i < 7; i++)
        cell(&builder, cells[i]);
    shopdata_result *answer = sdi_result_build(&builder);
    ck_assert(sdi_moment_read(&connection, answer, &moment));
    shopdata_result_free(answer);
    return moment;
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

static void fill(TCase *cases)
{
    tcase_add_test(cases, positions_and_snapshot_are_read);
    tcase_add_test(cases, many_writers_do_not_hide_the_moment);
    tcase_add_test(cases, a_snapshot_that_cannot_be_read_is_no_stamp);
}

UNIT_MAIN("postgres/moment", fill, 10)
