/* Who may have an answer that the fences refuse: the router is told by hand what nodes would say of themselves. */
#include "client/stale.h"

#include "../unit.h"
#include "base/clock.h"
#include "model/config.h"

enum { SYSTEM = 77 };

static sdi_core core;
static sdi_settings *settings;
static shopdata_session session;
static sdi_read read_;

static void begin(void)
{
    static const char *const node = "a", *const policy = "default";
    shopdata_config *config;
    ck_assert_int_eq(sdi_config_new(&config, NULL), 0);
    ck_assert_int_eq(sdi_config_set(config, "node.a.conninfo", "host=nowhere.invalid", NULL), 0);
    ck_assert_int_eq(sdi_settings_make(config, &settings, NULL), 0);
    sdi_config_free(config);
    core = (sdi_core){.settings = settings};
    core.metrics = sdi_metrics_new((sdi_names){&node, 1}, (sdi_names){&policy, 1});
    core.router = sdi_router_new(settings, core.metrics, NULL);
    session = (shopdata_session){0};
    read_ = (sdi_read){.session = &session, .policy = &settings->policies[0]};
    sdi_tags_add(&read_.tags, sdi_slice_of("item"));
}

static void end(void)
{
    shopdata_result_free(read_.result);
    shopdata_result_free(read_.old);
    sdi_tags_free(&read_.tags);
    sdi_router_free(core.router);
    sdi_metrics_free(core.metrics);
    sdi_settings_free(settings);
}

static void primary_on(uint32_t timeline)
{
    sdi_moment moment = {.era = {SYSTEM, timeline}, .flush = 1000, .insert = 1000, .replay_age_seconds = -1};
    ck_assert(sdi_router_observe(core.router, 0, &moment));
}

static sdi_stamp stamp_of(uint64_t system, uint32_t timeline)
{
    return (sdi_stamp){.era = {system, timeline}, .standby = true, .lsn = 900};
}

static bool allowed(uint64_t system, uint32_t timeline)
{
    sdi_stamp stamp = stamp_of(system, timeline);
    return sdi_stale_allowed(&core, &read_, &stamp);
}

START_TEST(only_the_era_that_a_primary_was_last_seen_in)
{
    begin();
    ck_assert(!allowed(SYSTEM, 1)); /* none was seen: nobody knows */
    primary_on(1);
    ck_assert(allowed(SYSTEM, 1));
    ck_assert(!allowed(SYSTEM, 2));
    ck_assert(!allowed(SYSTEM + 1, 1));
    primary_on(2);
    ck_assert(!allowed(SYSTEM, 1)); /* a promotion may have lost what it shows */
    ck_assert(allowed(SYSTEM, 2));
    end();
}
END_TEST

START_TEST(the_fences_may_know_of_another_era_first)
{
    begin();
    primary_on(1);
    read_.demanded[1] = true;
    read_.demand[1].era = (sdi_era){SYSTEM, 1};
    ck_assert(allowed(SYSTEM, 1));
    read_.demand[1].era.timeline = 2;
    ck_assert(!allowed(SYSTEM, 1));
    read_.demand[1].era.timeline = 1;
    read_.mixed_eras = true;
    ck_assert(!allowed(SYSTEM, 1));
    end();
}
END_TEST

START_TEST(never_the_one_whose_write_it_lacks)
{
    begin();
    primary_on(1);
    sdi_point write = {.era = {SYSTEM, 1}, .lsn = 900, .flush = 900};
    sdi_session_wrote(&session, &write);
    ck_assert(allowed(SYSTEM, 1));
    write.lsn = 901;
    sdi_session_wrote(&session, &write);
    ck_assert(!allowed(SYSTEM, 1));
    end();
}
END_TEST

static shopdata_result *answer_read(int64_t ms_ago)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "a", 23);
    shopdata_result *answer = sdi_result_build(&builder);
    answer->source = SHOPDATA_FROM_CACHE;
    answer->read_at = sdi_wall() - ms_ago * 1000;
    return answer;
}

START_TEST(what_is_served_says_what_it_is)
{
    begin();
    ck_assert(!sdi_stale_serve(&core, &read_, SDI_STALE_REFRESHING));
    ck_assert_int_eq(read_.state, SDI_READ_OPEN);
    sdi_stale_keep(&read_, answer_read(9000), &(sdi_stamp){0}, true);
    sdi_stale_keep(&read_, answer_read(5000), &(sdi_stamp){0}, false); /* of a later look */
    ck_assert(sdi_stale_serve(&core, &read_, SDI_STALE_REFRESHING));
    ck_assert_int_eq(read_.state, SDI_READ_DONE);
    ck_assert_int_eq(shopdata_result_source(read_.result), SHOPDATA_FROM_STALE);
    ck_assert_int_eq(read_.result->staleness_ms, 0);
    sdi_stale_keep(&read_, answer_read(5000), &(sdi_stamp){0}, true);
    ck_assert(sdi_stale_serve(&core, &read_, SDI_STALE_UNAVAILABLE));
    ck_assert_int_ge(read_.result->staleness_ms, 5000);
    sdi_stale_keep(&read_, answer_read(-800), &(sdi_stamp){0}, true); /* another host's clock is ahead */
    ck_assert(sdi_stale_serve(&core, &read_, SDI_STALE_UNAVAILABLE));
    ck_assert_int_gt(read_.result->staleness_ms, 0);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_STALE_ANSWERS, SDI_STALE_EXPIRED_REFRESHING), 1);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_STALE_ANSWERS, SDI_STALE_OVERTAKEN_UNAVAILABLE), 2);
    end();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, only_the_era_that_a_primary_was_last_seen_in);
    tcase_add_test(cases, the_fences_may_know_of_another_era_first);
    tcase_add_test(cases, never_the_one_whose_write_it_lacks);
    tcase_add_test(cases, what_is_served_says_what_it_is);
}

UNIT_MAIN("client/stale", fill, 20)
