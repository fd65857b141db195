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

static enum sdi_policy_use use_of(const sdi_policy_settings *policy, int64_t now, int64_t read_at, int64_t expires_at,
                                  bool passes)
{
    return sdi_policy_use(policy, &(sdi_policy_times){now, read_at, expires_at}, passes, 0);
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

/* Every combination around the edges, against the rule in words. */
START_TEST(an_old_answer_is_good_for_what_the_policy_says)
{
    for (int i = 0; i < TRIES; i++) {
        sdi_policy_settings policy = {.stale_ms = (int64_t)sdi_random_below(3) * 10,
                                      .stale_overtaken_ms = (int64_t)sdi_random_below(3) * 40};
        int64_t now = 1000000000, age_ms = (int64_t)sdi_random_below(100), over_ms = (int64_t)sdi_random_below(40) - 20;
        bool passes = sdi_random_below(2), timed = sdi_random_below(2);
        bool over = timed && over_ms >= 0, young = policy.stale_overtaken_ms && age_ms <= policy.stale_overtaken_ms;
        enum sdi_policy_use wanted = SDI_USE_NONE;
        if (passes && !over)
            wanted = SDI_USE_FRESH;
        else if (passes && (over_ms < policy.stale_ms || young))
            wanted = SDI_USE_EXPIRED;
        else if (!passes && young)
            wanted = SDI_USE_OVERTAKEN;
        ck_assert_int_eq(use_of(&policy, now, now - age_ms * 1000, timed ? now - over_ms * 1000 : 0, passes), wanted);
    }
}
END_TEST

START_TEST(nothing_is_served_old_unless_it_is_asked_for)
{
    sdi_policy_settings policy = {.ttl_ms = 1000};
    ck_assert_int_eq(sdi_policy_held(&policy, 1000), 1000);
    for (int64_t past = 0; past < 10; past++) {
        ck_assert_int_eq(use_of(&policy, 1000 + past, 1000, 1000, true), SDI_USE_NONE);
        ck_assert_int_eq(use_of(&policy, 1000 + past, 1000, 5000, false), SDI_USE_NONE);
    }
}
END_TEST

/* Times come from another host's clock, or from anybody who can write to the cache. */
START_TEST(times_of_other_clocks_are_bounded)
{
    sdi_policy_settings policy = {.stale_ms = 60000, .stale_overtaken_ms = 60000};
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 1, INT64_MAX - 1, INT64_MAX};
    int64_t now = 1700000000000000;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t j = 0; j < sizeof times / sizeof *times; j++)
            ck_assert_int_ne(use_of(&policy, now, times[i], times[j], false), SDI_USE_FRESH);
    ck_assert_int_eq(use_of(&policy, now, now + 900000, 0, false), SDI_USE_OVERTAKEN);
    ck_assert_int_eq(use_of(&policy, now, now + 1100000, 0, false), SDI_USE_NONE);
}
END_TEST

START_TEST(the_cache_holds_it_as_long_as_it_may_be_served)
{
    sdi_policy_settings policy = {.ttl_ms = 1000, .negative_ttl_ms = 10, .jitter = 10, .stale_ms = 500};
    ck_assert_int_eq(sdi_policy_held(&policy, 1000), 1500);
    ck_assert_int_eq(sdi_policy_life_max(&policy), 1600);
    policy.stale_overtaken_ms = 1200;
    ck_assert_int_eq(sdi_policy_held(&policy, 1000), 1500);
    policy.stale_overtaken_ms = 9000;
    ck_assert_int_eq(sdi_policy_held(&policy, 1000), 9000);
    ck_assert_int_eq(sdi_policy_life_max(&policy), 9000);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_ttl_stays_within_its_jitter);
    tcase_add_test(cases, jitter_spreads_over_its_whole_width);
    tcase_add_test(cases, of_two_limits_the_smaller_counts);
    tcase_add_test(cases, an_old_answer_is_good_for_what_the_policy_says);
    tcase_add_test(cases, nothing_is_served_old_unless_it_is_asked_for);
    tcase_add_test(cases, times_of_other_clocks_are_bounded);
    tcase_add_test(cases, the_cache_holds_it_as_long_as_it_may_be_served);
}

UNIT_MAIN("model/policy", fill, 20)
