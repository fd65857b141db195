#include "../unit.h"

#include <unistd.h>

#include "base/busy_poll.h"
#include "base/clock.h"

enum { QUICK_US = 20, SLOW_US = 500, MANY = 640 };

static sdi_busy_poll poll;

/* On any machine: how many may look is the test's. */
static void begin_with(int32_t places)
{
    sdi_busy_poll_init(&poll, true);
    poll.places = places;
}

static int looks_of(int calls, int64_t took_us)
{
    int looks = 0;
    for (int i = 0; i < calls; i++) {
        if (!sdi_busy_poll_begin(&poll))
            continue;
        looks++;
        sdi_busy_poll_end(&poll);
        sdi_busy_poll_learn(&poll, took_us);
    }
    return looks;
}

START_TEST(half_of_the_cores_may_look)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    sdi_busy_poll_init(&poll, true);
    ck_assert_int_eq(poll.places, (int32_t)(cores / 2));
}
END_TEST

START_TEST(nobody_looks_where_it_is_off)
{
    sdi_busy_poll_init(&poll, false);
    ck_assert_int_eq(looks_of(MANY, QUICK_US), 0);
}
END_TEST

START_TEST(no_more_look_than_there_are_places)
{
    begin_with(2);
    ck_assert(sdi_busy_poll_begin(&poll));
    ck_assert(sdi_busy_poll_begin(&poll));
    ck_assert(!sdi_busy_poll_begin(&poll));
    ck_assert(!sdi_busy_poll_begin(&poll));
    sdi_busy_poll_end(&poll);
    ck_assert(sdi_busy_poll_begin(&poll));
    ck_assert(!sdi_busy_poll_begin(&poll));
}
END_TEST

START_TEST(more_who_wait_than_there_are_places_are_a_crowd)
{
    begin_with(2);
    ck_assert(!sdi_busy_poll_is_crowded(&poll, 2));
    ck_assert(sdi_busy_poll_is_crowded(&poll, 3));
}
END_TEST

START_TEST(for_a_quick_server_every_call_looks)
{
    begin_with(1);
    ck_assert_int_eq(looks_of(MANY, QUICK_US), MANY);
}
END_TEST

START_TEST(for_a_slow_one_a_call_in_64_looks_whether_it_has_become_quicker)
{
    begin_with(1);
    ck_assert_int_lt(looks_of(MANY, SLOW_US), 20);
    ck_assert_int_eq(looks_of(MANY, SLOW_US), MANY / 64);
    looks_of(MANY, QUICK_US);
    ck_assert_int_eq(looks_of(MANY, QUICK_US), MANY);
}
END_TEST

START_TEST(a_single_slow_answer_changes_nothing)
{
    begin_with(1);
    looks_of(MANY, QUICK_US);
    looks_of(1, INT64_C(1000000) * SLOW_US);
    ck_assert_int_eq(looks_of(MANY, QUICK_US), MANY);
}
END_TEST

START_TEST(the_quickest_answers_add_up_too)
{
    begin_with(1);
    looks_of(1, 1);
    ck_assert_int_gt(atomic_load(&poll.recent), 0);
    looks_of(MANY, 80);
    ck_assert_int_lt(looks_of(MANY, 80), 20);
}
END_TEST

START_TEST(looking_ends)
{
    int64_t since = sdi_now();
    while (sdi_busy_poll_again(since))
        ;
    ck_assert(sdi_now() - since >= 80);
    ck_assert(!sdi_busy_poll_again(since));
    ck_assert(!sdi_busy_poll_again(since - 80));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, half_of_the_cores_may_look);
    tcase_add_test(cases, nobody_looks_where_it_is_off);
    tcase_add_test(cases, no_more_look_than_there_are_places);
    tcase_add_test(cases, more_who_wait_than_there_are_places_are_a_crowd);
    tcase_add_test(cases, for_a_quick_server_every_call_looks);
    tcase_add_test(cases, for_a_slow_one_a_call_in_64_looks_whether_it_has_become_quicker);
    tcase_add_test(cases, a_single_slow_answer_changes_nothing);
    tcase_add_test(cases, the_quickest_answers_add_up_too);
    tcase_add_test(cases, looking_ends);
}

UNIT_MAIN("base/busy_poll", fill, 10)
