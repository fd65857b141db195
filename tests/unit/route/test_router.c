/* The router without any server: what nodes would say of themselves is told to it by hand. */
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "model/config.h"
#include "route/router.h"

enum { A, B, C, NODES };
enum { SYSTEM = 77, ROUNDS = 4000 };

static sdi_settings *settings;
static sdi_metrics *metrics;
static sdi_log *lines_log;
static sdi_router *router;
static char lines[4096]; /* what was logged, without the times */

static void keep_line(void *context, int level, const char *line)
{
    size_t length = strlen(lines);
    (void)context;
    (void)level;
    snprintf(lines + length, sizeof lines - length, "%s\n", strstr(line, "event="));
}

static void begin(const char *key, const char *value)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const conninfos[] = {"node.a.conninfo", "node.b.conninfo", "node.c.conninfo"};
    shopdata_config *config;
    ck_assert_int_eq(sdi_config_new(&config, NULL), 0);
    for (int i = 0; i < NODES; i++)
        ck_assert_int_eq(sdi_config_set(config, conninfos[i], "host=nowhere.invalid", NULL), 0);
    ck_assert_int_eq(sdi_config_set(config, "route.breaker_failures", "2", NULL), 0);
    if (key)
        ck_assert_int_eq(sdi_config_set(config, key, value, NULL), 0);
    ck_assert_int_eq(sdi_settings_make(config, &settings, NULL), 0);
    sdi_config_free(config);
    metrics = sdi_metrics_new((sdi_names){names, NODES}, (sdi_names){0});
    lines[0] = '\0';
    lines_log = sdi_log_new(&(sdi_log_settings){keep_line, NULL, SHOPDATA_LOG_DEBUG, 100}, metrics);
    router = sdi_router_new(settings, metrics, lines_log);
    ck_assert_ptr_nonnull(router);
}

static void end(void)
{
    sdi_router_free(router);
    sdi_log_free(lines_log);
    sdi_metrics_free(metrics);
    sdi_settings_free(settings);
}

static sdi_era era(uint32_t timeline)
{
    return (sdi_era){SYSTEM, timeline};
}

static void primary(size_t node, uint32_t timeline, sdi_lsn flush)
{
    sdi_moment moment = {.era = era(timeline), .flush = flush, .insert = flush, .replay_age_seconds = -1};
    ck_assert(sdi_router_observe(router, node, &moment));
}

static void replica(size_t node, uint32_t timeline, sdi_lsn replay)
{
    sdi_moment moment = {
        .standby = true, .era = era(timeline), .replay = replay, .received = replay, .replay_age_seconds = 60};
    ck_assert(sdi_router_observe(router, node, &moment));
}

static void the_three(void)
{
    primary(A, 1, 1000);
    replica(B, 1, 1000);
    replica(C, 1, 1000);
}

/* The node chosen, not given back; negative: the status. */
static int keep(const sdi_need *need, uint64_t tried, bool certain, sdi_choice *choice)
{
    int status = sdi_router_choose(router, need, tried, certain, choice, NULL);
    return status ? status : (int)choice->node;
}

static int choose(const sdi_need *need, uint64_t tried, bool certain)
{
    sdi_choice choice;
    int node = keep(need, tried, certain, &choice);
    if (node >= 0)
        sdi_router_done(router, &choice, 1000);
    return node;
}

static void count(const sdi_need *need, int *shares)
{
    memset(shares, 0, NODES * sizeof *shares);
    for (int i = 0; i < ROUNDS; i++) {
        int node = choose(need, 0, true);
        ck_assert_int_ge(node, 0);
        shares[node]++;
    }
}

static const sdi_need any;

START_TEST(nobody_is_chosen_before_he_was_seen)
{
    begin(NULL, NULL);
    size_t node;
    ck_assert_int_eq(choose(&any, 0, false), SHOPDATA_ERR_UNAVAILABLE);
    ck_assert(!sdi_router_primary(router, &node));
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_router_unavailable(router, true, &error), SHOPDATA_ERR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(shopdata_error_message(error), "a: not reached"));
    shopdata_error_free(error);
    end();
}
END_TEST

