/* What the cache could not be told, with a cache that refuses what the test wants it to. */
#include "client/unfinished.h"

#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "client/core.h"
#include "model/config.h"

enum { SYSTEM = 77 };

static sdi_core core;
static sdi_cache cache;
static const char *refused; /* keys with this in them; NULL: none */
static size_t runs, removed;
static void (*meanwhile)(void); /* happens once, while the cache is told */

static bool choosy_run(sdi_cache *base, sdi_cache_op *operations, size_t count, int64_t deadline)
{
    (void)base, (void)deadline;
    bool all = true;
    runs++;
    if (meanwhile) {
        void (*once)(void) = meanwhile;
        meanwhile = NULL;
        once();
    }
    for (size_t i = 0; i < count; i++) {
        char key[64];
        ck_assert_int_eq(operations[i].verb, SDI_CACHE_REMOVE);
        snprintf(key, sizeof key, "%.*s", (int)operations[i].key.length, operations[i].key.data);
        operations[i].done = !refused || !strstr(key, refused);
        removed += operations[i].done;
        all &= operations[i].done;
    }
    return all;
}

static const sdi_cache_backend choosy = {.name = "choosy", .run = choosy_run};

static void begin(void)
{
    static const char *const node = "a", *const policy = "default";
    shopdata_config *config;
    ck_assert_int_eq(sdi_config_new(&config, NULL), 0);
    ck_assert_int_eq(sdi_config_set(config, "node.a.conninfo", "host=nowhere.invalid", NULL), 0);
    core = (sdi_core){.cache = &cache};
    ck_assert_int_eq(sdi_settings_make(config, &core.settings, NULL), 0);
    sdi_config_free(config);
    core.metrics = sdi_metrics_new((sdi_names){&node, 1}, (sdi_names){&policy, 1});
    core.log = sdi_log_new(&core.settings->log, core.metrics);
    core.router = sdi_router_new(core.settings, core.metrics, core.log);
    sdi_unfinished_init(&core.unfinished);
    cache.backend = &choosy;
    refused = NULL;
    runs = removed = 0;
}

static void end(void)
{
    sdi_unfinished_free(&core.unfinished);
    sdi_router_free(core.router);
    sdi_log_free(core.log);
    sdi_metrics_free(core.metrics);
    sdi_settings_free(core.settings);
}

static sdi_point point_at(uint32_t timeline, sdi_lsn lsn)
{
    return (sdi_point){.era = {SYSTEM, timeline}, .lsn = lsn, .flush = lsn, .snapshot = {.xmin = lsn, .xmax = lsn}};
}

static void keep(const char *key, const sdi_point *point)
{
    sdi_buffer keys = SDI_BUFFER_INIT;
    sdi_buffer_append(&keys, key, strlen(key) + 1);
    sdi_untold_keep(&core, &keys, point);
    sdi_buffer_free(&keys);
}

static void keep_at(const char *key, sdi_lsn lsn)
{
    sdi_point point = point_at(1, lsn);
    keep(key, &point);
}

static bool waits(const char *key)
{
    return sdi_untold_waits(&core, sdi_slice_of(key));
}

static sdi_untold look(void)
{
    sdi_untold untold;
    sdi_untold_look(&core, &untold);
    return untold;
}

START_TEST(what_waits_is_demanded_until_it_is_told)
{
    begin();
    ck_assert(!look().any);
    keep_at("f:a", 500);
    keep_at("f:b", 300);
    sdi_untold untold = look();
    ck_assert(untold.any && untold.pointed && !untold.unplaced && !untold.all);
    ck_assert_uint_eq(untold.point.lsn, 500);
    ck_assert(waits("f:a") && waits("f:b") && !waits("f:c"));
    sdi_untold_tell(&core, SDI_TELL_ALL, SDI_NEVER);
    ck_assert(!look().any && !waits("f:a"));
    ck_assert_uint_eq(removed, 2);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_FENCES_RETRIED, 0), 2);
    end();
}
END_TEST

START_TEST(a_server_that_is_gone_keeps_only_its_own_waiting)
{
    enum { KEYS = 3000 };
    char key[32];
    begin();
    refused = "f:gone";
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "f:%s%d", i % 3 ? "there" : "gone", i);
        keep_at(key, 500);
    }
    for (int i = 0; i < KEYS && removed < KEYS / 3 * 2; i++)
        sdi_untold_tell(&core, SDI_TELL_SOME, SDI_NEVER); /* a reader's hand reaches all of them in the end */
    ck_assert_uint_eq(removed, KEYS / 3 * 2);
    ck_assert(waits("f:gone3") && !waits("f:there4"));
    refused = NULL;
    sdi_untold_tell(&core, SDI_TELL_ALL, SDI_NEVER);
    ck_assert_uint_eq(removed, KEYS);
    ck_assert(!look().any);
    end();
}
END_TEST

