#include "client/session.h"

#include "../unit.h"

enum { SYSTEM = 77 };

static sdi_point point_at(uint32_t timeline, uint64_t xid, sdi_lsn lsn)
{
    return (sdi_point){
        .era = {SYSTEM, timeline}, .lsn = lsn, .flush = lsn, .snapshot = {.xmin = xid + 1, .xmax = xid + 1}};
}

static sdi_stamp standby_at(uint32_t timeline, sdi_lsn lsn)
{
    return (sdi_stamp){.era = {SYSTEM, timeline}, .standby = true, .lsn = lsn};
}

static sdi_stamp primary_at(uint64_t xmax, sdi_lsn flush)
{
    return (sdi_stamp){.era = {SYSTEM, 1}, .lsn = flush, .snapshot = {.xmin = xmax, .xmax = xmax}};
}

START_TEST(who_wrote_nothing_is_in_everything)
{
    shopdata_session session = {0};
    ck_assert(sdi_session_is_in(&session, &(sdi_stamp){0}));
}
END_TEST

START_TEST(all_writes_must_be_contained)
{
    shopdata_session session = {0};
    sdi_point first = point_at(1, 10, 1000), second = point_at(1, 12, 1200);
    sdi_session_wrote(&session, &second);
    sdi_session_wrote(&session, &first);
    sdi_stamp early = standby_at(1, 1199), late = standby_at(1, 1200);
    ck_assert(!sdi_session_is_in(&session, &early));
    ck_assert(sdi_session_is_in(&session, &late));
}
END_TEST

/* The write was flushed before it could be seen: a primary's position alone proves nothing. */
START_TEST(a_primarys_snapshot_decides_and_not_its_position)
{
    shopdata_session session = {0};
    sdi_point point = point_at(1, 10, 1000);
    sdi_session_wrote(&session, &point);
    sdi_stamp unseen = primary_at(10, 5000), seen = primary_at(11, 1000);
    ck_assert(!sdi_session_is_in(&session, &unseen));
    ck_assert(sdi_session_is_in(&session, &seen));
}
END_TEST

START_TEST(what_is_not_known_is_in_nothing)
{
    sdi_point old = point_at(1, 10, 1000), new = point_at(2, 11, 1100);
    sdi_stamp late = standby_at(1, 9000), later = standby_at(2, 9000);
    shopdata_session ambiguous = {0}, promoted = {0}, moved = {0};
    sdi_session_wrote(&ambiguous, &old);
    sdi_session_wrote(&ambiguous, NULL);
    ck_assert(!sdi_session_is_in(&ambiguous, &late));
    sdi_session_wrote(&promoted, &old);
    ck_assert(!sdi_session_is_in(&promoted, &later)); /* it may have been lost there */
    sdi_session_wrote(&moved, &old);
    sdi_session_wrote(&moved, &new);
    ck_assert(!sdi_session_is_in(&moved, &late));
    ck_assert(!sdi_session_is_in(&moved, &later));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, who_wrote_nothing_is_in_everything);
    tcase_add_test(cases, all_writes_must_be_contained);
    tcase_add_test(cases, a_primarys_snapshot_decides_and_not_its_position);
    tcase_add_test(cases, what_is_not_known_is_in_nothing);
}

UNIT_MAIN("client/session", fill, 20)
