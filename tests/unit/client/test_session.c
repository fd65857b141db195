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

/* A client of which the sessions ask only where writes stand. */
static sdi_core core;
static shopdata_client client = {.core = &core};

static void begin(void)
{
    core = (sdi_core){.settings = NULL};
    sdi_unfinished_init(&core.unfinished);
}

START_TEST(what_is_not_known_is_in_nothing_until_it_is_placed)
{
    begin();
    sdi_era era = {0};
    sdi_lsn lsn = 0;
    sdi_point old = point_at(1, 10, 1000), floor = point_at(1, 20, 2000);
    sdi_stamp late = standby_at(1, 9000), early = standby_at(1, 1999);
    shopdata_session session = {.client = &client};
    sdi_session_wrote(&session, &old);
    sdi_session_wrote(&session, NULL);
    ck_assert(!sdi_session_is_in(&session, &late));
    ck_assert(!sdi_session_position(&session, &era, &lsn));
    sdi_place(&core, sdi_unplaced_last(&core, 0), &floor);
    ck_assert(sdi_session_position(&session, &era, &lsn));
    ck_assert_uint_eq(lsn, 2000);
    ck_assert(sdi_session_is_in(&session, &late));
    ck_assert(!sdi_session_is_in(&session, &early));
    sdi_unfinished_free(&core.unfinished);
}
END_TEST

/* What survived a promotion lies before all that the new primary says; a standby has to catch up. */
START_TEST(positions_run_on_through_a_promotion)
{
    sdi_point old = point_at(1, 10, 1000), new = point_at(2, 11, 1100);
    sdi_stamp behind = standby_at(2, 999), later = standby_at(2, 1000), there = primary_at(11, 900);
    there.era.timeline = 2;
    shopdata_session promoted = {0}, moved = {0};
    sdi_session_wrote(&promoted, &old);
    ck_assert(!sdi_session_is_in(&promoted, &behind));
    ck_assert(sdi_session_is_in(&promoted, &later));
    ck_assert(sdi_session_is_in(&promoted, &there));
    sdi_session_wrote(&moved, &new);
    sdi_session_wrote(&moved, &old);
    sdi_stamp over = standby_at(1, 9000);
    ck_assert(!sdi_session_is_in(&moved, &over));
    ck_assert(!sdi_session_is_in(&moved, &later));
}
END_TEST

static sdi_stamp seen_at(bool standby, sdi_lsn lsn, sdi_lsn seen)
{
    return (sdi_stamp){.era = {SYSTEM, 1}, .standby = standby, .lsn = lsn, .seen = seen};
}

START_TEST(what_was_seen_bounds_what_may_be_shown)
{
    shopdata_session session = {.client = &client};
    sdi_stamp first = seen_at(true, 1000, 1010), again = seen_at(true, 1009, 1020), later = seen_at(true, 1010, 1030);
    sdi_stamp primary = seen_at(false, 5000, 5000);
    ck_assert(sdi_session_goes_on(&session, &first) && sdi_session_goes_on(&session, &primary));
    sdi_session_saw(&session, &first);
    ck_assert(!sdi_session_goes_on(&session, &again));
    ck_assert(sdi_session_goes_on(&session, &later));
    ck_assert(!sdi_session_goes_on(&session, &primary)); /* it was flushed, and perhaps not visible */
}
END_TEST

/* A server whose role changed while it answered. */
START_TEST(what_was_seen_who_knows_where_stays_so_in_the_token)
{
    static sdi_settings settings;
    begin();
    core.settings = &settings;
    sdi_token told;
    sdi_point floor = point_at(1, 20, 2000);
    sdi_stamp any = seen_at(true, 1000, 1010);
    shopdata_session session = {.client = &client, .token.era = {SYSTEM, 1}};
    const char *text;
    sdi_session_saw(&session, NULL);
    ck_assert(!sdi_session_goes_on(&session, &any));
    ck_assert_int_eq(sdi_session_token(&session, &text, NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_token_decode(sdi_slice_of(text), &settings.token_keys, &told), SDI_TOKEN_GOOD);
    ck_assert(told.unknown);
    sdi_place(&core, sdi_unplaced_last(&core, 0), &floor);
    ck_assert_int_eq(sdi_session_token(&session, &text, NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_token_decode(sdi_slice_of(text), &settings.token_keys, &told), SDI_TOKEN_GOOD);
    ck_assert(!told.unknown);
    ck_assert_uint_eq(told.reached, 2000);
    sdi_buffer_free(&session.text);
    sdi_unfinished_free(&core.unfinished);
}
END_TEST

START_TEST(what_the_cache_was_not_told_of_is_demanded_until_a_fence_does)
{
    static const char keys[] = "f:item/7\0f:item";
    shopdata_session session = {0};
    sdi_point write = point_at(1, 10, 1000), before = point_at(1, 9, 900), behind = point_at(1, 12, 1200);
    sdi_point flushed_only = point_at(1, 9, 1200);
    sdi_session_wrote(&session, &write);
    ck_assert(!sdi_session_untold(&session, sdi_slice_of("f:item/7"), &before));
    sdi_session_unfenced(&session, &(sdi_buffer){.data = (char *)keys, .length = sizeof keys});
    ck_assert(sdi_session_untold(&session, sdi_slice_of("f:item/7"), &before));
    ck_assert(sdi_session_untold(&session, sdi_slice_of("f:item/7"), NULL));
    ck_assert(sdi_session_untold(&session, sdi_slice_of("f:item/7"), &flushed_only));
    ck_assert(!sdi_session_untold(&session, sdi_slice_of("f:item/8"), &before));
    ck_assert(!sdi_session_untold(&session, sdi_slice_of("f:item/7"), &behind));
    ck_assert(!sdi_session_untold(&session, sdi_slice_of("f:item/7"), &before)); /* that one was told once */
    ck_assert(sdi_session_untold(&session, sdi_slice_of("f:item"), &before));
    sdi_session_unfenced(&session, &(sdi_buffer){.data = NULL}); /* forgotten: it may be any */
    ck_assert(sdi_session_untold(&session, sdi_slice_of("f:other"), &before));
    ck_assert(!sdi_session_untold(&session, sdi_slice_of("f:other"), &behind));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, who_wrote_nothing_is_in_everything);
    tcase_add_test(cases, all_writes_must_be_contained);
    tcase_add_test(cases, a_primarys_snapshot_decides_and_not_its_position);
    tcase_add_test(cases, what_is_not_known_is_in_nothing_until_it_is_placed);
    tcase_add_test(cases, positions_run_on_through_a_promotion);
    tcase_add_test(cases, what_was_seen_bounds_what_may_be_shown);
    tcase_add_test(cases, what_was_seen_who_knows_where_stays_so_in_the_token);
    tcase_add_test(cases, what_the_cache_was_not_told_of_is_demanded_until_a_fence_does);
}

UNIT_MAIN("client/session", fill, 20)