static void write_again(void)
{
    keep_at("f:a", 900);
}

/* The removal that is under way may come before the second write. */
START_TEST(what_is_kept_again_while_it_is_told_waits_on)
{
    begin();
    keep_at("f:a", 500);
    meanwhile = write_again;
    sdi_untold_tell(&core, SDI_TELL_ALL, SDI_NEVER);
    ck_assert(waits("f:a"));
    ck_assert_uint_eq(look().point.lsn, 900);
    end();
}
END_TEST

static void read_meanwhile(void)
{
    ck_assert(waits("f:a"));
}

START_TEST(what_is_being_told_is_not_told_yet)
{
    begin();
    keep_at("f:a", 500);
    meanwhile = read_meanwhile;
    sdi_untold_tell(&core, SDI_TELL_ALL, SDI_NEVER);
    ck_assert(!waits("f:a"));
    end();
}
END_TEST

START_TEST(without_a_point_a_fence_is_missing_until_the_primary_was_asked)
{
    begin();
    sdi_point later = point_at(1, 700);
    uint64_t before = sdi_unplaced_last(&core, 0);
    keep("f:a", NULL);
    ck_assert(look().unplaced);
    sdi_place(&core, before, &later); /* asked before the write */
    ck_assert(look().unplaced);
    sdi_place(&core, sdi_unplaced_last(&core, 0), &later);
    ck_assert(!look().unplaced && look().pointed);
    ck_assert_uint_eq(look().point.lsn, 700);
    end();
}
END_TEST

/* Its write would come behind the point. Where another node is the primary by now, it has come in time or is lost. */
START_TEST(no_write_is_placed_while_a_backend_of_the_node_may_still_commit)
{
    begin();
    sdi_point floor = point_at(1, 700), got;
    sdi_buffer none = SDI_BUFFER_INIT;
    sdi_doubtful_end(&core, 0, &(sdi_pg_backend_id){.pid = 1}, &none);
    uint64_t number = sdi_unplaced(&core);
    sdi_place(&core, sdi_unplaced_last(&core, 0), &floor);
    ck_assert(!sdi_is_placed(&core, &number, &got));
    sdi_place(&core, sdi_unplaced_last(&core, 1), &floor);
    ck_assert(sdi_is_placed(&core, &number, &got));
    ck_assert_uint_eq(got.lsn, 700);
    end();
}
END_TEST

START_TEST(what_is_forgotten_is_demanded_of_everything)
{
    char key[32];
    begin();
    refused = "f:";
    for (int i = 0; i <= SDI_UNTOLD_MAX; i++) {
        snprintf(key, sizeof key, "f:%d", i);
        keep_at(key, (sdi_lsn)(100 + i));
    }
    ck_assert(look().all);
    ck_assert_uint_eq(look().point.lsn, 100 + SDI_UNTOLD_MAX);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_FENCES_FORGOTTEN, 0), 1);
    keep_at("f:0", 50); /* one that waits already takes no room */
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_FENCES_FORGOTTEN, 0), 1);
    refused = NULL;
    sdi_untold_tell(&core, SDI_TELL_ALL, SDI_NEVER);
    ck_assert_uint_eq(removed, SDI_UNTOLD_MAX);
    ck_assert(look().any && look().all); /* for good: an answer from before it may be stored at any time */
    end();
}
END_TEST

START_TEST(an_era_that_is_over_demands_nothing)
{
    begin();
    sdi_moment moment = {.era = {SYSTEM, 2}, .flush = 1000, .insert = 1000, .replay_age_seconds = -1};
    keep_at("f:a", 500);
    ck_assert(look().pointed);
    ck_assert(sdi_router_observe(core.router, 0, &moment));
    ck_assert(look().any && !look().pointed);
    sdi_point newer = point_at(2, 1200), older = point_at(1, 5000);
    keep("f:b", &newer);
    keep("f:c", &older);
    ck_assert(look().pointed);
    ck_assert_uint_eq(look().point.lsn, 1200);
    end();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_waits_is_demanded_until_it_is_told);
    tcase_add_test(cases, a_server_that_is_gone_keeps_only_its_own_waiting);
    tcase_add_test(cases, what_is_kept_again_while_it_is_told_waits_on);
    tcase_add_test(cases, what_is_being_told_is_not_told_yet);
    tcase_add_test(cases, without_a_point_a_fence_is_missing_until_the_primary_was_asked);
    tcase_add_test(cases, no_write_is_placed_while_a_backend_of_the_node_may_still_commit);
    tcase_add_test(cases, what_is_forgotten_is_demanded_of_everything);
    tcase_add_test(cases, an_era_that_is_over_demands_nothing);
}

UNIT_MAIN("client/unfinished", fill, 60)
