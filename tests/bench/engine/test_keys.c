/* Which keys are asked for, against exact probabilities. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/unit.h"
#include "keys.h"

enum { DRAWS = 400000, RANKS_MOST = 1000, HEAD = 100 };

/* What one of a thousand samples exceeds, by Wilson's and Hilferty's approximation. The seed is fixed. */
static double chi_squared_limit(double freedom)
{
    double part = 2 / (9 * freedom);
    return freedom * pow(1 - part + 3.09 * sqrt(part), 3);
}

/* 1 + 2^-s + ... + n^-s. */
static double harmonic(int64_t count, double exponent)
{
    double sum = 0;
    for (int64_t rank = count; rank >= 1; rank--)
        sum += pow((double)rank, -exponent);
    return sum;
}

static const struct law {
    int64_t count;
    double exponent;
} laws[] = {{1, 0.82}, {2, 0.82},           {10, 0},     {10, 0.5}, {1000, 0.82}, {1000, 0.99},
            {10, 1},   {1000, 1.000000001}, {1000, 1.5}, {500, 3},  {1000, 0}};

START_TEST(zipf_has_the_exact_probabilities)
{
    static uint64_t seen[RANKS_MOST + 1];
    const struct law *law = &laws[_i];
    load_zipf zipf = load_zipf_new(law->count, law->exponent);
    load_random random = load_random_of(1, 5, (uint64_t)_i);
    double sum = harmonic(law->count, law->exponent), distance = 0, cells = 0, rest = DRAWS, rest_seen = DRAWS;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DRAWS; i++) {
        int64_t rank = load_zipf_draw(&zipf, &random);
        ck_assert_int_ge(rank, 1);
        ck_assert_int_le(rank, law->count);
        seen[rank]++;
    }
    for (int64_t rank = 1; rank <= law->count; rank++) { /* those too rare to count by themselves make one cell */
        double expected = DRAWS * pow((double)rank, -law->exponent) / sum;
        if (expected < 10)
            break;
        distance += pow((double)seen[rank] - expected, 2) / expected;
        cells++;
        rest -= expected;
        rest_seen -= (double)seen[rank];
    }
    if (rest > 1)
        distance += pow(rest_seen - rest, 2) / rest;
    ck_assert_double_le(distance, cells > 1 ? chi_squared_limit(cells) : 1e-9);
}
END_TEST

/* A thousand million keys take no memory; the head's shares are told by an integral. */
START_TEST(zipf_of_very_many)
{
    const int64_t count = 1000000000;
    load_zipf zipf = load_zipf_new(count, 0.82);
    load_random random = load_random_of(1, 6, 0);
    double head = 0;
    for (int i = 0; i < DRAWS; i++)
        head += load_zipf_draw(&zipf, &random) <= HEAD;
    double exact = harmonic(HEAD, 0.82);
    /* Euler and Maclaurin: the sum from HEAD + 1 on is the integral from half a step later, nearly. */
    double tail = (pow((double)count + 0.5, 0.18) - pow(HEAD + 0.5, 0.18)) / 0.18;
    double expected = DRAWS * exact / (exact + tail);
    ck_assert_double_le(fabs(head - expected), 4 * sqrt(expected));
}
END_TEST

START_TEST(scatter_is_a_permutation)
{
    static const uint64_t counts[] = {1, 2, 3, 4, 5, 16, 17, 1000, 4096, 20000, 65537};
    uint64_t count = counts[_i], neighbours = 0, before = 0;
    load_scatter scatter = load_scatter_new(count);
    char *seen = calloc(count, 1);
    for (uint64_t rank = 0; rank < count; rank++) {
        uint64_t at = load_scatter_at(&scatter, rank);
        ck_assert_uint_lt(at, count);
        ck_assert_int_eq(seen[at], 0);
        seen[at] = 1;
        neighbours += rank && (at - before == 1 || before - at == 1);
        before = at;
    }
    free(seen);
    ck_assert(count < 1000 || neighbours < 20); /* by chance there are two */
}
END_TEST

static void open_keys(load_keys *keys, const char *text, uint64_t count, const load_trace *trace)
{
    load_fault fault = {""};
    ck_assert_msg(load_keys_read(keys, text, &fault) && load_keys_open(keys, count, trace, &fault), "%s", fault.text);
}

START_TEST(all_keys_are_in_range)
{
    static const char *const specs[] = {"zipf",          "zipf:1.2",     "uniform", "latest", "hotspot:0.2:0.8",
                                        "hotspot:0:0.5", "hotspot:1:0.5"};
    for (uint64_t count = 1; count < 50; count += 7) {
        load_keys keys;
        load_random random = load_random_of(1, 7, count);
        open_keys(&keys, specs[_i], count, NULL);
        for (int i = 0; i < 2000; i++) {
            int64_t key = load_keys_draw(&keys, &random);
            ck_assert_int_ge(key, 1);
            ck_assert_int_le(key, (int64_t)count);
        }
    }
}
END_TEST

