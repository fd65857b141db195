#include "base/proving.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"

/* The environment is read once a process: each of these is one. */
static int in_child(const char *drop, const char *steps, int (*act)(void), char *said, size_t size)
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        drop ? setenv("SHOPDATA_DROP", drop, 1) : unsetenv("SHOPDATA_DROP");
        steps ? setenv("SHOPDATA_STEPS", steps, 1) : unsetenv("SHOPDATA_STEPS");
        _exit(act());
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t more; length + 1 < size && (more = read(ends[0], said + length, size - 1 - length)) > 0;)
        length += (size_t)more;
    said[length] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int count_rules(void)
{
    int in_force = 0;
    for (int i = 0; i < SDI_RULE_COUNT; i++)
        in_force += sdi_rule((enum sdi_rule)i);
    return in_force;
}

static int rule_is_in_force(void)
{
    return sdi_rule(SDI_RULE_replayed);
}

static int slept_tens_of_ms(void)
{
    int64_t begin = sdi_now();
    for (int i = 0; i < 100; i++)
        sdi_step(SDI_STEP_ask);
    return (int)((sdi_now() - begin) / 10000);
}

static int steps_survived(void)
{
    for (int i = 0; i < 1000; i++)
        sdi_step(SDI_STEP_ask);
    return 1;
}

START_TEST(a_rule_is_in_force_unless_it_is_dropped)
{
    char said[4096];
    ck_assert_int_eq(in_child(NULL, NULL, count_rules, said, sizeof said), SDI_RULE_COUNT);
    ck_assert_int_eq(in_child("", "", count_rules, said, sizeof said), SDI_RULE_COUNT);
    ck_assert_int_eq(in_child("replayed", "", count_rules, said, sizeof said), SDI_RULE_COUNT - 1);
    ck_assert_int_eq(in_child("replayed", "", rule_is_in_force, said, sizeof said), 0);
}
END_TEST

START_TEST(a_step_does_nothing_unless_told)
{
    char said[4096];
    ck_assert_int_eq(in_child(NULL, NULL, steps_survived, said, sizeof said), 1);
    ck_assert_int_eq(in_child(NULL, "kill=100%,only=store+drain", steps_survived, said, sizeof said), 1);
    ck_assert_int_eq(in_child(NULL, "kill=0%,delay=0%:60000ms", steps_survived, said, sizeof said), 1);
}
END_TEST

START_TEST(a_step_sleeps_and_dies_as_often_as_told)
{
    char said[4096];
    ck_assert_int_ge(in_child(NULL, "delay=100%:1.5ms,only=ask,seed=7", slept_tens_of_ms, said, sizeof said), 15);
    ck_assert_int_ge(in_child(NULL, "delay=50%:2ms,seed=7", slept_tens_of_ms, said, sizeof said), 4);
    ck_assert_int_eq(in_child(NULL, "kill=100%", steps_survived, said, sizeof said), -SIGKILL);
    ck_assert_int_eq(in_child(NULL, "only=store+ask,kill=5%", steps_survived, said, sizeof said), -SIGKILL);
}
END_TEST

START_TEST(what_is_wrong_is_told_and_ends_the_process)
{
    static const struct {
        const char *drop, *steps, *said;
    } cases[] = {
        {"nonsense", "", "SHOPDATA_DROP: there is no `nonsense`; there are replayed, "},
        {"replaye", "", "SHOPDATA_DROP: there is no `replaye`;"},
        {"", "only=ask+nonsense", "SHOPDATA_STEPS: only: there is no `nonsense`; there are looked, "},
        {"", "pause=1", "SHOPDATA_STEPS: there is no `pause`; there are delay=5%:3ms, "},
        {"", "delay=5%", "SHOPDATA_STEPS: `` is no number from 0 to 60000ms"},
        {"", "delay=5%:3", "SHOPDATA_STEPS: `3` is no number from 0 to 60000ms"},
        {"", "kill=101%", "SHOPDATA_STEPS: `101%` is no number from 0 to 100%"},
        {"", "kill=-1%", "SHOPDATA_STEPS: `-1%` is no number"},
        {"", "kill=nan%", "SHOPDATA_STEPS: `nan%` is no number"},
        {"", "seed=x", "SHOPDATA_STEPS: `x` is no number"},
        {"", "seed=00000000000000000000000000000000000000000007", "SHOPDATA_STEPS: `0000"},
    };
    char said[4096];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(in_child(cases[i].drop, cases[i].steps, count_rules, said, sizeof said), -SIGABRT);
        ck_assert_msg(!strncmp(said, cases[i].said, strlen(cases[i].said)), "case %zu: %s", i, said);
        ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
    }
}
END_TEST

/* Each rule's own steps and load are of words that are known. */
START_TEST(the_list_of_rules_can_be_read)
{
    static const char *const names[] = {
#define NAME(name, ...) #name,
        SDI_RULES(NAME)
#undef NAME
    };
    char said[4096];
    for (size_t i = 0; i < SDI_RULE_COUNT; i++) {
        ck_assert_int_eq(in_child(names[i], NULL, count_rules, said, sizeof said), SDI_RULE_COUNT - 1);
        ck_assert_str_eq(said, "");
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_rule_is_in_force_unless_it_is_dropped);
    tcase_add_test(cases, a_step_does_nothing_unless_told);
    tcase_add_test(cases, a_step_sleeps_and_dies_as_often_as_told);
    tcase_add_test(cases, what_is_wrong_is_told_and_ends_the_process);
    tcase_add_test(cases, the_list_of_rules_can_be_read);
}

UNIT_MAIN("base/proving", fill, 60)
