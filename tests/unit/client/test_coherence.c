/* test_coherence.c - who may have what this process keeps: the judgement alone, without a cache that tells anything. */
#include "client/coherence.h"

#include <stdio.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "client/lookup.h"

enum { BOUND_MS = 100, SYSTEM = 77, REACHES = 1000 };

static const sdi_hash128 key = {1, 2};
static sdi_settings settings;
static sdi_policy_settings policy = {.cache = true, .local = true, .ttl_ms = 60000, .negative_ttl_ms = 60000};
static sdi_core core;
static shopdata_client client = {.core = &core};
static shopdata_session session;
static int64_t now;

static void begin(enum sdi_coherence_kind kind)
{
    now = sdi_uptime();
    settings = (sdi_settings){
        .policies = &policy, .policy_count = 1, .cache.max_entry_bytes = 1 << 16, .local = {1 << 20, BOUND_MS, 300}};
    core = (sdi_core){.settings = &settings, .metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0})};
    core.coherence.local = sdi_local_new(1 << 20);
    core.coherence.known = sdi_calloc(SDI_KNOWN_TOKENS, sizeof *core.coherence.known);
    sdi_mutex_init(&core.coherence.lock);
    core.coherence.kind = kind;
    core.coherence.bound_us = BOUND_MS * 1000;
    sdi_coherence_timeline(&core, (sdi_era){SYSTEM, 1});
    atomic_store(&core.coherence.watermark, kind == SDI_COHERENCE_HEARD ? now : 0);
    atomic_store(&core.coherence.covered, REACHES);
    session = (shopdata_session){.client = &client};
}

static void finish(void)
{
    sdi_coherence_free(&core.coherence);
    sdi_metrics_free(core.metrics);
}

static shopdata_result *make_answer(void)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "price", 20);
    sdi_result_cell(&builder, "10", 2);
    shopdata_result *answer = sdi_result_build(&builder);
    ck_assert_ptr_nonnull(answer);
    answer->source = SHOPDATA_FROM_REPLICA;
    memcpy(answer->node, "replica", sizeof "replica");
    answer->read_at = sdi_wall();
    return answer;
}

/* As a read does that looked at the moment, and whose answer passed. */
static void keep(uint64_t moment, sdi_lsn seen)
{
    sdi_read read;
    sdi_read_begin(&read, NULL);
    read.session = &session;
    read.policy = &policy;
    read.local_key = key;
    read.cached = read.fences_read = read.stamped = true;
    read.moment = moment;
    read.result = make_answer();
    read.stamp.era = (sdi_era){SYSTEM, 1};
    read.stamp.seen = seen;
    sdi_tags_add(&read.tags, sdi_slice_of("public.item"));
    read.tags.required = read.tags.count;
    sdi_coherence_keep(&core, &read, 0);
    shopdata_result_free(read.result);
    sdi_tags_free(&read.tags);
}

/* What the session is given: its staleness; -1 for nothing. */
static int64_t get(void)
{
    shopdata_result *answer = sdi_coherence_get(&core, &session, key, now, true);
    int64_t staleness_ms = answer ? answer->staleness_ms : -1;
    if (answer)
        ck_assert_int_eq(answer->source, SHOPDATA_FROM_LOCAL);
    shopdata_result_free(answer);
    return staleness_ms;
}

static void check_miss(enum sdi_local_miss why)
{
    uint64_t before = sdi_counted(core.metrics, SDI_M_LOCAL_MISSES, why);
    ck_assert_int_eq(get(), -1);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_LOCAL_MISSES, why), before + 1);
}

START_TEST(what_is_kept_is_as_old_as_the_watermark)
{
    begin(SDI_COHERENCE_HEARD);
    check_miss(SDI_LOCAL_MISS_ABSENT);
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_eq(get(), 1);
    atomic_store(&core.coherence.watermark, now - BOUND_MS * 1000);
    ck_assert_int_eq(get(), BOUND_MS + 1);
    atomic_store(&core.coherence.watermark, now - BOUND_MS * 1000 - 1);
    check_miss(SDI_LOCAL_MISS_BEHIND);
    atomic_store(&core.coherence.watermark, 0);
    check_miss(SDI_LOCAL_MISS_BEHIND);
    finish();
}
END_TEST