START_TEST(a_hotspot_takes_its_share)
{
    static uint64_t seen[1001];
    load_keys keys;
    load_random random = load_random_of(1, 8, 0);
    uint64_t hot = 0, hot_keys = 0;
    open_keys(&keys, "hotspot:0.2:0.8", 1000, NULL);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DRAWS; i++)
        seen[load_keys_draw(&keys, &random)]++;
    for (int key = 1; key <= 1000; key++)
        if (seen[key] > DRAWS / 1000) { /* a hot one has four times the average, a cold one a quarter */
            hot += seen[key];
            hot_keys++;
        }
    ck_assert_uint_eq(hot_keys, 200);
    ck_assert_double_eq_tol((double)hot / DRAWS, 0.8, 0.005);
}
END_TEST

START_TEST(the_latest_is_the_hottest)
{
    uint64_t last = 0, first = 0;
    load_keys keys;
    load_random random = load_random_of(1, 9, 0);
    open_keys(&keys, "latest:1", 1000, NULL);
    for (int i = 0; i < DRAWS; i++) {
        int64_t key = load_keys_draw(&keys, &random);
        last += key == 1000;
        first += key == 999;
    }
    double expected = DRAWS / harmonic(1000, 1);
    ck_assert_double_eq_tol((double)last, expected, 5 * sqrt(expected));
    ck_assert_double_eq_tol((double)first, expected / 2, 5 * sqrt(expected));
}
END_TEST

START_TEST(a_trace_is_replayed_in_order)
{
    uint32_t things[] = {0, 1, 0, 2};
    load_trace trace = {things, NULL, 4, 3};
    load_keys keys;
    load_random random = load_random_of(1, 10, 0);
    int64_t drawn[8];
    open_keys(&keys, "trace", 3, &trace);
    for (int i = 0; i < 8; i++)
        drawn[i] = load_keys_draw(&keys, &random);
    ck_assert_int_eq(drawn[0], drawn[2]);
    ck_assert_int_ne(drawn[0], drawn[1]);
    ck_assert_int_ne(drawn[0], drawn[3]);
    ck_assert_int_ne(drawn[1], drawn[3]);
    ck_assert_mem_eq(drawn, drawn + 4, sizeof drawn / 2);
}
END_TEST

static const char *const wrong_keys[][2] = {
    {"zip", "keys: there is no `zip`; there are zipf:0.82, uniform, latest:0.82, hotspot:0.2:0.8, trace"},
    {"zipf:x", "keys: the exponent: `x` is no number from 0 to 10"},
    {"zipf:1:2", "keys: `:2` is more than zipf takes"},
    {"uniform:1", "keys: `:1` is more than uniform takes"},
    {"hotspot:0.2", "keys: the share of their accesses is missing; it follows a colon, as in hotspot:0.2:0.8"},
    {"hotspot:2:0.5", "keys: the share of hot keys: `2` is no number from 0 to 1"},
};

START_TEST(wrong_keys_are_told)
{
    load_keys keys;
    load_fault fault;
    ck_assert(!load_keys_read(&keys, wrong_keys[_i][0], &fault));
    ck_assert_str_eq(fault.text, wrong_keys[_i][1]);
}
END_TEST

START_TEST(a_trace_wants_as_many_products)
{
    uint32_t things[] = {0, 1, 2};
    load_trace trace = {things, NULL, 3, 3};
    load_keys keys;
    load_fault fault;
    ck_assert(load_keys_read(&keys, "trace", &fault));
    ck_assert(!load_keys_open(&keys, 2, &trace, &fault));
    ck_assert_str_eq(fault.text, "trace: it has 3 keys and there are 2 products: load as many");
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, zipf_has_the_exact_probabilities, 0, sizeof laws / sizeof *laws);
    tcase_add_test(cases, zipf_of_very_many);
    tcase_add_loop_test(cases, scatter_is_a_permutation, 0, 11);
    tcase_add_loop_test(cases, all_keys_are_in_range, 0, 7);
    tcase_add_test(cases, a_hotspot_takes_its_share);
    tcase_add_test(cases, the_latest_is_the_hottest);
    tcase_add_test(cases, a_trace_is_replayed_in_order);
    tcase_add_loop_test(cases, wrong_keys_are_told, 0, sizeof wrong_keys / sizeof *wrong_keys);
    tcase_add_test(cases, a_trace_wants_as_many_products);
}

UNIT_MAIN("bench/keys", fill, 60)
