/* The cache of one process: what is kept, for how long, what voids it, and what it takes. */
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/random.h"
#include "kit.h"

START_TEST(what_was_put_is_found)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    ck_assert(!kit_is_there(local, 1));
    kit_put_now(local, 1, "boots", 7);
    shopdata_result *result = kit_get(local, 1);
    kit_assert_text(result, "boots");
    ck_assert_str_eq(result->node, "primary");
    ck_assert_uint_eq(result->changed, 1);
    ck_assert(!kit_is_there(local, 2));
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

static void put_from(sdi_local *local, uint32_t number)
{
    shopdata_result *result = kit_answer("boots");
    snprintf(result->node, sizeof result->node, "node%u", number / 2);
    sdi_local_put(local, kit_key_of(number), result,
                  &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, NULL, 0, {1000 + number, number}});
    shopdata_result_free(result);
}

/* Is it there, and told to be from where it came? */
static bool is_from(sdi_local *local, uint32_t number)
{
    char node[16];
    sdi_local_seen seen;
    shopdata_result *result = sdi_local_get(local, kit_key_of(number), sdi_uptime(), 0, &seen);
    if (!result)
        return false;
    snprintf(node, sizeof node, "node%u", number / 2);
    ck_assert_str_eq(result->node, node);
    ck_assert_uint_eq(seen.timeline, number);
    ck_assert_uint_eq(seen.lsn, 1000 + number);
    shopdata_result_free(result);
    return true;
}

START_TEST(where_it_came_from_is_told)
{
    sdi_local *local = sdi_local_new(16 * KIT_ROOM);
    for (uint32_t i = 0; i < 60; i++)
        put_from(local, i);
    for (uint32_t i = 0; i < 60; i++)
        ck_assert(is_from(local, i));
    sdi_local_free(local);
}
END_TEST

/* As a process sees them that has lived through many promotions: it must not stop keeping what the last one answers. */
START_TEST(more_come_from_elsewhere_than_can_be_told_apart)
{
    sdi_local *local = sdi_local_new(16 * KIT_ROOM);
    uint32_t missed = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        put_from(local, i);
        missed += !is_from(local, i);
        is_from(local, i / 2); /* gone, or as it was */
    }
    ck_assert_uint_ge(missed, 1);
    ck_assert_uint_le(missed, 2000 / 64);
    sdi_local_free(local);
}
END_TEST

START_TEST(each_caller_has_a_head_of_his_own)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    kit_put_now(local, 1, "boots", 7);
    shopdata_result *one = kit_get(local, 1), *other = kit_get(local, 1);
    one->staleness_ms = 5;
    ck_assert_int_eq(other->staleness_ms, 0);
    ck_assert_ptr_eq(one->rows, other->rows);
    shopdata_result_free(one);
    kit_assert_text(other, "boots");
    shopdata_result_free(other);
    sdi_local_free(local);
}
END_TEST

START_TEST(a_result_outlives_its_entry_and_the_cache)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    kit_put_now(local, 1, "boots", 7);
    shopdata_result *old = shopdata_result_retain(kit_get(local, 1));
    kit_put_now(local, 1, "shoes", 7);
    shopdata_result *replaced = kit_get(local, 1);
    kit_assert_text(old, "boots");
    kit_assert_text(replaced, "shoes");
    shopdata_result_free(old);
    sdi_local_free(local);
    kit_assert_text(old, "boots");
    kit_assert_text(replaced, "shoes");
    shopdata_result_free(old);
    shopdata_result_free(replaced);
}
END_TEST

START_TEST(its_time_ends_it)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    int64_t now = sdi_uptime(), until = now + 60000000;
    kit_put(local, 1, "boots", &(sdi_local_entry){sdi_local_moment(local), until, NULL, 0, {0}});
    shopdata_result *result = kit_get_at(local, 1, until - 1, 0);
    kit_assert_text(result, "boots");
    shopdata_result_free(result);
    ck_assert_ptr_null(kit_get_at(local, 1, until, 0));
    kit_put(local, 2, "over", &(sdi_local_entry){sdi_local_moment(local), now, NULL, 0, {0}});
    ck_assert_uint_eq(sdi_local_used(local).entries, 1);
    sdi_local_free(local);
}
END_TEST

