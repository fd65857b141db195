/* Arrivals against the distribution that they are said to have. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../../unit/unit.h"
#include "schedule.h"

enum { MANY = 20000 };

#define BEGIN_NS INT64_C(5000000000)
/* Of the Kolmogorov-Smirnov statistic, times the root of the number: what one of a thousand samples exceeds. The seed
 * is fixed, so these tests always come out the same. */
#define KS_LIMIT 1.95

static load_rate rate_of(const char *text, double seconds)
{
    load_rate rate;
    load_fault fault = {""};
    ck_assert_msg(load_rate_read(&rate, text, seconds, &fault), "%s: %s", text, fault.text);
    return rate;
}

static size_t arrive(enum load_arrivals arrivals, const load_rate *rate, uint64_t seed, double seconds, double *moments,
                     size_t most)
{
    load_schedule schedule;
    load_arrival arrival;
    size_t count = 0;
    load_schedule_init(&schedule, arrivals, rate, load_random_of(seed, 2, 1), BEGIN_NS, seconds);
    for (; count < most && load_schedule_next(&schedule, &arrival); count++) {
        ck_assert_uint_eq(arrival.number, count);
        moments[count] = (double)(arrival.at_ns - BEGIN_NS) / 1e9;
    }
    load_schedule_free(&schedule);
    return count;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* How far the shares of a sample are from those of the uniform distribution, at most. */
static double distance_from_uniform(double *values, size_t count)
{
    double most = 0;
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs(values[i] - (double)i / (double)count));
        most = fmax(most, fabs(values[i] - (double)(i + 1) / (double)count));
    }
    return most * sqrt((double)count);
}

START_TEST(poisson_gaps_are_exponential)
{
    static double moments[MANY], shares[MANY];
    load_rate rate = rate_of("1000", 100);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 1 + (uint64_t)_i, 100, moments, MANY);
    ck_assert_uint_eq(count, MANY);
    for (size_t i = 0; i < count; i++)
        shares[i] = 1 - exp(-1000 * (moments[i] - (i ? moments[i - 1] : 0)));
    ck_assert_double_lt(distance_from_uniform(shares, count), KS_LIMIT);
}
END_TEST

/* Gaps that know nothing of each other: else bursts would be lost. */
START_TEST(poisson_gaps_are_independent)
{
    static double moments[MANY];
    load_rate rate = rate_of("1000", 100);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 7, 100, moments, MANY);
    double sum = 0, mean = moments[count - 1] / (double)count, squares = 0;
    for (size_t i = 2; i < count; i++) {
        double gap = moments[i] - moments[i - 1] - mean, before = moments[i - 1] - moments[i - 2] - mean;
        sum += gap * before;
        squares += gap * gap;
    }
    ck_assert_double_lt(fabs(sum / squares) * sqrt((double)count), 3);
}
END_TEST

/* Two agents that know nothing of each other send as one with the sum of their rates; with one seed they would not. */
START_TEST(agents_of_different_seeds_are_one_process)
{
    static double moments[MANY], shares[MANY];
    load_rate rate = rate_of("500", 100);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 11, 18, moments, MANY / 2);
    count += arrive(LOAD_ARRIVALS_POISSON, &rate, _i ? 12 : 11, 18, moments + count, MANY / 2);
    qsort(moments, count, sizeof *moments, ascending);
    for (size_t i = 0; i < count; i++)
        shares[i] = 1 - exp(-1000 * (moments[i] - (i ? moments[i - 1] : 0)));
    ck_assert_double_lt(fabs((double)count - 18000), 4 * sqrt(18000));
    if (_i)
        ck_assert_double_lt(distance_from_uniform(shares, count), KS_LIMIT);
    else
        ck_assert_double_gt(distance_from_uniform(shares, count), KS_LIMIT);
}
END_TEST

struct taker {
    load_schedule *schedule;
    double *moments;
    atomic_size_t *taken;
};

/* Each arrival has its place by its number: one that is taken twice, or by nobody, leaves a hole. */
static void *take(void *context)
{
    struct taker *taker = context;
    load_arrival arrival;
    while (load_schedule_next(taker->schedule, &arrival)) {
        ck_assert_uint_lt(arrival.number, MANY);
        taker->moments[arrival.number] = (double)(arrival.at_ns - BEGIN_NS) / 1e9;
        atomic_fetch_add(taker->taken, 1);
    }
    return NULL;
}

START_TEST(threads_take_each_arrival_once)
{
    static double shared[MANY], alone[MANY];
    atomic_size_t taken = 0;
    pthread_t threads[4];
    load_schedule schedule;
    load_rate rate = rate_of("1000", 15);
    struct taker taker = {&schedule, shared, &taken};
    load_schedule_init(&schedule, LOAD_ARRIVALS_POISSON, &rate, load_random_of(5, 2, 1), BEGIN_NS, 15);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, take, &taker);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    load_schedule_free(&schedule);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 5, 15, alone, MANY);
    ck_assert_uint_eq(taken, count);
    ck_assert_mem_eq(shared, alone, count * sizeof *alone);
}
END_TEST

/* Told how many come, the moments of a Poisson process are spread as its rate is. */
START_TEST(poisson_follows_a_changing_rate)
{
    static double moments[MANY];
    load_rate rate = rate_of("100..500,50@10,300", 40);
    double total = load_rate_expected(&rate, 40);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 3, 40, moments, MANY);
    ck_assert_double_lt(fabs((double)count - total), 4 * sqrt(total));
    for (size_t i = 0; i < count; i++)
        moments[i] = load_rate_expected(&rate, moments[i]) / total;
    ck_assert_double_lt(distance_from_uniform(moments, count), KS_LIMIT);
}
END_TEST

