#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/random.h"
#include "cache/memcached/roster.h"

/* Times are in tenths of an interval from here on. */
enum { INTERVAL_MS = 1000, TENTH_US = 100000 };

static sdi_memcached_roster roster;
static sdi_cache told; /* of the breakers */

static int64_t at(int64_t tenths)
{
    return INT64_C(1000000000) + tenths * TENTH_US;
}

static sdi_memcached_ring *ring_of(uint64_t number)
{
    static const sdi_address address = {.host = "127.0.0.1", .port = 1};
    static const sdi_cache_settings settings = {.connections = 1, .breaker_failures = 1};
    char prefix[24];
    snprintf(prefix, sizeof prefix, "%d:", (int)number);
    sdi_memcached_ring *ring = sdi_memcached_ring_new(&settings, &address, 1, prefix, &told);
    ck_assert_ptr_nonnull(ring);
    return ring;
}

static void see_in(sdi_memcached_roster *seeing, uint64_t number, int64_t tenths)
{
    bool known = sdi_memcached_roster_knows(seeing, number);
    sdi_memcached_roster_see(seeing, number, known ? NULL : ring_of(number), at(tenths), at(tenths));
}

static void see(uint64_t number, int64_t tenths)
{
    see_in(&roster, number, tenths);
}

static void set_up(void)
{
    told.metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    sdi_memcached_roster_init(&roster, INTERVAL_MS);
}

static void tear_down(void)
{
    sdi_memcached_roster_free(&roster);
    sdi_metrics_free(told.metrics);
}

/* "1 2": version 1 is read, both are written; "" if the cache is not used. */
static void check_selection(int64_t tenths, const char *expected)
{
    char found[80] = "";
    sdi_memcached_selection selection = sdi_memcached_roster_select(&roster, at(tenths));
    for (size_t i = 0; i < selection.count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.*s", i ? " " : "",
                 (int)strlen(selection.rings[i]->prefix) - 1, selection.rings[i]->prefix);
    ck_assert_msg(strcmp(found, expected) == 0, "at %d: %s, not %s", (int)tenths, found, expected);
    sdi_memcached_roster_return(&roster, &selection);
}

/* Keeps the lease. */
static void confirm_until(uint64_t number, int64_t from, int64_t to)
{
    for (int64_t tenths = from; tenths <= to; tenths += 10)
        see(number, tenths);
}

START_TEST(a_fixed_list_is_used_for_ever)
{
    sdi_memcached_roster_free(&roster);
    sdi_memcached_roster_init(&roster, 0);
    sdi_memcached_roster_fix(&roster, ring_of(7));
    check_selection(0, "7");
    check_selection(1000000, "7");
}
END_TEST

START_TEST(who_starts_waits_for_a_mark)
{
    check_selection(0, "");
    see(5, 0);
    ck_assert(sdi_memcached_roster_waits(&roster, at(1)));
    ck_assert(!sdi_memcached_roster_settled(&roster, at(1)));
    check_selection(1, "");
    sdi_memcached_roster_marked(&roster, 4);
    check_selection(1, "");
    sdi_memcached_roster_marked(&roster, 5);
    check_selection(1, "5");
    ck_assert(sdi_memcached_roster_settled(&roster, at(1)));
}
END_TEST

START_TEST(without_a_mark_he_waits_six_intervals)
{
    confirm_until(5, 0, 50);
    check_selection(59, "");
    see(5, 60);
    check_selection(60, "5");
}
END_TEST

static void settle(uint64_t number)
{
    see(number, 0);
    sdi_memcached_roster_marked(&roster, number);
    check_selection(0, "1");
}

START_TEST(a_lease_ends_and_is_taken_again)
{
    settle(1);
    check_selection(19, "1");
    check_selection(20, "");
    see(1, 50); /* versions grow: it has been this one all the time */
    check_selection(50, "1");
    sdi_memcached_selection selection = sdi_memcached_roster_select(&roster, at(60));
    ck_assert_int_eq(selection.expiry, at(70));
    sdi_memcached_roster_return(&roster, &selection);
}
END_TEST

START_TEST(the_next_version_comes_in_three_steps)
{
    settle(1);
    see(2, 10);
    check_selection(10, "1 2");
    confirm_until(2, 20, 30);
    check_selection(39, "1 2");
    see(2, 40);
    check_selection(40, "2 1");
    confirm_until(2, 50, 60);
    ck_assert(!sdi_memcached_roster_settled(&roster, at(69)));
    check_selection(69, "2 1");
    see(2, 70);
    check_selection(70, "2");
    ck_assert(sdi_memcached_roster_settled(&roster, at(70)));
}
END_TEST

START_TEST(versions_may_follow_each_other_closely)
{
    settle(1);
    see(2, 10);
    see(3, 20);
    check_selection(20, "1 2 3");
    confirm_until(3, 30, 40);
    check_selection(40, "2 1 3");
    see(3, 50);
    check_selection(50, "3 1 2");
    confirm_until(3, 60, 70);
    check_selection(70, "3 2");
    see(3, 80);
    check_selection(80, "3");
}
END_TEST

