/* The checker's judge sees what it is there to see: histories made up, each with its fault or without. */
#include <check.h>
#include <stdlib.h>

#include "deeds.h"
#include "judge.h"
#include "rows.h"
#include "shared.h"

enum { ITEM = 7 };

static bounds limits(int64_t acknowledged, int64_t own, int64_t seen, int64_t attempted)
{
    return (bounds){acknowledged, own, seen, attempted};
}

static enum verdict shows(bounds b, size_t row, int64_t version)
{
    return judge_present(&b, &(sighting){row, version, true});
}

START_TEST(an_answer_between_its_bounds_is_fine)
{
    ck_assert_int_eq(shows(limits(5, 0, 0, 5), ITEM, 5), FINE);
    ck_assert_int_eq(shows(limits(5, 4, 3, 9), ITEM, 9), FINE);
    ck_assert_int_eq(shows(limits(0, 0, 0, 9), ITEM, 1), FINE); /* nothing is promised */
}
END_TEST

START_TEST(an_old_row_is_found)
{
    ck_assert_int_eq(shows(limits(5, 0, 0, 5), ITEM, 4), STALE);
    ck_assert_int_eq(shows(limits(5, 5, 5, 5), ITEM, 4), OWN_LOST);
    ck_assert_int_eq(shows(limits(0, 5, 5, 5), ITEM, 4), OWN_LOST); /* also where others' writes are exempt */
    ck_assert_int_eq(shows(limits(3, 2, 5, 5), ITEM, 4), WENT_BACK);
}
END_TEST

START_TEST(an_invented_row_is_found)
{
    ck_assert_int_eq(shows(limits(5, 0, 0, 6), ITEM, 7), INVENTED);
    ck_assert_int_eq(shows(limits(1, 0, 0, 6), FIRST_COMER, 2), INVENTED); /* it is away in even versions */
    ck_assert_int_eq(judge_present(&(bounds){5, 0, 0, 6}, &(sighting){ITEM, 5, false}), DAMAGED);
}
END_TEST

START_TEST(an_absence_is_held_against_deletions)
{
    bounds deleted = limits(4, 0, 0, 4), inserted = limits(5, 0, 0, 5), going = limits(5, 0, 0, 6);
    bounds own = limits(0, 5, 0, 5), seen = limits(0, 0, 5, 5);
    ck_assert_int_eq(judge_absent(&deleted, FIRST_COMER), FINE);
    ck_assert_int_eq(judge_absent(&inserted, FIRST_COMER), STALE);
    ck_assert_int_eq(judge_absent(&going, FIRST_COMER), FINE); /* somebody is deleting it */
    ck_assert_int_eq(judge_absent(&own, FIRST_COMER), OWN_LOST);
    ck_assert_int_eq(judge_absent(&seen, FIRST_COMER), WENT_BACK);
    ck_assert_int_eq(judge_absent(&deleted, ITEM), MISSING);
    ck_assert_int_eq(shows(deleted, FIRST_COMER, 3), STALE);
}
END_TEST

START_TEST(a_sum_is_held_against_sums)
{
    const bounds both[] = {limits(5, 0, 0, 6), limits(3, 2, 0, 3)};
    ck_assert_int_eq(judge_sum(both, 2, 8), FINE);
    ck_assert_int_eq(judge_sum(both, 2, 9), FINE);
    ck_assert_int_eq(judge_sum(both, 2, 7), STALE);
    ck_assert_int_eq(judge_sum(both, 2, 1), OWN_LOST);
    ck_assert_int_eq(judge_sum(both, 2, 10), INVENTED);
}
END_TEST

START_TEST(an_answer_has_its_rows_and_no_others)
{
    size_t row, rows[] = {ITEM, ITEM + 1};
    const bounds both[] = {limits(2, 0, 0, 3), limits(2, 0, 0, 3)};
    const sighting good[] = {{ITEM + 1, 3, true}, {ITEM, 2, true}};
    const sighting foreign[] = {{ITEM, 2, true}, {ITEM + 2, 2, true}};
    const sighting twice[] = {{ITEM, 2, true}, {ITEM, 2, true}};
    ck_assert_int_eq(judge_answer(rows, both, 2, false, good, 2, &row), FINE);
    ck_assert_int_eq(judge_answer(rows, both, 2, true, good, 2, &row), TORN);
    ck_assert_int_eq(judge_answer(rows, both, 2, false, foreign, 2, &row), INVENTED);
    ck_assert_int_eq(judge_answer(rows, both, 2, false, twice, 2, &row), INVENTED);
    ck_assert_int_eq(judge_answer(rows, both, 2, false, good, 1, &row), MISSING);
    ck_assert_uint_eq(row, ITEM);
}
END_TEST

