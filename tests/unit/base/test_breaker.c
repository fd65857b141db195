#include <pthread.h>
#include <stdatomic.h>

#include "../unit.h"
#include "base/breaker.h"

static const int64_t MS = 1000;

START_TEST(opens_after_failures_in_a_row)
{
    sdi_breaker breaker;
    sdi_breaker_init(&breaker, 3, 100, 400);
    for (int i = 0; i < 2; i++)
        ck_assert(!sdi_breaker_failed(&breaker, 0));
    sdi_breaker_succeeded(&breaker);
    for (int i = 0; i < 2; i++)
        ck_assert(!sdi_breaker_failed(&breaker, 0));
    ck_assert(sdi_breaker_allows(&breaker, 0));
    ck_assert(sdi_breaker_failed(&breaker, 0));
    ck_assert_int_eq(sdi_breaker_state(&breaker), SDI_BREAKER_OPEN);
    ck_assert(!sdi_breaker_allows(&breaker, 74 * MS));
    sdi_breaker_destroy(&breaker);
}
END_TEST

START_TEST(one_probe_decides)
{
    sdi_breaker breaker;
    sdi_breaker_init(&breaker, 1, 100, 400);
    ck_assert(sdi_breaker_failed(&breaker, 0));
    ck_assert(sdi_breaker_allows(&breaker, 126 * MS));
    ck_assert_int_eq(sdi_breaker_state(&breaker), SDI_BREAKER_HALF_OPEN);
    ck_assert(!sdi_breaker_allows(&breaker, 126 * MS));
    sdi_breaker_succeeded(&breaker);
    ck_assert_int_eq(sdi_breaker_state(&breaker), SDI_BREAKER_CLOSED);
    ck_assert(sdi_breaker_allows(&breaker, 126 * MS));
    ck_assert(sdi_breaker_allows(&breaker, 126 * MS));
    sdi_breaker_destroy(&breaker);
}
END_TEST

/* The pause that a failure at `now` begins, by asking every millisecond. */
static int64_t measured_pause(sdi_breaker *breaker, int64_t now)
{
    ck_assert(sdi_breaker_failed(breaker, now));
    int64_t ms = 0;
    while (!sdi_breaker_allows(breaker, now + ms * MS))
        ms++;
    return ms;
}

START_TEST(pauses_double_up_to_the_longest_and_are_jittered)
{
    static const int64_t expected[] = {100, 200, 400, 500, 500};
    int64_t least = 1000, most = 0;
    for (int round = 0; round < 200; round++) {
        sdi_breaker breaker;
        sdi_breaker_init(&breaker, 1, 100, 500);
        for (int i = 0; i < 5; i++) {
            int64_t pause = measured_pause(&breaker, i * 10000 * MS);
            ck_assert_int_ge(pause, expected[i] * 3 / 4);
            ck_assert_int_le(pause, expected[i] * 5 / 4 + 1);
            least = i == 0 && pause < least ? pause : least;
            most = i == 0 && pause > most ? pause : most;
        }
        sdi_breaker_destroy(&breaker);
    }
    ck_assert_int_lt(least, 85);
    ck_assert_int_gt(most, 115);
}
END_TEST

START_TEST(a_success_forgets_the_doubling)
{
    sdi_breaker breaker;
    sdi_breaker_init(&breaker, 1, 100, 10000);
    for (int i = 0; i < 5; i++)
        measured_pause(&breaker, i * 20000 * MS);
    sdi_breaker_succeeded(&breaker);
    ck_assert_int_le(measured_pause(&breaker, 0), 126);
    sdi_breaker_destroy(&breaker);
}
END_TEST

START_TEST(a_lost_probe_does_not_lock_it)
{
    sdi_breaker breaker;
    sdi_breaker_init(&breaker, 1, 100, 100);
    sdi_breaker_failed(&breaker, 0);
    ck_assert(sdi_breaker_allows(&breaker, 200 * MS));
    ck_assert(!sdi_breaker_allows(&breaker, 270 * MS));
    ck_assert(sdi_breaker_allows(&breaker, 330 * MS));
    sdi_breaker_destroy(&breaker);
}
END_TEST

START_TEST(failures_while_open_do_not_lengthen_the_pause)
{
    sdi_breaker breaker;
    sdi_breaker_init(&breaker, 1, 100, 10000);
    ck_assert(sdi_breaker_failed(&breaker, 0));
    for (int i = 0; i < 50; i++)
        ck_assert(!sdi_breaker_failed(&breaker, i * MS));
    ck_assert(sdi_breaker_allows(&breaker, 126 * MS));
    sdi_breaker_destroy(&breaker);
}
END_TEST

static sdi_breaker shared;
static atomic_int probes;

static void *try_once(void *unused)
{
    if (sdi_breaker_allows(&shared, 1000 * MS))
        atomic_fetch_add(&probes, 1);
    return unused;
}

START_TEST(of_many_threads_one_is_the_probe)
{
    pthread_t threads[8];
    sdi_breaker_init(&shared, 1, 100, 100);
    sdi_breaker_failed(&shared, 0);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, try_once, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(probes, 1);
    sdi_breaker_destroy(&shared);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, opens_after_failures_in_a_row);
    tcase_add_test(cases, one_probe_decides);
    tcase_add_test(cases, pauses_double_up_to_the_longest_and_are_jittered);
    tcase_add_test(cases, a_success_forgets_the_doubling);
    tcase_add_test(cases, a_lost_probe_does_not_lock_it);
    tcase_add_test(cases, failures_while_open_do_not_lengthen_the_pause);
    tcase_add_test(cases, of_many_threads_one_is_the_probe);
}

UNIT_MAIN("base/breaker", fill, 20)