START_TEST(a_session_may_set_the_bound)
{
    begin(SDI_COHERENCE_HEARD);
    keep(sdi_coherence_moment(&core), REACHES);
    atomic_store(&core.coherence.watermark, now - 50000);
    session.max_staleness_ms = 49;
    check_miss(SDI_LOCAL_MISS_BEHIND);
    session.max_staleness_ms = 60000;
    atomic_store(&core.coherence.watermark, now - 10 * BOUND_MS * 1000);
    ck_assert_int_eq(get(), 10 * BOUND_MS + 1);
    finish();
}
END_TEST

START_TEST(what_changed_since_it_was_looked_for_is_not_kept)
{
    unsigned char message[SDI_CHANGED_TAG_BYTES];
    sdi_cache_op operation = {.verb = SDI_CACHE_REMOVE, .key = sdi_slice_of("public.item")};
    begin(SDI_COHERENCE_HEARD);
    ck_assert_uint_eq(sdi_coherence_publish(&core, &operation, 1, message), 0); /* there is no cache that carries it */
    uint64_t moment = sdi_coherence_moment(&core);
    sdi_coherence_changed(&core, message, 1);
    keep(moment, REACHES);
    check_miss(SDI_LOCAL_MISS_ABSENT);
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_eq(get(), 1);
    sdi_coherence_changed(&core, message, 1);
    check_miss(SDI_LOCAL_MISS_ABSENT);
    keep(sdi_coherence_moment(&core), REACHES);
    sdi_coherence_changed(&core, NULL, 0); /* what could not be told apart */
    check_miss(SDI_LOCAL_MISS_ABSENT);
    finish();
}
END_TEST

/* News lie behind the watermark until one of after them comes; what is asked for meanwhile is good all the same. */
START_TEST(who_has_news_takes_nothing_from_before)
{
    sdi_stamp news = {.era = {SYSTEM, 1}, .standby = true, .lsn = REACHES, .seen = REACHES + 1};
    begin(SDI_COHERENCE_HEARD);
    keep(sdi_coherence_moment(&core), REACHES);
    sdi_session_saw(&session, &news);
    ck_assert_int_gt(session.news_at, 0);
    check_miss(SDI_LOCAL_MISS_SESSION);
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_eq(get(), 1);
    session.news_mark = sdi_local_mark(core.coherence.local);
    check_miss(SDI_LOCAL_MISS_SESSION);
    atomic_store(&core.coherence.watermark, session.news_at);
    ck_assert_int_eq(get(), 1);
    finish();
}
END_TEST

START_TEST(what_was_seen_here_before_is_no_news)
{
    sdi_stamp old = {.era = {SYSTEM, 1}, .standby = true, .lsn = REACHES, .seen = REACHES};
    begin(SDI_COHERENCE_HEARD);
    keep(sdi_coherence_moment(&core), REACHES);
    sdi_session_saw(&session, &old);
    ck_assert_int_eq(session.news_at, 0);
    ck_assert_int_eq(get(), 1);
    ck_assert_uint_eq(session.token.reached, REACHES); /* a hit goes into the token */
    keep(sdi_coherence_moment(&core), REACHES + 5);
    ck_assert_int_eq(get(), 1);
    ck_assert_uint_eq(session.token.reached, REACHES + 5);
    ck_assert_int_gt(session.news_at, 0);
    finish();
}
END_TEST

START_TEST(a_token_is_news_once)
{
    begin(SDI_COHERENCE_HEARD);
    sdi_slice one = sdi_slice_of("one"), other = sdi_slice_of("other");
    ck_assert_int_eq(sdi_coherence_token(&core, one, 500), 500);
    ck_assert_int_eq(sdi_coherence_token(&core, other, 600), 600);
    ck_assert_int_eq(sdi_coherence_token(&core, one, 700), 500);
    for (int i = 0; i < 100 * SDI_KNOWN_TOKENS; i++) { /* far more than are remembered */
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        sdi_coherence_token(&core, sdi_slice_of(text), i);
    }
    ck_assert_int_eq(sdi_coherence_token(&core, one, 800), 800);
    finish();
}
END_TEST

START_TEST(tags_that_could_not_be_told_are_asked_elsewhere)
{
    begin(SDI_COHERENCE_HEARD);
    keep(sdi_coherence_moment(&core), REACHES);
    sdi_token_add_tag(&session.token, 7);
    check_miss(SDI_LOCAL_MISS_SESSION);
    session.token.tag_count = 0;
    session.token.all_tags = true;
    check_miss(SDI_LOCAL_MISS_SESSION);
    finish();
}
END_TEST

