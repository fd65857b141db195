/* What the engine makes of answers: is a row stale, did readers crowd at an expiry, was the generator the bottleneck?
 */
#include <pthread.h>

#include "../../unit/unit.h"
#include "bottleneck.h"
#include "stampedes.h"
#include "versions.h"

/* ---- versions */

static load_versions versions;

static void open_versions(void)
{
    ck_assert(load_versions_open(&versions, 10));
}

static void close_versions(void)
{
    load_versions_close(&versions);
}

START_TEST(a_row_that_nobody_wrote_is_not_judged)
{
    ck_assert_int_eq(load_versions_judge(&versions, 3, 0, 100), LOAD_VERSION_UNKNOWN);
    ck_assert_int_eq(load_versions_judge(&versions, 0, 0, 100), LOAD_VERSION_UNKNOWN);
    ck_assert_int_eq(load_versions_judge(&versions, 11, 0, 100), LOAD_VERSION_UNKNOWN);
    load_versions_acknowledge(&versions, 11, 1, 50); /* of another's table: no harm */
    load_versions_acknowledge(&versions, 3, 1, 100);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 0, 100), LOAD_VERSION_UNKNOWN);
}
END_TEST

START_TEST(a_read_that_began_before_may_be_old)
{
    load_versions_acknowledge(&versions, 3, 1, 100);
    load_versions_acknowledge(&versions, 3, 2, 200);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 1, 200), LOAD_VERSION_FRESH);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 1, 230), 30);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 2, 230), LOAD_VERSION_FRESH);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 3, 230), LOAD_VERSION_FRESH); /* another agent's */
}
END_TEST

START_TEST(staleness_counts_from_the_first_version_lacked)
{
    for (int version = 1; version <= 3; version++)
        load_versions_acknowledge(&versions, 3, version, version * 100);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 0, 1000), 900);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 1, 1000), 800);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 2, 1000), 700);
}
END_TEST

/* Two writers' answers may overtake each other on their way. */
START_TEST(acknowledgements_may_come_in_any_order)
{
    load_versions_acknowledge(&versions, 3, 2, 100);
    load_versions_acknowledge(&versions, 3, 1, 150);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 1, 120), 20);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 0, 200), 100);
}
END_TEST

START_TEST(of_many_versions_the_last_are_kept)
{
    for (int version = 1; version <= 100; version++)
        load_versions_acknowledge(&versions, 3, version, version * 100);
    load_versions_acknowledge(&versions, 3, 50, 20000); /* far too late: it says nothing any more */
    ck_assert_int_eq(load_versions_judge(&versions, 3, 99, 10500), 500);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 100, 10500), LOAD_VERSION_FRESH);
    ck_assert_int_ge(load_versions_judge(&versions, 3, 5, 10500), 500);
}
END_TEST

/* A row that many write and a read that took long: all that is kept of it may be younger than the read. */
START_TEST(a_slow_read_of_a_hot_row_is_judged)
{
    for (int version = 1; version <= 40; version++)
        load_versions_acknowledge(&versions, 3, version, version * 100);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 10, 2050), 950);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 20, 2050), LOAD_VERSION_FRESH);
}
END_TEST

/* Rather than call fresh what nobody can know any more. */
START_TEST(what_was_forgotten_is_not_judged)
{
    for (int version = 1; version <= 1000; version++)
        load_versions_acknowledge(&versions, 3, version, version * 100);
    ck_assert_int_eq(load_versions_judge(&versions, 3, 10, 2050), LOAD_VERSION_UNKNOWN);
}
END_TEST

/* ---- stampedes */

static load_stampedes stampedes;

static void open_stampedes(void)
{
    ck_assert(load_stampedes_open(&stampedes, 10));
}

static void close_stampedes(void)
{
    load_stampedes_close(&stampedes);
}