START_TEST(a_change_voids_what_hangs_on_it)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    sdi_local_tag tags[] = {7, 8};
    kit_put(local, 1, "both", &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, 2, {0}});
    kit_put_now(local, 2, "the other", 9);
    sdi_local_changed(local, 8);
    ck_assert(!kit_is_there(local, 1));
    ck_assert(kit_is_there(local, 2));
    kit_put_now(local, 1, "again", 8);
    ck_assert(kit_is_there(local, 1));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_changed_on_the_way_is_not_kept)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    sdi_local_tag tag = 7;
    uint64_t moment = sdi_local_moment(local);
    sdi_local_changed(local, tag);
    kit_put(local, 1, "old", &(sdi_local_entry){moment, SDI_NEVER, &tag, 1, {0}});
    ck_assert_uint_eq(sdi_local_used(local).entries, 0);
    kit_put(local, 2, "of another", &(sdi_local_entry){moment, SDI_NEVER, NULL, 0, {0}});
    ck_assert(kit_is_there(local, 2));
    sdi_local_forget_all(local);
    ck_assert(!kit_is_there(local, 2));
    ck_assert_uint_eq(sdi_local_used(local).entries, 0);
    kit_put(local, 2, "of another", &(sdi_local_entry){moment, SDI_NEVER, NULL, 0, {0}});
    ck_assert(!kit_is_there(local, 2));
    kit_put_now(local, 2, "of another", 7);
    ck_assert(kit_is_there(local, 2));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_was_asked_for_before_a_mark_is_too_old_for_it)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    uint64_t before = sdi_local_moment(local);
    kit_put_now(local, 1, "before", 7);
    uint64_t mark = sdi_local_mark(local);
    ck_assert_ptr_null(kit_get_at(local, 1, sdi_uptime(), mark));
    ck_assert(kit_is_there(local, 1));
    kit_put_now(local, 1, "after", 7);
    kit_put(local, 1, "before", &(sdi_local_entry){before, SDI_NEVER, NULL, 0, {0}});
    shopdata_result *result = kit_get_at(local, 1, sdi_uptime(), mark);
    kit_assert_text(result, "after");
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

/* Ten thousand tags, and one of them changes: what hangs on others stays, all but a few. */
START_TEST(a_change_seldom_voids_another)
{
    sdi_local *local = sdi_local_new(64 << 20);
    int there = 0;
    for (uint64_t i = 0; i < 10000; i++)
        kit_put_now(local, i, "boots", sdi_hash64(&i, sizeof i));
    for (uint64_t i = 10000; i < 11000; i++)
        sdi_local_changed(local, sdi_hash64(&i, sizeof i));
    for (uint64_t i = 0; i < 10000; i++)
        there += kit_is_there(local, i);
    ck_assert_int_ge(there, 9990);
    sdi_local_free(local);
}
END_TEST

START_TEST(its_bytes_are_bounded)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 30000; i++) {
        const char *tail =
            text + sizeof text - 1 - (sdi_random_below(20) ? sdi_random_below(500) : sdi_random_below(20000));
        uint64_t number = sdi_random_below(3000);
        if (!kit_is_there(local, number))
            kit_put_now(local, number, tail, number);
        if (sdi_random_below(10) == 0)
            sdi_local_changed(local, sdi_random_below(3000));
        sdi_local_usage usage = sdi_local_used(local);
        ck_assert_uint_le(usage.bytes, usage.limit);
    }
    ck_assert_uint_gt(sdi_local_used(local).entries, 500);
    sdi_local_free(local);
}
END_TEST

START_TEST(what_takes_too_much_is_not_kept)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    static char text[KIT_ROOM];
    memset(text, 'x', sizeof text - 1);
    kit_put_now(local, 1, text, 7);
    ck_assert(!kit_is_there(local, 1));
    sdi_local_tag tags[SDI_LOCAL_TAGS_MAX + 1] = {0};
    kit_put(local, 2, "tags",
            &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, SDI_LOCAL_TAGS_MAX + 1, {0}});
    ck_assert(!kit_is_there(local, 2));
    kit_put(local, 2, "tags", &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, SDI_LOCAL_TAGS_MAX, {0}});
    ck_assert(kit_is_there(local, 2));
    sdi_local_free(local);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_put_is_found);
    tcase_add_test(cases, where_it_came_from_is_told);
    tcase_add_test(cases, more_come_from_elsewhere_than_can_be_told_apart);
    tcase_add_test(cases, each_caller_has_a_head_of_his_own);
    tcase_add_test(cases, a_result_outlives_its_entry_and_the_cache);
    tcase_add_test(cases, its_time_ends_it);
    tcase_add_test(cases, a_change_voids_what_hangs_on_it);
    tcase_add_test(cases, what_changed_on_the_way_is_not_kept);
    tcase_add_test(cases, what_was_asked_for_before_a_mark_is_too_old_for_it);
    tcase_add_test(cases, a_change_seldom_voids_another);
    tcase_add_test(cases, its_bytes_are_bounded);
    tcase_add_test(cases, what_takes_too_much_is_not_kept);
}

UNIT_MAIN("local/local", fill, 30)