START_TEST(what_is_of_before_a_promotion_is_gone)
{
    begin(SDI_COHERENCE_HEARD);
    keep(sdi_coherence_moment(&core), REACHES);
    sdi_coherence_timeline(&core, (sdi_era){SYSTEM, 2});
    check_miss(SDI_LOCAL_MISS_ABSENT);
    finish();
}
END_TEST

/* Nobody tells: for so long it may trail, and a session's news are never confirmed. */
START_TEST(without_messages_its_own_time_bounds_it)
{
    begin(SDI_COHERENCE_TIMED);
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_eq(get(), 301);
    now = sdi_uptime() + 301000;
    check_miss(SDI_LOCAL_MISS_ABSENT);
    now = sdi_uptime();
    session.max_staleness_ms = 299;
    check_miss(SDI_LOCAL_MISS_BEHIND);
    session.max_staleness_ms = 0;
    session.news_at = now;
    session.news_mark = sdi_local_mark(core.coherence.local);
    check_miss(SDI_LOCAL_MISS_SESSION);
    finish();
}
END_TEST

START_TEST(in_mode_ttl_who_wrote_is_asked_elsewhere)
{
    begin(SDI_COHERENCE_PLAIN);
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_ge(get(), 1);
    session.token.wrote = true;
    check_miss(SDI_LOCAL_MISS_SESSION);
    finish();
}
END_TEST

START_TEST(flags_and_policies_say_who_is_served)
{
    sdi_policy_settings shared = policy;
    begin(SDI_COHERENCE_HEARD);
    ck_assert(sdi_coherence_serves(&core, &policy, 0));
    ck_assert(!sdi_coherence_serves(&core, &policy, SHOPDATA_NO_CACHE));
    ck_assert(!sdi_coherence_serves(&core, &policy, SHOPDATA_PRIMARY));
    shared.local = false;
    ck_assert(!sdi_coherence_serves(&core, &shared, 0));
    shared = policy;
    shared.cache = false;
    ck_assert(!sdi_coherence_serves(&core, &shared, 0));
    finish();
    core.coherence.local = NULL;
    ck_assert(!sdi_coherence_serves(&core, &policy, 0));
}
END_TEST

START_TEST(what_is_too_large_for_its_policy_is_not_kept)
{
    begin(SDI_COHERENCE_HEARD);
    policy.max_bytes = 8;
    keep(sdi_coherence_moment(&core), REACHES);
    check_miss(SDI_LOCAL_MISS_ABSENT);
    policy.max_bytes = 0;
    settings.cache.max_entry_bytes = 8;
    keep(sdi_coherence_moment(&core), REACHES);
    check_miss(SDI_LOCAL_MISS_ABSENT);
    settings.cache.max_entry_bytes = 1 << 10;
    keep(sdi_coherence_moment(&core), REACHES);
    ck_assert_int_eq(get(), 1);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- messages */

static const sdi_cache_listener *listener; /* of the core */

static bool carry(const sdi_cache *cache)
{
    (void)cache;
    return true;
}

static bool listen_with(sdi_cache *cache, const sdi_cache_listener *with)
{
    (void)cache;
    listener = with;
    return true;
}

static void rouse(sdi_cache *cache)
{
    (void)cache;
}

static void begin_to_listen(void)
{
    static const sdi_cache_backend backend = {.name = "told", .carries = carry, .listen = listen_with, .rouse = rouse};
    static sdi_cache cache = {.backend = &backend};
    now = sdi_uptime();
    settings = (sdi_settings){.policies = &policy,
                              .policy_count = 1,
                              .cache = {.kind = SDI_CACHE_REDIS,
                                        .mode = SDI_MODE_FENCED,
                                        .key_prefix = (char *)"p",
                                        .max_entry_bytes = 1 << 16},
                              .local = {1 << 20, BOUND_MS, 0}};
    core =
        (sdi_core){.settings = &settings, .cache = &cache, .metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0})};
    ck_assert_int_eq(sdi_coherence_begin(&core, NULL), SHOPDATA_OK);
    sdi_coherence_timeline(&core, (sdi_era){SYSTEM, 1});
    session = (shopdata_session){.client = &client};
    listener->began(listener->context);
    listener->confirmed(listener->context, now);
    atomic_store(&core.coherence.covered, REACHES);
}

