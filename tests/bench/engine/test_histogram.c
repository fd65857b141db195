/* Percentiles against exact ones; test_engine_histogram.py holds them against HdrHistogram's own. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "../../unit/unit.h"
#include "histogram.h"
#include "random.h"

enum { VALUES = 50000, THREADS = 4 };

static const double shares[] = {0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

/* Times as they are: most about a hundred microseconds, some seconds. */
static uint64_t draw(load_random *random)
{
    double normal = sqrt(2 * load_random_exponential(random)) * cos(2 * M_PI * load_random_uniform(random));
    return (uint64_t)exp(11.5 + 1.7 * normal);
}

static int ascending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void check_quantiles(const load_histogram *histogram, uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        uint64_t exact = values[(size_t)fmax(1, ceil(shares[i] * (double)count)) - 1];
        uint64_t told = load_histogram_quantile(histogram, shares[i]);
        ck_assert_uint_ge(told, exact);
        ck_assert_double_le((double)(told - exact), 0.001 * (double)exact);
    }
}

START_TEST(percentiles_are_known_to_a_thousandth)
{
    static uint64_t values[VALUES];
    static load_histogram histogram;
    load_random random = load_random_of(1, 20, 0);
    double sum = 0;
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = draw(&random);
        sum += (double)values[i];
        load_histogram_record(&histogram, (int64_t)values[i]);
    }
    check_quantiles(&histogram, values, VALUES);
    ck_assert_uint_eq(load_histogram_count(&histogram), VALUES);
    ck_assert_uint_eq(load_histogram_lowest(&histogram), values[0]);
    ck_assert_uint_eq(load_histogram_highest(&histogram), values[VALUES - 1]);
    ck_assert_double_eq_tol(load_histogram_mean(&histogram), sum / VALUES, 1e-6 * sum / VALUES);
}
END_TEST

START_TEST(merging_is_adding)
{
    static uint64_t values[VALUES];
    load_histogram *all = load_histogram_new(), *parts[3];
    load_random random = load_random_of(1, 21, 0);
    for (size_t i = 0; i < 3; i++)
        parts[i] = load_histogram_new();
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = draw(&random) << (i % 3 * 4); /* each part has a range of its own */
        load_histogram_record(parts[i % 3], (int64_t)values[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        load_histogram_add(all, parts[i]);
        free(parts[i]);
    }
    check_quantiles(all, values, VALUES);
    ck_assert_uint_eq(load_histogram_count(all), VALUES);
    ck_assert_uint_eq(load_histogram_lowest(all), values[0]);
    ck_assert_uint_eq(load_histogram_highest(all), values[VALUES - 1]);
    free(all);
}
END_TEST

START_TEST(a_second_is_what_came_since)
{
    load_histogram *all = load_histogram_new(), *before = load_histogram_new(), *second = load_histogram_new();
    load_histogram_record(all, 100);
    load_histogram_since(second, before, all);
    ck_assert_uint_eq(load_histogram_count(second), 1);
    load_histogram_record(all, 5000000);
    load_histogram_record(all, 7000000);
    load_histogram_since(second, before, all);
    ck_assert_uint_eq(load_histogram_count(second), 2);
    ck_assert_double_eq_tol((double)load_histogram_lowest(second), 5e6, 5e3);
    ck_assert_double_eq_tol((double)load_histogram_highest(second), 7e6, 7e3);
    load_histogram_since(second, before, all);
    ck_assert_uint_eq(load_histogram_count(second), 0);
    ck_assert_uint_eq(load_histogram_quantile(second, 0.99), 0);
    free(all);
    free(before);
    free(second);
}
END_TEST

START_TEST(what_is_out_of_range_becomes_the_nearest)
{
    static load_histogram histogram;
    load_histogram_record(&histogram, -5);
    load_histogram_record(&histogram, INT64_MAX);
    ck_assert_uint_eq(load_histogram_count(&histogram), 2);
    ck_assert_uint_eq(load_histogram_lowest(&histogram), 0);
    ck_assert_uint_eq(load_histogram_highest(&histogram), LOAD_HISTOGRAM_HIGHEST);
}
END_TEST

static void *record_many(void *histogram)
{
    for (int i = 0; i < VALUES; i++)
        load_histogram_record(histogram, i);
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    load_histogram *histogram = load_histogram_new();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, record_many, histogram);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(load_histogram_count(histogram), THREADS * VALUES);
    ck_assert_uint_eq(load_histogram_highest(histogram), VALUES - 1);
    ck_assert_double_eq_tol(load_histogram_mean(histogram), (VALUES - 1) / 2.0, 1e-6);
    free(histogram);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, percentiles_are_known_to_a_thousandth);
    tcase_add_test(cases, merging_is_adding);
    tcase_add_test(cases, a_second_is_what_came_since);
    tcase_add_test(cases, what_is_out_of_range_becomes_the_nearest);
    tcase_add_test(cases, threads_lose_nothing);
}

UNIT_MAIN("bench/histogram", fill, 60)