START_TEST(the_second_row_counts_as_much_as_the_first)
{
    size_t row, rows[] = {ITEM, ITEM + 1};
    const bounds both[] = {limits(2, 0, 0, 3), limits(3, 0, 0, 3)};
    const sighting seen[] = {{ITEM, 2, true}, {ITEM + 1, 2, true}};
    ck_assert_int_eq(judge_answer(rows, both, 2, false, seen, 2, &row), STALE);
    ck_assert_uint_eq(row, ITEM + 1);
}
END_TEST

START_TEST(a_payload_is_of_one_row_and_one_version)
{
    char payload[256];
    size_t length = row_payload(ITEM, 3, payload);
    ck_assert(row_intact(ITEM, 3, payload, length));
    ck_assert(!row_intact(ITEM, 4, payload, length));
    ck_assert(!row_intact(ITEM + 1, 3, payload, length));
    ck_assert(!row_intact(ITEM, 3, payload, length - 1));
    payload[length - 1] = 'y';
    ck_assert(!row_intact(ITEM, 3, payload, length));
}
END_TEST

START_TEST(every_statement_is_of_rows_that_there_are)
{
    size_t rows[SIGHTINGS_MAX];
    for (size_t a = 0; a < ASKS; a++)
        for (size_t n = 0; n < asks[a].choices; n++)
            for (size_t i = 0, count = ask_rows((enum ask)a, n, rows); i < count; i++)
                ck_assert_uint_lt(rows[i], ROWS);
    for (size_t d = 0; d < DEEDS; d++)
        for (size_t n = 0; n < deeds[d].choices; n++)
            for (size_t i = 0, count = deed_rows((enum deed)d, n, rows); i < count; i++)
                ck_assert_uint_lt(rows[i], ROWS);
}
END_TEST

START_TEST(a_row_is_asked_for_by_a_statement_that_shows_it)
{
    size_t n, rows[SIGHTINGS_MAX];
    for (size_t row = 0; row < ROWS; row++) {
        bool shown = false;
        enum ask ask = ask_about(row, &n);
        ck_assert_uint_lt(n, asks[ask].choices);
        for (size_t i = 0, count = ask_rows(ask, n, rows); i < count; i++)
            shown = shown || rows[i] == row;
        ck_assert(shown);
    }
}
END_TEST

START_TEST(what_was_acknowledged_by_a_moment_is_never_too_much)
{
    shared *all = calloc(1, sizeof *all);
    int64_t before, between, behind;
    before = shared_moment(all);
    shared_acknowledge(all, ITEM, 4);
    between = shared_moment(all) + 1;
    while (shared_moment(all) <= between)
        ;
    shared_acknowledge(all, ITEM, 6);
    shared_acknowledge(all, ITEM, 5); /* returned later, though it came first */
    behind = shared_moment(all) + 1;
    ck_assert_int_eq(shared_acknowledged(all, ITEM, before), row_first_version(ITEM));
    ck_assert_int_eq(shared_acknowledged(all, ITEM, between), 4);
    ck_assert_int_eq(shared_acknowledged(all, ITEM, behind), 6);
    ck_assert_int_eq(atomic_load(&all->rows[ITEM].acknowledged), 6);
    for (int64_t version = 7; version < 7 + ACKNOWLEDGED; version++)
        shared_acknowledge(all, ITEM, version);
    ck_assert_int_eq(shared_acknowledged(all, ITEM, before), row_first_version(ITEM)); /* it is known no more */
    ck_assert_int_eq(shared_acknowledged(all, ITEM, shared_moment(all) + 1), 6 + ACKNOWLEDGED);
    free(all);
}
END_TEST

START_TEST(a_bound_only_grows)
{
    _Atomic int64_t value = 5;
    raise_to(&value, 3);
    ck_assert_int_eq(value, 5);
    raise_to(&value, 8);
    ck_assert_int_eq(value, 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("judge");
    TCase *cases = tcase_create("judge");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, an_answer_between_its_bounds_is_fine);
    tcase_add_test(cases, an_old_row_is_found);
    tcase_add_test(cases, an_invented_row_is_found);
    tcase_add_test(cases, an_absence_is_held_against_deletions);
    tcase_add_test(cases, a_sum_is_held_against_sums);
    tcase_add_test(cases, an_answer_has_its_rows_and_no_others);
    tcase_add_test(cases, the_second_row_counts_as_much_as_the_first);
    tcase_add_test(cases, a_payload_is_of_one_row_and_one_version);
    tcase_add_test(cases, every_statement_is_of_rows_that_there_are);
    tcase_add_test(cases, a_row_is_asked_for_by_a_statement_that_shows_it);
    tcase_add_test(cases, what_was_acknowledged_by_a_moment_is_never_too_much);
    tcase_add_test(cases, a_bound_only_grows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