START_TEST(readers_of_one_expiry_overlap_its_first)
{
    load_stampede first = load_stampedes_miss(&stampedes, 5, 100, 200);
    load_stampede second = load_stampedes_miss(&stampedes, 5, 150, 300);
    load_stampede third = load_stampedes_miss(&stampedes, 5, 199, 250);
    load_stampede later = load_stampedes_miss(&stampedes, 5, 200, 400);
    ck_assert(first.is_new && first.readers == 1);
    ck_assert(!second.is_new && second.readers == 2);
    ck_assert(!third.is_new && third.readers == 3);
    ck_assert(later.is_new && later.readers == 1);
    ck_assert(load_stampedes_miss(&stampedes, 6, 150, 160).is_new);
}
END_TEST

static void *crowd(void *news)
{
    uint64_t *count = news;
    *count = 0;
    for (int64_t at = 1; at < 100000; at += 10)
        *count += load_stampedes_miss(&stampedes, 5, at, at + 5).is_new;
    return NULL;
}

START_TEST(one_of_a_crowd_is_the_first)
{
    pthread_t threads[4];
    uint64_t news[4], sum = 0;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, crowd, &news[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += news[i];
    }
    ck_assert_uint_eq(sum, 10000);
}
END_TEST

/* ---- the bottleneck */

START_TEST(a_quiet_generator_is_none)
{
    load_strain strain = {.cpu_cores = 1, .cores = 4, .machine_busy = 0.5, .sent = 1000, .threads = 64, .late_busy = 9};
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_NONE);
    ck_assert_int_eq(load_bottleneck_of(&(load_strain){.cores = 4}), LOAD_BOTTLENECK_NONE);
}
END_TEST

START_TEST(a_strained_generator_is_told)
{
    load_strain strain = {.cpu_cores = 1, .cores = 4, .machine_busy = 0.5, .sent = 1000, .threads = 64};
    strain.late_busy = 20;
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_THREADS);
    strain.late_free = 20;
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_WAKE_UP);
    strain.cpu_cores = 3.7;
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_CPU);
    strain = (load_strain){.cores = 4, .machine_busy = 0.96, .sent = 1000};
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_CPU);
    strain = (load_strain){.cores = 4, .dropped = 5};
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_THREADS);
}
END_TEST

/* At the end of a ramp, say: on average there was plenty. */
START_TEST(a_strain_of_a_few_seconds_is_told)
{
    load_strain strain = {.cpu_cores = 1, .cores = 4, .machine_busy = 0.5, .sent = 1000, .seconds = 60};
    strain.strained_seconds = 2;
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_NONE);
    strain.strained_seconds = 10;
    ck_assert_int_eq(load_bottleneck_of(&strain), LOAD_BOTTLENECK_CPU);
    ck_assert(load_bottleneck_strains(3.7, 4, 0.5) && load_bottleneck_strains(1, 4, 0.96));
    ck_assert(!load_bottleneck_strains(3, 4, 0.9));
}
END_TEST

static void fill_versions(TCase *cases)
{
    tcase_add_checked_fixture(cases, open_versions, close_versions);
    tcase_add_test(cases, a_row_that_nobody_wrote_is_not_judged);
    tcase_add_test(cases, a_read_that_began_before_may_be_old);
    tcase_add_test(cases, staleness_counts_from_the_first_version_lacked);
    tcase_add_test(cases, acknowledgements_may_come_in_any_order);
    tcase_add_test(cases, of_many_versions_the_last_are_kept);
    tcase_add_test(cases, a_slow_read_of_a_hot_row_is_judged);
    tcase_add_test(cases, what_was_forgotten_is_not_judged);
}

static void fill_stampedes(TCase *cases)
{
    tcase_add_checked_fixture(cases, open_stampedes, close_stampedes);
    tcase_add_test(cases, readers_of_one_expiry_overlap_its_first);
    tcase_add_test(cases, one_of_a_crowd_is_the_first);
}

static void fill_bottleneck(TCase *cases)
{
    tcase_add_test(cases, a_quiet_generator_is_none);
    tcase_add_test(cases, a_strained_generator_is_told);
    tcase_add_test(cases, a_strain_of_a_few_seconds_is_told);
}

int main(void)
{
    return unit_run("bench/judging", 30, (unit_fill *const[]){fill_versions, fill_stampedes, fill_bottleneck}, 3);
}
