/* unit.h - a Check program in one line: UNIT_MAIN(suite_function). */
#ifndef SDI_TESTS_UNIT_H
#define SDI_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* UNIT_MAIN defines main for a program whose cases are added by `void fill(TCase *)`; `seconds` limits each case. */
#define UNIT_MAIN(name, fill, seconds)                                                                                 \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        Suite *suite = suite_create(name);                                                                             \
        TCase *cases = tcase_create(name);                                                                             \
        tcase_set_timeout(cases, seconds);                                                                             \
        fill(cases);                                                                                                   \
        suite_add_tcase(suite, cases);                                                                                 \
        SRunner *runner = srunner_create(suite);                                                                       \
        srunner_run_all(runner, CK_NORMAL);                                                                            \
        int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);                                  \
        srunner_free(runner);                                                                                          \
        return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;                                                           \
    }

#endif
