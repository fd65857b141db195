/* Who goes when the room is full, and that what goes is counted. */
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/random.h"
#include "kit.h"

enum { ROOM = 128 * 1024, LENGTH = 400 }; /* of one shard: one order */

static char text[LENGTH + 1];

static void fill_up(sdi_local *local, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        kit_put_now(local, i, text, i);
}

/* Puts until something goes, and returns how many entries there is room for. */
static uint64_t capacity_of(sdi_local *local)
{
    uint64_t count = 0;
    while (sdi_local_used(local).evicted == 0)
        kit_put_now(local, count++, text, 0);
    return count - 1;
}

static uint64_t count_there(sdi_local *local, uint64_t first, uint64_t count)
{
    uint64_t there = 0;
    for (uint64_t i = first; i < first + count; i++)
        there += kit_is_there(local, i);
    return there;
}

static sdi_local *begin(void)
{
    memset(text, 'x', LENGTH);
    return sdi_local_new(ROOM);
}

START_TEST(the_oldest_that_nobody_used_goes_first)
{
    sdi_local *local = begin();
    uint64_t room = capacity_of(local);
    ck_assert(!kit_is_there(local, 0));
    ck_assert(kit_is_there(local, 1)); /* a use */
    fill_up(local, 1000, 2);
    ck_assert(kit_is_there(local, 1));
    ck_assert(!kit_is_there(local, 2));
    ck_assert(kit_is_there(local, room));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_is_used_outlasts_a_scan)
{
    sdi_local *local = begin();
    uint64_t half = capacity_of(local) / 2;
    fill_up(local, 5000, half);
    ck_assert_uint_eq(count_there(local, 5000, half), half);
    fill_up(local, 10000, 20 * half);
    ck_assert_uint_eq(count_there(local, 5000, half), half);
    sdi_local_free(local);
}
END_TEST

/* What was put once and went comes back: it is kept longer than what comes for the first time. */
START_TEST(what_comes_back_soon_is_kept)
{
    sdi_local *local = begin();
    uint64_t room = capacity_of(local);
    kit_put_now(local, 0, text, 0); /* it has just gone */
    fill_up(local, 10000, 2 * room);
    ck_assert(kit_is_there(local, 0));
    ck_assert(!kit_is_there(local, 10000));
    sdi_local_free(local);
}
END_TEST

/* It comes back and is kept, goes unused, and comes again: that is no sooner than anything else. */
START_TEST(what_came_back_for_nothing_is_new_again)
{
    sdi_local *local = begin();
    uint64_t room = capacity_of(local);
    ck_assert_uint_eq(count_there(local, 1, room), room); /* so that none of them becomes a ghost */
    kit_put_now(local, 0, text, 0);
    for (uint64_t i = 30000; i < 30000 + 4 * room; i++) {
        kit_put_now(local, i, text, i);
        ck_assert(kit_is_there(local, i));
    }
    ck_assert(!kit_is_there(local, 0));
    kit_put_now(local, 0, text, 0);
    fill_up(local, 40000, room);
    ck_assert(!kit_is_there(local, 0));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_is_not_used_any_more_goes_in_the_end)
{
    sdi_local *local = begin();
    uint64_t room = capacity_of(local);
    for (int uses = 0; uses < 100; uses++)
        count_there(local, 1, room);
    for (int round = 0; round < 8; round++) {
        uint64_t first = 10000 + 1000 * (uint64_t)round;
        for (uint64_t i = first; i < first + room / 2; i++) {
            kit_put_now(local, i, text, i);
            ck_assert(kit_is_there(local, i));
        }
    }
    ck_assert_uint_eq(count_there(local, 1, room), 0);
    sdi_local_free(local);
}
END_TEST

START_TEST(what_is_void_goes_before_what_is_good)
{
    sdi_local *local = begin();
    uint64_t room = capacity_of(local);
    count_there(local, 1, room);
    fill_up(local, 10000, room / 8); /* the used ones move on to the main queue */
    sdi_local_changed(local, 0);
    uint64_t evicted = sdi_local_used(local).evicted;
    fill_up(local, 20000, room / 4);
    ck_assert_uint_eq(sdi_local_used(local).evicted, evicted);
    ck_assert_uint_eq(count_there(local, 20000, room / 4), room / 4);
    sdi_local_free(local);
}
END_TEST

START_TEST(what_is_replaced_keeps_its_place)
{
    sdi_local *local = begin();
    uint64_t half = capacity_of(local) / 2;
    fill_up(local, 5000, half);
    count_there(local, 5000, half);
    fill_up(local, 10000, 2 * half); /* the used ones move on */
    for (int i = 0; i < 10; i++)
        fill_up(local, 5000, half);
    fill_up(local, 20000, 4 * half);
    ck_assert_uint_eq(count_there(local, 5000, half), half);
    sdi_local_free(local);
}
END_TEST

/* A large entry in place of a small one, and the other way round: what is counted is what is there. */
START_TEST(what_is_replaced_is_counted_once)
{
    sdi_local *local = begin();
    static char large[16 * 1024];
    memset(large, 'x', sizeof large - 1);
    sdi_local_forget_all(local);
    size_t empty = sdi_local_used(local).bytes;
    for (int i = 0; i < 1000; i++) {
        kit_put_now(local, 1, i % 2 ? large : text, 0);
        ck_assert_uint_eq(sdi_local_used(local).entries, 1);
        ck_assert_uint_le(sdi_local_used(local).bytes, ROOM);
    }
    sdi_local_forget_all(local);
    ck_assert_uint_eq(sdi_local_used(local).bytes, empty);
    sdi_local_free(local);
}
END_TEST

/* While a reader has it, it is his; the cache counts what it has itself. */
START_TEST(what_is_read_still_can_go)
{
    sdi_local *local = begin();
    shopdata_result *held[200];
    fill_up(local, 0, 200);
    for (uint64_t i = 0; i < 200; i++)
        held[i] = kit_get(local, i);
    fill_up(local, 10000, 2000);
    sdi_local_forget_all(local);
    ck_assert_uint_eq(sdi_local_used(local).entries, 0);
    for (uint64_t i = 0; i < 200; i++) {
        if (held[i])
            kit_assert_text(held[i], text);
        shopdata_result_free(held[i]);
    }
    sdi_local_free(local);
}
END_TEST

/* The smallest caches: whatever does not fit is not kept. */
START_TEST(hardly_any_room_is_no_room)
{
    for (size_t bytes = 0; bytes < 20000; bytes += 500) {
        sdi_local *local = sdi_local_new(bytes);
        for (uint64_t i = 0; i < 50; i++)
            kit_put_now(local, i, "boots", i);
        sdi_local_usage usage = sdi_local_used(local);
        ck_assert(usage.bytes <= usage.limit || usage.entries == 0);
        sdi_local_free(local);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, the_oldest_that_nobody_used_goes_first);
    tcase_add_test(cases, what_is_used_outlasts_a_scan);
    tcase_add_test(cases, what_comes_back_soon_is_kept);
    tcase_add_test(cases, what_came_back_for_nothing_is_new_again);
    tcase_add_test(cases, what_is_not_used_any_more_goes_in_the_end);
    tcase_add_test(cases, what_is_void_goes_before_what_is_good);
    tcase_add_test(cases, what_is_replaced_keeps_its_place);
    tcase_add_test(cases, what_is_replaced_is_counted_once);
    tcase_add_test(cases, what_is_read_still_can_go);
    tcase_add_test(cases, hardly_any_room_is_no_room);
}

UNIT_MAIN("local/eviction", fill, 30)
