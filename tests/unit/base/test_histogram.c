#include <pthread.h>

#include "../unit.h"
#include "base/histogram.h"

START_TEST(knows_a_value_to_a_sixteenth)
{
    for (uint64_t value = 1; value < (uint64_t)1 << 40; value += value / 7 + 1) {
        sdi_histogram histogram = {0};
        sdi_histogram_record(&histogram, value);
        uint64_t told = sdi_histogram_quantile(&histogram, 0.5);
        ck_assert_uint_ge(told, value);
        ck_assert_uint_le(told - value, value / 16);
    }
}
END_TEST

START_TEST(quantiles_of_an_even_stream)
{
    sdi_histogram histogram = {0};
    for (uint64_t value = 1; value <= 100000; value++)
        sdi_histogram_record(&histogram, value);
    ck_assert_uint_eq(sdi_histogram_count(&histogram), 100000);
    ck_assert_uint_eq(sdi_histogram_sum(&histogram), (uint64_t)100000 * 100001 / 2);
    ck_assert_double_eq_tol((double)sdi_histogram_quantile(&histogram, 0.5), 50000, 50000 / 16.0);
    ck_assert_double_eq_tol((double)sdi_histogram_quantile(&histogram, 0.99), 99000, 99000 / 16.0);
    ck_assert_uint_eq(sdi_histogram_below(&histogram, 15), 15);
}
END_TEST

START_TEST(sums_are_of_both)
{
    sdi_histogram sum = {0}, other = {0};
    sdi_histogram_record(&sum, 7);
    sdi_histogram_record(&other, 7);
    sdi_histogram_record(&other, 1000);
    sdi_histogram_add(&sum, &other);
    ck_assert_uint_eq(sdi_histogram_count(&sum), 3);
    ck_assert_uint_eq(sdi_histogram_below(&sum, 15), 2);
    ck_assert_uint_eq(sdi_histogram_sum(&sum), 1014);
}
END_TEST

static void *record_many(void *histogram)
{
    for (int i = 0; i < 100000; i++)
        sdi_histogram_record(histogram, 7);
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    sdi_histogram histogram = {0};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, record_many, &histogram);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(sdi_histogram_count(&histogram), 400000);
    ck_assert_uint_eq(sdi_histogram_sum(&histogram), 2800000);
}
END_TEST

START_TEST(too_large_goes_to_the_last_bucket)
{
    sdi_histogram histogram = {0};
    sdi_histogram_record(&histogram, UINT64_MAX);
    ck_assert_uint_eq(sdi_histogram_count(&histogram), 1);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, knows_a_value_to_a_sixteenth);
    tcase_add_test(cases, quantiles_of_an_even_stream);
    tcase_add_test(cases, sums_are_of_both);
    tcase_add_test(cases, threads_lose_nothing);
    tcase_add_test(cases, too_large_goes_to_the_last_bucket);
}

UNIT_MAIN("base/histogram", fill, 20)
