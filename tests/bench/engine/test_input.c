/* What people write: mixes, phases, traces. Each fault is told in one line that says where and what would be right. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/unit.h"
#include "mix.h"
#include "phase.h"
#include "trace.h"

enum { PATH_TEXT = 64, THREADS = 16 };

/* A file with this text; unlink it. */
static void write_file(char path[PATH_TEXT], const char *text)
{
    snprintf(path, PATH_TEXT, "/tmp/shopload-test-XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

/* Faults of a file begin with its path. */
static void check_fault(const load_fault *fault, const char *path, const char *expected)
{
    ck_assert_msg(strncmp(fault->text, path, strlen(path)) == 0, "%s", fault->text);
    ck_assert_str_eq(fault->text + strlen(path), expected);
}

/* ---- mixes */

static const char *const workloads[] = {"browse", "shop", "order", "point", "mixed", "write", "trace"};

START_TEST(workloads_add_up)
{
    load_mix mix;
    load_fault fault = {""};
    double sum = 0;
    ck_assert_msg(load_mix_read(&mix, workloads[_i], &fault), "%s", fault.text);
    for (int i = 0; i < LOAD_INTERACTIONS; i++)
        sum += mix.percent[i];
    ck_assert_double_eq_tol(sum, 100, 1e-9);
}
END_TEST

/* The specification's classes: how much of it is browsing, and how much ordering. */
START_TEST(mixes_are_the_specifications)
{
    static const double browsing[] = {95, 80, 50};
    load_mix mix;
    load_fault fault;
    double sum = 0;
    ck_assert(load_mix_read(&mix, workloads[_i], &fault));
    for (int i = LOAD_HOME; i <= LOAD_SEARCH_RESULTS; i++)
        sum += mix.percent[i];
    ck_assert_double_eq_tol(sum, browsing[_i], 1e-9);
}
END_TEST

START_TEST(draws_follow_the_mix)
{
    enum { DRAWS = 200000 };
    load_mix mix;
    load_fault fault;
    load_random random = load_random_of(1, 30, 0);
    double seen[LOAD_INTERACTIONS] = {0};
    ck_assert(load_mix_read(&mix, "shop", &fault));
    for (int i = 0; i < DRAWS; i++)
        seen[load_mix_draw(&mix, &random)]++;
    for (int i = 0; i < LOAD_INTERACTIONS; i++) {
        double expected = DRAWS * mix.percent[i] / 100;
        ck_assert_double_le(fabs(seen[i] - expected), 4 * sqrt(expected));
    }
}
END_TEST

START_TEST(a_mix_of_ones_own)
{
    char path[PATH_TEXT];
    load_mix mix;
    load_fault fault = {""};
    write_file(path, "# a shop\n\nhome = 33.33\r\n  product_detail=33.33\nwrite = 33.34");
    ck_assert_msg(load_mix_read(&mix, path, &fault), "%s", fault.text);
    unlink(path);
    ck_assert_double_eq(mix.percent[LOAD_HOME], 33.33);
    ck_assert_double_eq(mix.percent[LOAD_WRITE], 33.34);
    ck_assert_double_eq(mix.up_to[LOAD_WRITE], 1);
}
END_TEST

static const char *const wrong_mixes[][2] = {
    {"home = 50\nproduct_detail = 40\n", ": it adds up to 90 and not to 100"},
    {"", ": it adds up to 0 and not to 100"},
    {"home 50\n", ":1: `home 50`: not NAME = PERCENT, as product_detail = 90"},
    {"home = 50\nhom = 50\n",
     ":2: hom: there is no such interaction; there are home, new_products, best_sellers, product_detail, "
     "search_request, search_results, shopping_cart, customer_registration, buy_request, buy_confirm, order_inquiry, "
     "order_display, admin_request, admin_confirm, point, write"},
    {"# x\nhome = 50\nhome = 50\n", ":3: home: it is there twice"},
    {"home = x\n", ":1: home: `x` is no number from 0 to 100"},
    {"home = 101\n", ":1: home: `101` is no number from 0 to 100"},
    {"home =\n", ":1: home: `` is no number from 0 to 100"},
};

START_TEST(a_wrong_mix_is_told)
{
    char path[PATH_TEXT];
    load_mix mix;
    load_fault fault;
    write_file(path, wrong_mixes[_i][0]);
    bool good = load_mix_read(&mix, path, &fault);
    unlink(path);
    ck_assert(!good);
    check_fault(&fault, path, wrong_mixes[_i][1]);
}
END_TEST

START_TEST(an_unknown_workload_is_told)
{
    load_mix mix;
    load_fault fault;
    ck_assert(!load_mix_read(&mix, "browze", &fault));
    ck_assert_str_eq(fault.text, "workload: there is no `browze`, and no file of that name; there are browse, shop, "
                                 "order, point, mixed, write, trace");
}
END_TEST

/* ---- phases */

static load_phase phase_of(const char *text)
{
    load_phase phase;
    load_fault fault = {""};
    ck_assert_msg(load_phase_read(&phase, text, false, THREADS, &fault), "%s: %s", text, fault.text);
    return phase;
}

START_TEST(phases_are_open_or_closed)
{
    load_phase open = phase_of(" measure seconds=60 rate=100..200  arrivals=constant"),
               closed = phase_of("warmup seconds=1.5");
    ck_assert(open.is_open && open.measured && open.arrivals == LOAD_ARRIVALS_CONSTANT);
    ck_assert_double_eq(load_rate_expected(&open.rate, 60), 9000);
    ck_assert(!closed.is_open && !closed.measured);
    ck_assert_uint_eq(closed.clients, THREADS);
    closed = phase_of("cold seconds=1 clients=3 think_us=7000 think=constant measured=yes");
    ck_assert(closed.measured && closed.think_is_constant);
    ck_assert_uint_eq(closed.clients, 3);
    ck_assert_double_eq(closed.think_us, 7000);
}
END_TEST

static const char *const wrong_phases[][2] = {
    {"", "phase: it wants a name and seconds: phase measure seconds=60 rate=5000"},
    {"measure", "phase: it wants a name and seconds: phase measure seconds=60 rate=5000"},
    {"seconds=5", "phase: `seconds=5` is no name; one stands first: phase measure seconds=60"},
    {"m seconds=x", "seconds: `x` is no number from 0.001 to 31622400"},
    {"m seconds=5 rates=7", "phase: there is no `rates`; there are seconds, rate, arrivals, clients, think_us, think, "
                            "start_unix_s, measured"},
    {"m seconds=5 rate", "rate wants a value: rate=..."},
    {"m seconds=5 rate=7 clients=3",
     "phase: with a rate arrivals do not wait for clients to think: leave out one of them"},
    {"m seconds=5 clients=17", "clients: 17 are more than there are threads, 16"},
    {"m seconds=5 clients=0", "clients: `0` is no whole number from 1 to 18446744073709551615"},
    {"m seconds=5 rate=5 arrivals=even", "arrivals: `even` is neither constant nor poisson"},
    {"m seconds=5 measured=maybe", "measured: `maybe` is neither yes nor no"},
};

START_TEST(a_wrong_phase_is_told)
{
    load_phase phase;
    load_fault fault;
    ck_assert(!load_phase_read(&phase, wrong_phases[_i][0], false, THREADS, &fault));
    ck_assert_str_eq(fault.text, wrong_phases[_i][1]);
}
END_TEST

START_TEST(a_trace_with_times_takes_no_rate)
{
    load_phase phase;
    load_fault fault;
    ck_assert(!load_phase_read(&phase, "m seconds=5 rate=5", true, THREADS, &fault));
    ck_assert_str_eq(fault.text, "phase: --trace-speed says when requests arrive; leave out the rate");
    ck_assert(load_phase_read(&phase, "m seconds=5", true, THREADS, &fault));
    ck_assert(phase.is_open);
}
END_TEST

/* ---- traces */

START_TEST(a_trace_numbers_its_keys)
{
    static const uint32_t expected[] = {0, 1, 0, 2, 1};
    char path[PATH_TEXT];
    load_trace trace;
    load_fault fault = {""};
    write_file(path, "# keys\n900\n-7\n900\n\n134217728000 \r\n-7");
    ck_assert_msg(load_trace_read(&trace, path, &fault), "%s", fault.text);
    unlink(path);
    ck_assert_uint_eq(trace.count, 5);
    ck_assert_uint_eq(trace.distinct, 3);
    ck_assert_ptr_null(trace.times);
    ck_assert_mem_eq(trace.things, expected, sizeof expected);
    load_trace_free(&trace);
}
END_TEST

START_TEST(a_trace_has_times)
{
    char path[PATH_TEXT];
    load_trace trace;
    load_fault fault = {""};
    write_file(path, "100.5 1\n101\t2\n101 1\n");
    ck_assert_msg(load_trace_read(&trace, path, &fault), "%s", fault.text);
    unlink(path);
    ck_assert_double_eq(load_trace_time(&trace, 1), 0.5);
    ck_assert_double_eq(load_trace_span(&trace), 0.75);
    ck_assert_double_eq(load_trace_time(&trace, 4), 1.25);
    load_trace_free(&trace);
}
END_TEST

/* More distinct keys than the table of them has room for at first. */
START_TEST(a_trace_of_many_keys)
{
    char path[PATH_TEXT];
    static char text[100000];
    size_t length = 0;
    load_trace trace;
    load_fault fault = {""};
    for (int i = 0; i < 5000; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%d\n", i * 37 % 9001);
    write_file(path, text);
    ck_assert_msg(load_trace_read(&trace, path, &fault), "%s", fault.text);
    unlink(path);
    ck_assert_uint_eq(trace.count, 5000);
    ck_assert_uint_eq(trace.distinct, 5000);
    for (uint32_t i = 0; i < 5000; i++)
        ck_assert_uint_eq(trace.things[i], i);
    load_trace_free(&trace);
}
END_TEST

#define LINE "; a line is a key, or a time in seconds, a blank, and a key"

static const char *const wrong_traces[][2] = {
    {"", ": there is no access in it"},
    {"# nothing\n", ": there is no access in it"},
    {"1\nx\n", ":2: the key is no whole number" LINE},
    {"1\n99999999999999999999\n", ":2: the key is no whole number" LINE},
    {"1\n1 2\n", ":2: there is a time, or too much" LINE},
    {"1 2\n3\n", ":2: there is no time, as the lines above have" LINE},
    {"1 2\n0.5 2\n", ":2: the time is before that of the line above" LINE},
    {"x 2\n", ":1: the time is no number" LINE},
    {"1 2 3\n", ":1: the key is no whole number" LINE},
};

START_TEST(a_wrong_trace_is_told)
{
    char path[PATH_TEXT];
    load_trace trace;
    load_fault fault;
    write_file(path, wrong_traces[_i][0]);
    bool good = load_trace_read(&trace, path, &fault);
    unlink(path);
    load_trace_free(&trace);
    ck_assert(!good);
    check_fault(&fault, path, wrong_traces[_i][1]);
}
END_TEST

START_TEST(a_trace_that_is_not_there)
{
    load_trace trace;
    load_fault fault;
    ck_assert(!load_trace_read(&trace, "/nowhere/trace", &fault));
    ck_assert_str_eq(fault.text, "/nowhere/trace: cannot be opened: No such file or directory");
    ck_assert(!load_trace_read(&trace, "/", &fault));
    ck_assert_str_eq(fault.text, "/: cannot be read: Is a directory");
    load_trace_free(&trace);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, workloads_add_up, 0, 7);
    tcase_add_loop_test(cases, mixes_are_the_specifications, 0, 3);
    tcase_add_test(cases, draws_follow_the_mix);
    tcase_add_test(cases, a_mix_of_ones_own);
    tcase_add_loop_test(cases, a_wrong_mix_is_told, 0, sizeof wrong_mixes / sizeof *wrong_mixes);
    tcase_add_test(cases, an_unknown_workload_is_told);
    tcase_add_test(cases, phases_are_open_or_closed);
    tcase_add_loop_test(cases, a_wrong_phase_is_told, 0, sizeof wrong_phases / sizeof *wrong_phases);
    tcase_add_test(cases, a_trace_with_times_takes_no_rate);
    tcase_add_test(cases, a_trace_numbers_its_keys);
    tcase_add_test(cases, a_trace_has_times);
    tcase_add_test(cases, a_trace_of_many_keys);
    tcase_add_loop_test(cases, a_wrong_trace_is_told, 0, sizeof wrong_traces / sizeof *wrong_traces);
    tcase_add_test(cases, a_trace_that_is_not_there);
}

UNIT_MAIN("bench/input", fill, 30)
