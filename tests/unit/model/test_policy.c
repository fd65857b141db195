#include "../unit.h"
#include "base/random.h"
#include "model/policy.h"

enum { TRIES = 20000 };

static const int64_t MONTH = INT64_C(30) * 24 * 3600 * 1000;

/* Any policy that the configuration lets through. */
static sdi_policy_settings any_policy(void)
{
    return (sdi_policy_settings){
        .ttl_ms = 1 + (int64_t)sdi_random_below((uint64_t)MONTH >> sdi_random_below(31)),
        .negative_ttl_ms = (int64_t)sdi_random_below((uint64_t)MONTH >> sdi_random_below(31)),
        .jitter = (int64_t)sdi_random_below(51),
    };
}

START_TEST(a_ttl_stays_within_its_jitter)
{
    for (int i = 0; i < TRIES; i++) {
        sdi_policy_settings policy = any_policy();
        bool empty = sdi_random_below(2);
        int64_t set = empty ? policy.negative_ttl_ms : policy.ttl_ms, ttl = sdi_policy_ttl(&policy, empty);
        ck_assert_int_ge(ttl * 100, set * (100 - policy.jitter));
        ck_assert_int_le(ttl * 100, set * (100 + policy.jitter));
        ck_assert((ttl == 0) == (set == 0));
        ck_assert_int_le(ttl, sdi_policy_life_max(&policy));
    }
}
END_TEST

START_TEST(jitter_spreads_over_its_whole_width)
{
    sdi_policy_settings policy = {.ttl_ms = 60000, .jitter = 10, .negative_ttl_ms = 0};
    int64_t tenths[20] = {0};
    for (int i = 0; i < TRIES; i++) {
        int64_t at = (sdi_policy_ttl(&policy, false) - 54000) / 600;
        tenths[at > 19 ? 19 : at]++;
    }
    for (int i = 0; i < 20; i++)
        ck_assert_int_gt(tenths[i], TRIES / 20 / 2);
    ck_assert_int_eq(sdi_policy_ttl(&policy, true), 0);
    ck_assert_int_eq(sdi_policy_life_max(&policy), 66000);
}
END_TEST

START_TEST(of_two_limits_the_smaller_counts)
{
    sdi_policy_settings policy = {.max_bytes = 0};
    ck_assert_uint_eq(sdi_policy_bytes_max(&policy, 1000), 1000);
    policy.max_bytes = 999;
    ck_assert_uint_eq(sdi_policy_bytes_max(&policy, 1000), 999);
    policy.max_bytes = 1001;
    ck_assert_uint_eq(sdi_policy_bytes_max(&policy, 1000), 1000);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_ttl_stays_within_its_jitter);
    tcase_add_test(cases, jitter_spreads_over_its_whole_width);
    tcase_add_test(cases, of_two_limits_the_smaller_counts);
}

UNIT_MAIN("model/policy", fill, 20)
