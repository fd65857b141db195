#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#undef _ck_assert_failed

static bool forks;
static unsigned limit; /* of a test, in seconds; 0: Check sees to it */
static pthread_t runner;
static char running[160], too_long[240], ended[240];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(EXIT_FAILURE);
}

static void tell_too_long(int number)
{
    (void)number;
    say(too_long);
    _exit(EXIT_FAILURE);
}

static void tell_ended(int number)
{
    say(ended);
    signal(number, SIG_DFL);
    raise(number);
}

void unit_begin(const char *test, int number)
{
    snprintf(running, sizeof running, "%s, %d", test, number);
    snprintf(too_long, sizeof too_long, "%s: not done after %u s\n", running, limit);
    snprintf(ended, sizeof ended, "%s: ended from outside\n", running);
    runner = pthread_self();
    if (forks)
        return;
    signal(SIGTERM, tell_ended);
    signal(SIGALRM, tell_too_long);
    alarm(limit);
}

void unit_fail(const char *file, int line, const char *expression, const char *format, ...)
{
    char why[4096];
    va_list arguments;
    va_start(arguments, format);
    if (format)
        vsnprintf(why, sizeof why, format, arguments);
    else
        snprintf(why, sizeof why, "%s", expression);
    va_end(arguments);
    fprintf(stderr, "%s: %s:%d: %s\n", running, file, line, why);
    if (!forks && !pthread_equal(runner, pthread_self()))
        _exit(EXIT_FAILURE);
    _ck_assert_failed(file, line, expression, "%s", why);
}

static unsigned times_over(void)
{
    const char *times = getenv("CK_TIMEOUT_MULTIPLIER");
    return times && strtoul(times, NULL, 10) ? (unsigned)strtoul(times, NULL, 10) : 1;
}

int unit_run(const char *name, int seconds, unit_fill *const *fills, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *cases = tcase_create(name);
        tcase_set_timeout(cases, seconds);
        fills[i](cases);
        suite_add_tcase(suite, cases);
    }
    SRunner *tests = srunner_create(suite);
    forks = srunner_fork_status(tests) == CK_FORK;
    limit = (unsigned)seconds * times_over();
    srunner_run_all(tests, CK_NORMAL);
    alarm(0);
    int failed = srunner_ntests_failed(tests), ran = srunner_ntests_run(tests);
    srunner_free(tests);
    return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}
