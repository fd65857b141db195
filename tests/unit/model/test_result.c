#include <string.h>

#include "../unit.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/result.h"

static shopdata_result *sample(void)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "id", 23);
    sdi_result_column(&builder, "name", 25);
    sdi_result_cell(&builder, "1", 1);
    sdi_result_cell(&builder, "boots", 5);
    sdi_result_cell(&builder, "2", 1);
    sdi_result_cell(&builder, NULL, 0);
    return sdi_result_build(&builder);
}

START_TEST(what_was_built_is_read)
{
    shopdata_result *result = sample();
    sdi_slice text;
    ck_assert_uint_eq(shopdata_result_rows(result), 2);
    ck_assert_uint_eq(shopdata_result_columns(result), 2);
    ck_assert_str_eq(shopdata_result_column_name(result, 1), "name");
    ck_assert_uint_eq(shopdata_result_column_type(result, 0), 23);
    ck_assert(sdi_result_at(result, 0, 1, &text));
    ck_assert(sdi_slice_equal(text, sdi_slice_of("boots")));
    ck_assert(!sdi_result_at(result, 1, 1, &text));
    ck_assert_int_eq(shopdata_result_is_null(result, 1, 1), 1);
    ck_assert_int_eq(shopdata_result_is_null(result, 2, 0), SHOPDATA_ERR_RANGE);
    ck_assert_str_eq(shopdata_result_column_name(result, 9), "");
    shopdata_result_free(shopdata_result_retain(result));
    shopdata_result_free(result);
}
END_TEST

static shopdata_result *adopt_copy(const unsigned char *rows, size_t length)
{
    char *block = sdi_malloc(sizeof(shopdata_result) + length);
    memcpy(block + sizeof(shopdata_result), rows, length);
    shopdata_result *result = sdi_result_adopt(block, sizeof(shopdata_result), length);
    if (!result)
        sdi_free(block);
    return result;
}

START_TEST(the_same_bytes_are_a_result_again)
{
    shopdata_result *first = sample(), *second = adopt_copy(first->rows, first->rows_length);
    ck_assert_ptr_nonnull(second);
    ck_assert_str_eq(shopdata_result_column_name(second, 0), "id");
    shopdata_result_free(first);
    shopdata_result_free(second);
}
END_TEST

/* Reads every cell: under the address sanitizer an offset that leaves the block is a fault. */
static void read_all(const shopdata_result *result)
{
    size_t seen = 0;
    sdi_slice text;
    for (size_t row = 0; row < shopdata_result_rows(result) && row < 100; row++)
        for (size_t column = 0; column < shopdata_result_columns(result); column++) {
            seen += strlen(shopdata_result_column_name(result, column));
            if (sdi_result_at(result, row, column, &text))
                seen += strlen(text.data);
        }
    ck_assert_uint_lt(seen, 1u << 30);
}

START_TEST(damaged_rows_are_refused_or_harmless)
{
    shopdata_result *good = sample();
    for (int i = 0; i < 20000; i++) {
        unsigned char *rows = (unsigned char *)sdi_memdup0(good->rows, good->rows_length);
        for (int flips = 0; flips < 3; flips++)
            rows[sdi_random_below(good->rows_length)] = (unsigned char)sdi_random();
        shopdata_result *result = adopt_copy(rows, good->rows_length - sdi_random_below(8));
        if (result)
            read_all(result);
        shopdata_result_free(result);
        sdi_free(rows);
    }
    shopdata_result_free(good);
}
END_TEST

START_TEST(nothing_is_a_result_too)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    shopdata_result *result = sdi_result_build(&builder);
    ck_assert_uint_eq(shopdata_result_rows(result), 0);
    ck_assert_uint_eq(shopdata_result_columns(result), 0);
    ck_assert(sdi_result_rows_ok(result->rows, result->rows_length));
    shopdata_result_free(result);
    ck_assert_uint_eq(shopdata_result_rows(NULL), 0);
    shopdata_result_free(NULL);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_built_is_read);
    tcase_add_test(cases, the_same_bytes_are_a_result_again);
    tcase_add_test(cases, damaged_rows_are_refused_or_harmless);
    tcase_add_test(cases, nothing_is_a_result_too);
}

UNIT_MAIN("model/result", fill, 20)
