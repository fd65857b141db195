/* unit.h - a Check program in one line: UNIT_MAIN(suite_function). */
#ifndef SDI_TESTS_UNIT_H
#define SDI_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

typedef void unit_fill(TCase *cases);

/* unit_run runs a suite whose cases are filled by these, and gives the program's status; `seconds` limits each test. */
static inline int unit_run(const char *name, int seconds, unit_fill *const *fills, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *cases = tcase_create(name);
        tcase_set_timeout(cases, seconds);
        fills[i](cases);
        suite_add_tcase(suite, cases);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* UNIT_MAIN defines main for a program whose tests are added by `void fill(TCase *)`; `seconds` limits each test. */
#define UNIT_MAIN(name, fill, seconds)                                                                                 \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return unit_run(name, seconds, (unit_fill *const[]){fill}, 1);                                                 \
    }

#endif