START_TEST(reads_go_to_replicas_and_writes_to_the_primary)
{
    begin(NULL, NULL);
    the_three();
    int shares[NODES];
    size_t node;
    count(&any, shares);
    ck_assert_int_eq(shares[A], 0);
    ck_assert_int_gt(shares[B], ROUNDS / 4);
    ck_assert_int_gt(shares[C], ROUNDS / 4);
    ck_assert_int_eq(choose(&(sdi_need){.primary = true}, 0, false), A);
    ck_assert(sdi_router_primary(router, &node) && node == A);
    ck_assert_int_eq(choose(&any, 1 << B, false), C);
    ck_assert_int_eq(choose(&any, 1 << B | 1 << C, false), A);
    ck_assert_int_eq(choose(&any, 7, false), SHOPDATA_ERR_UNAVAILABLE);
    end();
}
END_TEST

START_TEST(who_has_not_replayed_enough_is_passed_over)
{
    begin(NULL, NULL);
    the_three();
    primary(A, 1, 2000);
    replica(C, 1, 2000);
    sdi_need need = {.era = era(1), .lsn = 1500};
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(choose(&need, 0, true), C);
    need.lsn = 3000;
    ck_assert_int_eq(choose(&need, 0, true), A);
    sdi_choice choice; /* by what is known they are not behind: they may have replayed it by the time they are asked */
    ck_assert_int_ne(keep(&need, 0, false, &choice), A);
    ck_assert(choice.perhaps);
    sdi_router_done(router, &choice, -1);
    need.era = era(2);
    ck_assert_int_eq(choose(&need, 0, true), A);
    need = (sdi_need){.era = era(1), .lsn = 1500}; /* positions run on over a promotion */
    primary(A, 2, 2000);
    replica(B, 2, 1600);
    ck_assert_int_eq(choose(&need, 1 << C, true), B);
    end();
}
END_TEST

START_TEST(a_limit_of_lag_keeps_the_late_ones_away)
{
    begin("route.max_lag", "5s");
    the_three();
    primary(A, 1, 2000);
    replica(B, 1, 1000); /* a minute behind */
    replica(C, 1, 2000);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(choose(&(sdi_need){.limit_lag = true, .lag_max_ms = 5000}, 0, true), C);
    ck_assert_int_eq(choose(&(sdi_need){.limit_lag = true, .lag_max_ms = 5000}, 1 << C, true), A);
    end();
}
END_TEST

/* With the primary gone a late replica is as late as before, though nobody is there to compare it with. */
START_TEST(lag_is_known_without_the_primary)
{
    begin("route.max_lag", "5s");
    the_three();
    primary(A, 1, 2000);
    sdi_router_failed(router, A, "why");
    replica(B, 1, 1000);
    replica(C, 1, 2000);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(choose(&(sdi_need){.limit_lag = true, .lag_max_ms = 5000}, 0, true), C);
    sdi_moment paused = {.standby = true, .era = era(1), .replay = 2000, .received = 9000, .replay_age_seconds = 60};
    ck_assert(sdi_router_observe(router, C, &paused));
    ck_assert_int_eq(choose(&(sdi_need){.limit_lag = true, .lag_max_ms = 5000}, 0, true), SHOPDATA_ERR_UNAVAILABLE);
    end();
}
END_TEST

static void primary_at(int64_t asked_at, sdi_lsn flush)
{
    sdi_moment moment = {
        .asked_at = asked_at, .era = era(1), .flush = flush, .insert = flush, .replay_age_seconds = -1};
    ck_assert(sdi_router_observe(router, A, &moment));
}

