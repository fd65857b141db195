#include "../unit.h"
#include "base/random.h"

START_TEST(jitter_stays_within_its_percent)
{
    int64_t low = INT64_MAX, high = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t value = sdi_jitter(1000, 10);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    ck_assert_int_ge(low, 900);
    ck_assert_int_le(high, 1100);
    ck_assert_int_lt(low, 920);
    ck_assert_int_gt(high, 1080);
    ck_assert_int_eq(sdi_jitter(1000, 0), 1000);
    ck_assert_int_eq(sdi_jitter(0, 50), 0);
}
END_TEST

START_TEST(below_covers_its_range)
{
    int seen[10] = {0};
    for (int i = 0; i < 10000; i++)
        seen[sdi_random_below(10)]++;
    for (int i = 0; i < 10; i++)
        ck_assert_int_gt(seen[i], 800);
    ck_assert_uint_eq(sdi_random_below(0), 0);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, jitter_stays_within_its_percent);
    tcase_add_test(cases, below_covers_its_range);
}

UNIT_MAIN("base/random", fill, 10)
