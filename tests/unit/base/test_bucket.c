#include "../unit.h"

#include "base/bucket.h"

enum { SECOND = 1000000 };

static int taken(sdi_bucket *bucket, int64_t now, int tries)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += sdi_bucket_take(bucket, now);
    return count;
}

START_TEST(a_full_one_gives_its_burst_at_once)
{
    sdi_bucket bucket;
    sdi_bucket_init(&bucket, 5, 8, 100);
    ck_assert_int_eq(taken(&bucket, 100, 20), 8);
    ck_assert_int_eq(taken(&bucket, 100, 20), 0);
}
END_TEST

START_TEST(it_fills_with_time_and_not_over)
{
    sdi_bucket bucket;
    sdi_bucket_init(&bucket, 5, 5, 0);
    taken(&bucket, 0, 5);
    ck_assert_int_eq(taken(&bucket, SECOND / 5 - 1, 9), 0);
    ck_assert_int_eq(taken(&bucket, SECOND / 5, 9), 1);
    ck_assert_int_eq(taken(&bucket, SECOND * 3 / 5, 9), 2);
    ck_assert_int_eq(taken(&bucket, INT64_C(1000000) * SECOND, 99), 5);
}
END_TEST

START_TEST(a_clock_that_stands_or_goes_back_gives_nothing)
{
    sdi_bucket bucket;
    sdi_bucket_init(&bucket, 1, 1, 10 * SECOND);
    ck_assert(sdi_bucket_take(&bucket, 10 * SECOND));
    ck_assert(!sdi_bucket_take(&bucket, 0));
    ck_assert(!sdi_bucket_take(&bucket, 10 * SECOND));
    ck_assert(sdi_bucket_take(&bucket, 11 * SECOND));
}
END_TEST

/* So over ten seconds a rate is kept, however often it is asked. */
START_TEST(the_rate_is_kept)
{
    sdi_bucket bucket;
    int count = 0;
    sdi_bucket_init(&bucket, 100, 100, 0);
    for (int64_t now = 0; now <= 10 * SECOND; now += 777)
        count += sdi_bucket_take(&bucket, now);
    ck_assert_int_ge(count, 1095);
    ck_assert_int_le(count, 1100);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_full_one_gives_its_burst_at_once);
    tcase_add_test(cases, it_fills_with_time_and_not_over);
    tcase_add_test(cases, a_clock_that_stands_or_goes_back_gives_nothing);
    tcase_add_test(cases, the_rate_is_kept);
}

UNIT_MAIN("base/bucket", fill, 60)
