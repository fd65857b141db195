/* unit.h - a Check program in one line: UNIT_MAIN(suite_function). Besides, Check tells of a test when all have run: so
 * one that is ended from outside, or takes longer than it may, says which it is, and what fails says so at once. */
#ifndef SDI_TESTS_UNIT_H
#define SDI_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* What a busy machine may add to a wait that ends by itself. One that overlooks its end would go on until the test is
 * ended. */
enum { UNIT_BUSY_MS = 8000 };

typedef void unit_fill(TCase *cases);

/* unit_run runs a suite whose cases are filled by these, and gives the program's status; `seconds` limits each test, as
 * many times over as CK_TIMEOUT_MULTIPLIER says. */
int unit_run(const char *name, int seconds, unit_fill *const *fills, size_t count);

/* unit_begin notes which test runs. unit_fail tells of a failure, and ends the test; in another thread than the test's,
 * from which Check cannot jump back where it has not forked, the program. */
void unit_begin(const char *test, int number);
void unit_fail(const char *file, int line, const char *expression, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

#undef START_TEST
#define START_TEST(name)                                                                                               \
    static void name##_body(int _i);                                                                                   \
    static void name##_fn(int _i)                                                                                      \
    {                                                                                                                  \
        unit_begin(#name, _i);                                                                                         \
        name##_body(_i);                                                                                               \
    }                                                                                                                  \
    static const TTest name##_ttest = {#name, name##_fn, __FILE__, __LINE__};                                          \
    static const TTest *name = &name##_ttest;                                                                          \
    static void name##_body(int _i __attribute__((unused)))

#define _ck_assert_failed unit_fail

/* UNIT_MAIN defines main for a program whose tests are added by `void fill(TCase *)`; `seconds` limits each test. */
#define UNIT_MAIN(name, fill, seconds)                                                                                 \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return unit_run(name, seconds, (unit_fill *const[]){fill}, 1);                                                 \
    }

#endif
