#include <float.h>
#include <math.h>
#include <string.h>

#include "../unit.h"
#include "base/error.h"
#include "base/slice.h"
#include "model/param.h"

START_TEST(text_is_what_postgresql_reads)
{
    const struct {
        shopdata_param param;
        const char *text;
    } expected[] = {
        {shopdata_int64(INT64_MIN), "-9223372036854775808"},
        {shopdata_bool(7), "t"},
        {shopdata_double(0.1), "0.1"},
        {shopdata_double(-2), "-2"},
        {shopdata_double(0.1 + 0.2), "0.30000000000000004"},
        {shopdata_double(1e23), "1e+23"},
        {shopdata_double(DBL_MAX), "1.7976931348623157e+308"},
        {shopdata_double(5e-324), "4.94065645841247e-324"},
        {shopdata_double(-INFINITY), "-Infinity"},
        {shopdata_double(NAN), "NaN"},
        {shopdata_text("boots"), "boots"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sdi_buffer text = SDI_BUFFER_INIT;
        sdi_param_text(&expected[i].param, &text);
        ck_assert_str_eq(text.data, expected[i].text);
        sdi_buffer_free(&text);
    }
}
END_TEST

static int same_identity(const shopdata_param *a, size_t a_count, const shopdata_param *b, size_t b_count)
{
    sdi_buffer first = SDI_BUFFER_INIT, second = SDI_BUFFER_INIT;
    sdi_params_identity(a, a_count, &first);
    sdi_params_identity(b, b_count, &second);
    int same = sdi_slice_equal((sdi_slice){first.data, first.length}, (sdi_slice){second.data, second.length});
    sdi_buffer_free(&first);
    sdi_buffer_free(&second);
    return same;
}

START_TEST(identity_is_equal_exactly_where_the_meaning_is)
{
    shopdata_param number = shopdata_int64(42), text = shopdata_text("42"), bytes = shopdata_bytes("42", 2);
    shopdata_param null = shopdata_null(), empty = shopdata_text("");
    shopdata_param split[2] = {shopdata_text("ab"), shopdata_text("c")},
                   other[2] = {shopdata_text("a"), shopdata_text("bc")};
    ck_assert(same_identity(&number, 1, &text, 1));
    ck_assert(!same_identity(&text, 1, &bytes, 1));
    ck_assert(!same_identity(&null, 1, &empty, 1));
    ck_assert(!same_identity(split, 2, other, 2));
}
END_TEST

START_TEST(faults_name_the_parameter)
{
    shopdata_param params[2] = {shopdata_int64(1), shopdata_text_n("ab\xff", 3)};
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_params_check(params, 2, &error), SHOPDATA_ERR_ARGUMENT);
    ck_assert_str_eq(shopdata_error_message(error),
                     "parameter $2: byte 2 (0xff) is not UTF-8; use shopdata_bytes for what is not text");
    shopdata_error_free(error);
    params[1].kind = 99;
    ck_assert_int_eq(sdi_params_check(params, 2, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_params_check(NULL, 2, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_params_check(NULL, 0, NULL), SHOPDATA_OK);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, text_is_what_postgresql_reads);
    tcase_add_test(cases, identity_is_equal_exactly_where_the_meaning_is);
    tcase_add_test(cases, faults_name_the_parameter);
}

UNIT_MAIN("model/param", fill, 10)