static sdi_slice message_of(const sdi_cache_op *publish)
{
    ck_assert_int_eq(publish->verb, SDI_CACHE_PUBLISH);
    ck_assert(sdi_slice_equal(publish->key, sdi_slice_of("p:changes")));
    return publish->value;
}

START_TEST(a_message_voids_what_it_names)
{
    enum { OTHERS = 3 };
    unsigned char message[(OTHERS + 1) * SDI_CHANGED_TAG_BYTES];
    sdi_cache_op operations[OTHERS + 2];
    begin_to_listen();
    for (int i = 0; i <= OTHERS; i++)
        operations[i] = (sdi_cache_op){.key = sdi_slice_of(i == OTHERS ? "public.item" : "public.other")};
    keep(sdi_coherence_moment(&core), 1);
    ck_assert_uint_eq(sdi_coherence_publish(&core, operations, OTHERS, message), 1);
    listener->heard(listener->context, message_of(&operations[OTHERS]));
    ck_assert_int_eq(get(), 1);
    operations[OTHERS].key = sdi_slice_of("public.item");
    ck_assert_uint_eq(sdi_coherence_publish(&core, operations, OTHERS + 1, message), 1);
    listener->heard(listener->context, message_of(&operations[OTHERS + 1]));
    check_miss(SDI_LOCAL_MISS_ABSENT);
    finish();
}
END_TEST

/* Of a transaction that wrote very much: everybody forgets all, and nobody has to be sent a megabyte. */
START_TEST(a_message_of_too_many_tags_voids_all)
{
    enum { COUNT = SDI_CHANGED_TAGS_MAX + 1 };
    static unsigned char message[COUNT * SDI_CHANGED_TAG_BYTES];
    static sdi_cache_op operations[COUNT + 1];
    begin_to_listen();
    for (int i = 0; i < COUNT; i++)
        operations[i].key = sdi_slice_of("public.other");
    keep(sdi_coherence_moment(&core), 1);
    ck_assert_uint_eq(sdi_coherence_publish(&core, operations, COUNT, message), 1);
    ck_assert_uint_eq(message_of(&operations[COUNT]).length, 1);
    listener->heard(listener->context, message_of(&operations[COUNT]));
    check_miss(SDI_LOCAL_MISS_ABSENT);
    finish();
}
END_TEST

/* Beats are wanted while somebody looks. */
START_TEST(who_looks_wants_confirmations)
{
    begin_to_listen();
    ck_assert(!listener->wanted(listener->context));
    check_miss(SDI_LOCAL_MISS_ABSENT);
    ck_assert(listener->wanted(listener->context));
    ck_assert(!listener->wanted(listener->context));
    listener->lost(listener->context, "gone");
    check_miss(SDI_LOCAL_MISS_BEHIND);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_LOCAL_LOST, 0), 1);
    listener->lost(listener->context, "refused");
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_LOCAL_LOST, 0), 1);
    ck_assert_uint_eq(sdi_counted(core.metrics, SDI_M_LOCAL_FAILED, 0), 1);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_is_kept_is_as_old_as_the_watermark);
    tcase_add_test(cases, a_session_may_set_the_bound);
    tcase_add_test(cases, what_changed_since_it_was_looked_for_is_not_kept);
    tcase_add_test(cases, who_has_news_takes_nothing_from_before);
    tcase_add_test(cases, what_was_seen_here_before_is_no_news);
    tcase_add_test(cases, a_token_is_news_once);
    tcase_add_test(cases, tags_that_could_not_be_told_are_asked_elsewhere);
    tcase_add_test(cases, what_is_of_before_a_promotion_is_gone);
    tcase_add_test(cases, without_messages_its_own_time_bounds_it);
    tcase_add_test(cases, in_mode_ttl_who_wrote_is_asked_elsewhere);
    tcase_add_test(cases, flags_and_policies_say_who_is_served);
    tcase_add_test(cases, what_is_too_large_for_its_policy_is_not_kept);
    tcase_add_test(cases, a_message_voids_what_it_names);
    tcase_add_test(cases, a_message_of_too_many_tags_voids_all);
    tcase_add_test(cases, who_looks_wants_confirmations);
}

UNIT_MAIN("client/coherence", fill, 10)