/* What bounds the age of a replica's answer is when the primary said that there was no more than the replica has. */
START_TEST(how_far_behind_counts_from_the_primarys_word)
{
    begin(NULL, NULL);
    int64_t second = 1000000, now = sdi_now();
    replica(B, 1, 1000);
    ck_assert_int_eq(sdi_router_behind(router, B), -1);
    primary(A, 1, 1000); /* when it was asked is not known */
    replica(B, 1, 1000);
    ck_assert_int_eq(sdi_router_behind(router, B), -1);
    primary_at(now - 9 * second, 1000);
    ck_assert_int_eq(sdi_router_behind(router, B), -1);
    replica(B, 1, 1000);
    ck_assert_int_ge(sdi_router_behind(router, B), 9 * second);
    primary_at(now - 5 * second, 2000);
    replica(B, 1, 1500);
    ck_assert_int_ge(sdi_router_behind(router, B), 9 * second);
    replica(B, 1, 2000);
    ck_assert_int_lt(sdi_router_behind(router, B), 9 * second);
    ck_assert_int_ge(sdi_router_behind(router, B), 5 * second);
    primary_at(now - 2 * second, 1800); /* an answer that was under way for long says nothing of now */
    replica(B, 1, 2100);
    ck_assert_int_ge(sdi_router_behind(router, B), 5 * second);
    end();
}
END_TEST

START_TEST(weight_and_zone_and_speed_draw_reads)
{
    int shares[NODES];
    begin("node.b.weight", "10");
    the_three();
    count(&any, shares);
    ck_assert_int_gt(shares[B], ROUNDS * 9 / 10); /* of two both are always compared */
    end();
    begin("node.c.zone", "here");
    the_three();
    sdi_choice held;
    ck_assert_int_ge(keep(&any, 1 << B, true, &held), 0);
    ck_assert_int_eq(choose(&any, 0, true), B); /* C has one in flight */
    sdi_router_done(router, &held, 100000);
    ck_assert_int_eq(choose(&any, 0, true), B); /* and was slow */
    end();
}
END_TEST

START_TEST(the_primary_takes_so_many_reads_and_no_more)
{
    begin("route.primary_reads", "2");
    primary(A, 1, 1000);
    sdi_choice one, two, three;
    shopdata_error *error = NULL;
    ck_assert_int_eq(keep(&any, 0, false, &one), A);
    ck_assert_int_eq(keep(&any, 0, false, &two), A);
    ck_assert_int_eq(sdi_router_choose(router, &any, 0, false, &three, &error), SHOPDATA_ERR_BUSY);
    ck_assert_ptr_nonnull(error);
    shopdata_error_free(error);
    ck_assert_int_eq(choose(&(sdi_need){.primary = true}, 0, false), A); /* who must go there is not counted */
    sdi_router_done(router, &one, -1);
    ck_assert_int_eq(choose(&any, 0, false), A);
    sdi_router_done(router, &two, -1);
    end();
}
END_TEST

START_TEST(who_failed_is_left_until_he_answers)
{
    begin(NULL, NULL);
    the_three();
    uint64_t seen = sdi_router_changes(router);
    sdi_router_failed(router, B, "why");
    ck_assert(sdi_router_wait(router, seen, sdi_deadline_in(1000)));
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(choose(&any, 0, true), C);
    ck_assert(sdi_router_may_probe(router, B));
    sdi_router_failed(router, B, "why"); /* the second in a row opens the breaker */
    ck_assert(!sdi_router_may_probe(router, B));
    replica(B, 1, 1000);
    ck_assert(sdi_router_may_probe(router, B));
    ck_assert_int_eq(choose(&any, 1 << C, true), B);
    ck_assert(!sdi_router_wait(router, sdi_router_changes(router), sdi_deadline_in(5)));
    end();
}
END_TEST

START_TEST(a_promoted_replica_is_the_primary)
{
    begin(NULL, NULL);
    the_three();
    size_t node;
    primary(B, 2, 900);
    ck_assert(sdi_router_primary(router, &node) && node == B);
    ck_assert_uint_eq(sdi_router_timeline(router), 2);
    primary(A, 1, 5000);
    ck_assert(sdi_router_primary(router, &node) && node == B);
    end();
}
END_TEST

