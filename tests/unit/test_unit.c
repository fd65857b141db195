/* The tests of the tests: who is killed, stuck or wrong says which test it is. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(waits_for_ever)
{
    for (;;)
        pause();
}
END_TEST

START_TEST(is_killed)
{
    kill(getpid(), SIGTERM);
}
END_TEST

static void *compare(void *unused)
{
    ck_assert_msg(unused, "it is %d", 42);
    return NULL;
}

START_TEST(fails_in_a_thread)
{
    pthread_t thread;
    pthread_create(&thread, NULL, compare, NULL);
    pthread_join(thread, NULL);
}
END_TEST

static const TTest *chosen;
static int chosen_number;

static void fill_chosen(TCase *cases)
{
    tcase_add_loop_test(cases, chosen, chosen_number, chosen_number + 1);
}

static void check_words(int said, const char *wanted)
{
    char text[4096] = "";
    ssize_t got;
    for (size_t length = 0; (got = read(said, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)got;
    close(said);
    ck_assert_msg(strstr(text, wanted), "\"%s\" lacks \"%s\"", text, wanted);
}

/* Runs the test in a child of its own; gives how that ended, and checks what it said. */
static int run(const TTest *test, int number, const char *wanted)
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        chosen = test;
        chosen_number = number;
        _exit(unit_run("inner", 1, (unit_fill *const[]){fill_chosen}, 1));
    }
    close(ends[1]);
    check_words(ends[0], wanted);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(who_waits_for_ever_is_named)
{
    int status = run(waits_for_ever, 3, "waits_for_ever, 3: not done after 1 s");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}
END_TEST

START_TEST(who_is_killed_is_named)
{
    int status = run(is_killed, 0, "is_killed, 0: ended from outside");
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

START_TEST(what_fails_in_a_thread_ends_the_program)
{
    int status = run(fails_in_a_thread, 1, "it is 42");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, who_waits_for_ever_is_named);
    tcase_add_test(cases, who_is_killed_is_named);
    tcase_add_test(cases, what_fails_in_a_thread_ends_the_program);
}

UNIT_MAIN("unit", fill, 60)
