/* Random reads and writes through the library, and every answer compared with what the database says: README.md.
 *
 *   differential [--seconds N | --minutes N] [--seed S] [--cache KIND] [--trials N] [--concurrent yes|no]
 *                [--details yes|no] [--shrink yes|no]
 *
 * 30 seconds, with SHOPDATA_TEST_BRIEF 10. Skipped (77) without servers. Exit code 1 on a difference, and where so
 * little was cached that it proves nothing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "concurrent.h"
#include "play.h"
#include "support/servers.h"

enum { SHRINK_MS = 60000 };

static struct options {
    uint64_t seed;
    int64_t seconds;
    size_t trials;
    const char *cache;
    bool concurrent, details, shrinks;
} options = {.seconds = 30, .trials = SIZE_MAX, .cache = "redis", .concurrent = true, .shrinks = true};

static grammar *statements;

static bool play_one(uint64_t seed, int64_t deadline, census *counts)
{
    trial t = {.seed = seed, .of = statements, .cache = options.cache, .counts = counts};
    difference found;
    bool differs = trial_play(&t, deadline, &found);
    if (differs) {
        difference_print(&t, &found);
        fflush(stdout);
        trial_close(&t);
        if (options.shrinks)
            shrink(&t, &found, sdi_deadline_in(SHRINK_MS));
        difference_free(&found);
    }
    trial_free(&t);
    return differs;
}

/* One writes at a time: an answer must be what the database says at that moment. */
START_TEST(alone)
{
    census counts = {0};
    int64_t deadline = sdi_deadline_in(options.seconds * (options.concurrent ? 750 : 1000));
    for (size_t i = 0; i < options.trials && sdi_now() < deadline; i++)
        ck_assert_msg(!play_one(options.seed + i, deadline, &counts), "a difference, see above; again with --seed %llu",
                      (unsigned long long)(options.seed + i));
    census_print(&counts, options.details);
    bool vacuous = census_is_vacuous(&counts);
    census_free(&counts);
    ck_assert_msg(!vacuous, "the run proves nothing, see above");
}
END_TEST

/* Many write and read at once: when all have stopped, every answer must be what the database says; meanwhile none may
 * be older than a write that had returned. */
START_TEST(together)
{
    int64_t deadline = sdi_deadline_in(options.seconds * 250);
    uint64_t seed = options.seed;
    concurrent_sums sums = {0};
    do {
        ck_assert_msg(concurrent_play(statements, options.cache, seed++, deadline, &sums), "see above");
    } while (sdi_now() < deadline);
    concurrent_print(&sums);
    ck_assert_msg(sums.hits * 10 > sums.reads, "vacuous: under one read in ten was answered by the cache");
}
END_TEST

static void refuse(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "%s %s: %s\n", option, value ? value : "", wanted);
    exit(2);
}

static uint64_t number(const char *option, const char *value)
{
    char *end;
    uint64_t made = value ? strtoull(value, &end, 10) : 0;
    if (!value || !*value || *end)
        refuse(option, value, "must be a whole number");
    return made;
}

static bool yes(const char *option, const char *value)
{
    if (!value || (strcmp(value, "yes") && strcmp(value, "no")))
        refuse(option, value, "must be yes or no");
    return !strcmp(value, "yes");
}

static void take_option(const char *name, const char *value)
{
    if (!strcmp(name, "--seconds"))
        options.seconds = (int64_t)number(name, value);
    else if (!strcmp(name, "--minutes"))
        options.seconds = (int64_t)number(name, value) * 60;
    else if (!strcmp(name, "--seed"))
        options.seed = number(name, value);
    else if (!strcmp(name, "--trials"))
        options.trials = number(name, value);
    else if (!strcmp(name, "--cache") && value)
        options.cache = value;
    else if (!strcmp(name, "--concurrent"))
        options.concurrent = yes(name, value);
    else if (!strcmp(name, "--details"))
        options.details = yes(name, value);
    else if (!strcmp(name, "--shrink"))
        options.shrinks = yes(name, value);
    else
        refuse(name, "", "unknown option; the options stand in tests/differential/README.md");
}

static Suite *suite(void)
{
    Suite *made = suite_create("differential");
    TCase *cases = tcase_create("differential");
    tcase_add_test(cases, alone);
    if (options.concurrent)
        tcase_add_test(cases, together);
    suite_add_tcase(made, cases);
    return made;
}

int main(int argc, char **argv)
{
    options.seed = sdi_nonce() % 1000000000;
    if (getenv("SHOPDATA_TEST_BRIEF"))
        options.seconds = 10;
    for (int i = 1; i < argc; i += 2)
        take_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL);
    servers_required();
    statements = grammar_read(SHOPDATA_DIFFERENTIAL, (const char *const[]){"reads", "writes", "values", NULL});
    printf("seed %llu, cache %s\n", (unsigned long long)options.seed, options.cache);
    fflush(stdout);
    SRunner *runner = srunner_create(suite());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    grammar_free(statements);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
