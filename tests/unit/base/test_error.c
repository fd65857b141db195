#include "../unit.h"
#include "base/error.h"

START_TEST(tells_status_message_and_sqlstate)
{
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_fail_sql(&error, "23505", "duplicate key"), SHOPDATA_ERR_SQL);
    sdi_error_prefix(error, "call %d: ", 3);
    ck_assert_int_eq(shopdata_error_status(error), SHOPDATA_ERR_SQL);
    ck_assert_str_eq(shopdata_error_message(error), "call 3: duplicate key");
    ck_assert_str_eq(shopdata_error_sqlstate(error), "23505");
    ck_assert_int_eq(shopdata_error_is_retriable(error), 0);
    shopdata_error_free(error);
}
END_TEST

START_TEST(a_serialization_failure_is_retriable)
{
    shopdata_error *error = NULL;
    sdi_fail_sql(&error, "40001", "could not serialize access");
    ck_assert_int_eq(shopdata_error_is_retriable(error), 1);
    shopdata_error_free(error);
}
END_TEST

START_TEST(nobody_has_to_want_it)
{
    ck_assert_int_eq(sdi_fail(NULL, SHOPDATA_ERR_BUSY, "no connection"), SHOPDATA_ERR_BUSY);
    ck_assert_int_eq(sdi_no_memory(NULL), SHOPDATA_ERR_NO_MEMORY);
    shopdata_error_free(NULL);
    ck_assert_int_eq(shopdata_error_status(NULL), SHOPDATA_OK);
    ck_assert_str_eq(shopdata_error_message(NULL), "");
}
END_TEST

START_TEST(a_message_is_one_line_of_text_whatever_it_cites)
{
    shopdata_error *error = NULL;
    sdi_fail(&error, SHOPDATA_ERR_REFUSED, "use execute: %.9s", "UPDATE\nm\xc3\xbc SET");
    ck_assert_str_eq(shopdata_error_message(error), "use execute: UPDATE m?");
    shopdata_error_free(error);
    sdi_fail(&error, SHOPDATA_ERR_CONFIG, "a.ini:1: \x7f\xff\na.ini:2: \xc3\xbc");
    ck_assert_str_eq(shopdata_error_message(error), "a.ini:1:  ?\na.ini:2: \xc3\xbc");
    shopdata_error_free(error);
}
END_TEST

START_TEST(out_of_memory_is_one_object_for_ever)
{
    shopdata_error *first = NULL, *second = NULL;
    sdi_no_memory(&first);
    shopdata_error_free(first);
    sdi_no_memory(&second);
    ck_assert_ptr_eq(first, second);
    ck_assert_str_eq(shopdata_error_message(second), "out of memory");
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, tells_status_message_and_sqlstate);
    tcase_add_test(cases, a_serialization_failure_is_retriable);
    tcase_add_test(cases, a_message_is_one_line_of_text_whatever_it_cites);
    tcase_add_test(cases, nobody_has_to_want_it);
    tcase_add_test(cases, out_of_memory_is_one_object_for_ever);
}

UNIT_MAIN("base/error", fill, 10)