/* What is written to it while the right one is out of reach is lost. */
START_TEST(a_deposed_primary_is_never_used_again)
{
    begin(NULL, NULL);
    the_three();
    size_t node;
    primary(B, 2, 900);
    primary(A, 1, 5000);
    sdi_router_failed(router, B, "why");
    ck_assert(!sdi_router_primary(router, &node));
    ck_assert_int_eq(choose(&(sdi_need){.primary = true}, 0, true), SHOPDATA_ERR_UNAVAILABLE);
    primary(A, 3, 950);
    ck_assert(sdi_router_primary(router, &node) && node == A);
    end();
}
END_TEST

START_TEST(a_refused_write_has_the_primary_found_anew)
{
    begin(NULL, NULL);
    the_three();
    size_t node;
    sdi_router_suspect(router, A);
    ck_assert(!sdi_router_primary(router, &node));
    for (size_t i = 0; i < NODES; i++)
        ck_assert(sdi_router_await(router, i, SDI_NEVER)); /* all are to look at once */
    sdi_router_stop(router);
    ck_assert(!sdi_router_await(router, A, SDI_NEVER));
    end();
}
END_TEST

START_TEST(another_database_is_not_ours)
{
    begin(NULL, NULL);
    the_three();
    sdi_moment other = {.era = {SYSTEM + 1, 5}, .flush = 1, .insert = 1};
    size_t node;
    ck_assert(!sdi_router_observe(router, C, &other));
    ck_assert(sdi_router_primary(router, &node) && node == A);
    end();
}
END_TEST

START_TEST(what_happens_to_nodes_is_logged)
{
    begin(NULL, NULL);
    the_three();
    sdi_router_failed(router, A, "the cable was cut");
    sdi_router_failed(router, A, "it is still cut");
    primary(B, 2, 900);
    primary(A, 2, 900);
    sdi_router_suspect(router, B);
    sdi_log_deliver(lines_log);
    ck_assert_str_eq(lines, "event=node_found node=a role=primary timeline=1\n"
                            "event=node_found node=b role=replica timeline=1\n"
                            "event=node_found node=c role=replica timeline=1\n"
                            "event=node_lost node=a role=primary reason=\"the cable was cut\"\n"
                            "event=node_breaker_opened node=a reason=\"it is still cut\"\n"
                            "event=node_role node=b from=replica role=primary timeline=2\n"
                            "event=failover from=a to=b timeline=2\n"
                            "event=node_breaker_closed node=a\n"
                            "event=node_found node=a role=primary timeline=2\n"
                            "event=failover from=b to=a timeline=2\n"
                            "event=node_read_only node=b\n");
    end();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_happens_to_nodes_is_logged);
    tcase_add_test(cases, nobody_is_chosen_before_he_was_seen);
    tcase_add_test(cases, reads_go_to_replicas_and_writes_to_the_primary);
    tcase_add_test(cases, who_has_not_replayed_enough_is_passed_over);
    tcase_add_test(cases, a_limit_of_lag_keeps_the_late_ones_away);
    tcase_add_test(cases, lag_is_known_without_the_primary);
    tcase_add_test(cases, how_far_behind_counts_from_the_primarys_word);
    tcase_add_test(cases, weight_and_zone_and_speed_draw_reads);
    tcase_add_test(cases, the_primary_takes_so_many_reads_and_no_more);
    tcase_add_test(cases, who_failed_is_left_until_he_answers);
    tcase_add_test(cases, a_promoted_replica_is_the_primary);
    tcase_add_test(cases, a_deposed_primary_is_never_used_again);
    tcase_add_test(cases, a_refused_write_has_the_primary_found_anew);
    tcase_add_test(cases, another_database_is_not_ours);
}

UNIT_MAIN("route/router", fill, 30)