START_TEST(an_older_version_confirms_nothing)
{
    settle(1);
    see(2, 10);
    see(1, 20);
    see(1, 29);
    check_selection(29, "1 2");
    check_selection(30, "");
}
END_TEST

START_TEST(who_missed_something_starts_anew)
{
    settle(1);
    see(3, 10); /* others may have read by version 2 */
    check_selection(10, "");
    sdi_memcached_roster_marked(&roster, 3);
    check_selection(11, "3");
    see(4, 40); /* the lease was lost: others may have come to the end of it */
    check_selection(40, "");
    see(5, 41);
    check_selection(41, "");
}
END_TEST

START_TEST(too_many_versions_at_once_start_anew)
{
    settle(1);
    for (uint64_t number = 2; number <= SDI_MEMCACHED_RINGS_MAX; number++)
        see(number, (int64_t)number);
    check_selection(5, "1 2 3 4");
    see(5, 5);
    check_selection(5, "");
}
END_TEST

START_TEST(a_ring_lives_until_the_last_run_on_it_ends)
{
    settle(1);
    sdi_memcached_selection running = sdi_memcached_roster_select(&roster, at(0));
    see(3, 10);
    ck_assert_str_eq(running.rings[0]->prefix, "1:"); /* the address sanitizer looks on */
    sdi_memcached_roster_return(&roster, &running);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ many processes */

enum { PROCESSES = 6, ROUNDS = 300, STEPS = 400 };

typedef struct process {
    sdi_memcached_roster roster;
    int64_t next;
    sdi_memcached_selection now;
} process;

static bool writes(const process *writer, const char *prefix)
{
    for (size_t i = 0; i < writer->now.count; i++)
        if (strcmp(writer->now.rings[i]->prefix, prefix) == 0)
            return true;
    return false;
}

/* What safety is: whoever writes at all writes to every ring that anybody reads. */
static void check_all(const process *processes)
{
    for (size_t r = 0; r < PROCESSES; r++)
        for (size_t w = 0; w < PROCESSES; w++)
            if (processes[r].now.count && processes[w].now.count)
                ck_assert_msg(writes(&processes[w], processes[r].now.rings[0]->prefix), "%s is read, not written",
                              processes[r].now.rings[0]->prefix);
}

/* The endpoint's list changes now and then; its answers lag up to an interval; processes ask when it suits them, are
 * away for a while, and start anew. */
static void simulate(void)
{
    process processes[PROCESSES];
    uint64_t version = 1, older = 1, marked = 0;
    int64_t changed = 0;
    for (size_t i = 0; i < PROCESSES; i++) {
        sdi_memcached_roster_init(&processes[i].roster, INTERVAL_MS);
        processes[i].next = 0;
    }
    for (int64_t step = 0; step < STEPS; step++) {
        if (sdi_random_below(60) == 0 && step - changed > 1) {
            older = version;
            version += 1 + (sdi_random_below(5) == 0);
            changed = step;
        }
        for (size_t i = 0; i < PROCESSES; i++) {
            process *p = &processes[i];
            if (sdi_random_below(400) == 0) {
                sdi_memcached_roster_free(&p->roster);
                sdi_memcached_roster_init(&p->roster, INTERVAL_MS);
                p->next = step;
            }
            if (step >= p->next) {
                bool behind = step - changed < 10 && sdi_random_below(2) == 0;
                see_in(&p->roster, behind ? older : version, step);
                p->next = step + (sdi_random_below(12) ? 10 : (int64_t)sdi_random_below(80));
                if (marked == version && !behind)
                    sdi_memcached_roster_marked(&p->roster, marked);
                else if (sdi_memcached_roster_settled(&p->roster, at(step)) && !behind)
                    marked = version;
            }
            p->now = sdi_memcached_roster_select(&p->roster, at(step));
        }
        check_all(processes);
        for (size_t i = 0; i < PROCESSES; i++)
            sdi_memcached_roster_return(&processes[i].roster, &processes[i].now);
    }
    for (size_t i = 0; i < PROCESSES; i++)
        sdi_memcached_roster_free(&processes[i].roster);
}

START_TEST(of_many_processes_none_reads_where_another_does_not_write)
{
    for (int i = 0; i < ROUNDS; i++)
        simulate();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_fixed_list_is_used_for_ever);
    tcase_add_test(cases, who_starts_waits_for_a_mark);
    tcase_add_test(cases, without_a_mark_he_waits_six_intervals);
    tcase_add_test(cases, a_lease_ends_and_is_taken_again);
    tcase_add_test(cases, the_next_version_comes_in_three_steps);
    tcase_add_test(cases, versions_may_follow_each_other_closely);
    tcase_add_test(cases, an_older_version_confirms_nothing);
    tcase_add_test(cases, who_missed_something_starts_anew);
    tcase_add_test(cases, too_many_versions_at_once_start_anew);
    tcase_add_test(cases, a_ring_lives_until_the_last_run_on_it_ends);
    tcase_add_test(cases, of_many_processes_none_reads_where_another_does_not_write);
}

UNIT_MAIN("cache/memcached_roster", fill, 60)