START_TEST(constant_arrivals_stand_evenly)
{
    static double moments[MANY];
    load_rate rate = rate_of("200", 10);
    size_t count = arrive(LOAD_ARRIVALS_CONSTANT, &rate, 1, 10, moments, MANY);
    ck_assert_uint_eq(count, 2000);
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(moments[i], ((double)i + 0.5) / 200, 2e-9);
}
END_TEST

START_TEST(a_ramp_reaches_what_it_should)
{
    static double moments[MANY];
    load_rate rate = rate_of("0..100", 10);
    size_t count = arrive(LOAD_ARRIVALS_CONSTANT, &rate, 1, 10, moments, MANY);
    ck_assert_uint_eq(count, 500);
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(moments[i], sqrt(((double)i + 0.5) / 5), 2e-9);
}
END_TEST

START_TEST(the_same_seed_brings_the_same)
{
    static double one[MANY], other[MANY];
    load_rate rate = rate_of("1000", 10);
    size_t count = arrive(LOAD_ARRIVALS_POISSON, &rate, 9, 10, one, MANY);
    ck_assert_uint_eq(arrive(LOAD_ARRIVALS_POISSON, &rate, 9, 10, other, MANY), count);
    ck_assert_mem_eq(one, other, count * sizeof *one);
    arrive(LOAD_ARRIVALS_POISSON, &rate, 10, 10, other, MANY);
    ck_assert_double_ne(one[0], other[0]);
}
END_TEST

START_TEST(nothing_arrives_after_the_stop)
{
    load_schedule schedule;
    load_arrival arrival;
    load_rate rate = rate_of("1000", 10);
    load_schedule_init(&schedule, LOAD_ARRIVALS_CONSTANT, &rate, load_random_of(1, 2, 3), BEGIN_NS, 10);
    ck_assert_uint_eq(load_schedule_waiting(&schedule, BEGIN_NS + 100 * INT64_C(1000000)), 100);
    load_schedule_stop(&schedule, BEGIN_NS + 50 * INT64_C(1000000));
    size_t count = 0;
    while (load_schedule_next(&schedule, &arrival))
        count++;
    ck_assert_uint_eq(count, 50);
    ck_assert_uint_eq(load_schedule_waiting(&schedule, BEGIN_NS + 100 * INT64_C(1000000)), 0);
    load_schedule_free(&schedule);
}
END_TEST

START_TEST(a_trace_brings_its_own_times)
{
    uint32_t things[] = {0, 1, 0};
    double times[] = {0, 1, 4};
    load_trace trace = {things, times, 3, 2};
    load_schedule schedule;
    load_arrival arrival;
    static const double expected[] = {0, 0.5, 2, 3, 3.5, 5, 6, 6.5};
    load_schedule_init(&schedule, LOAD_ARRIVALS_TRACE, NULL, load_random_of(1, 2, 3), BEGIN_NS, 7);
    load_schedule_follow(&schedule, &trace, 2);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ck_assert(load_schedule_next(&schedule, &arrival));
        ck_assert_double_eq_tol((double)(arrival.at_ns - BEGIN_NS) / 1e9, expected[i], 2e-9);
    }
    ck_assert(!load_schedule_next(&schedule, &arrival));
    load_schedule_free(&schedule);
}
END_TEST

static const char *const wrong_rates[][2] = {
    {"", "rate: `` is no number from 0 to 10000000"},
    {"12x", "rate: `12x` is no number from 0 to 10000000"},
    {"-1", "rate: `-1` is no number from 0 to 10000000"},
    {"nan", "rate: `nan` is no number from 0 to 10000000"},
    {"5@0", "rate: the seconds of a part: `0` is no number from 0.001 to 31622400"},
    {"5@4,6@5", "rate: its parts take 9 s, the phase takes 10 s"},
    {"5@10,6", "rate: its parts take 10 s and leave none for the others, the phase takes 10 s"},
    {"1..", "rate: `` is no number from 0 to 10000000"},
};

START_TEST(a_wrong_rate_is_told)
{
    load_rate rate;
    load_fault fault;
    ck_assert(!load_rate_read(&rate, wrong_rates[_i][0], 10, &fault));
    ck_assert_str_eq(fault.text, wrong_rates[_i][1]);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, poisson_gaps_are_exponential, 0, 4);
    tcase_add_test(cases, poisson_gaps_are_independent);
    tcase_add_loop_test(cases, agents_of_different_seeds_are_one_process, 0, 2);
    tcase_add_test(cases, threads_take_each_arrival_once);
    tcase_add_test(cases, poisson_follows_a_changing_rate);
    tcase_add_test(cases, constant_arrivals_stand_evenly);
    tcase_add_test(cases, a_ramp_reaches_what_it_should);
    tcase_add_test(cases, the_same_seed_brings_the_same);
    tcase_add_test(cases, nothing_arrives_after_the_stop);
    tcase_add_test(cases, a_trace_brings_its_own_times);
    tcase_add_loop_test(cases, a_wrong_rate_is_told, 0, sizeof wrong_rates / sizeof *wrong_rates);
}

UNIT_MAIN("bench/schedule", fill, 30)
