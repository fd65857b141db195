#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/buffer.h"
#include "base/memory.h"

START_TEST(grows_and_stays_a_c_string)
{
    sdi_buffer buffer = SDI_BUFFER_INIT;
    for (int i = 0; i < 1000; i++)
        sdi_buffer_printf(&buffer, "%d,", i);
    ck_assert(!buffer.failed);
    ck_assert_uint_eq(strlen(buffer.data), buffer.length);
    ck_assert(!strncmp(buffer.data, "0,1,2,", 6));
    sdi_buffer_free(&buffer);
}
END_TEST

/* With as much room as it needs, and with too little: the format runs once or twice. */
START_TEST(a_format_that_does_not_fit_makes_room)
{
    char expected[400];
    for (int width = 0; width < 300; width++) {
        sdi_buffer buffer = SDI_BUFFER_INIT;
        sdi_buffer_text(&buffer, "before ");
        sdi_buffer_printf(&buffer, "%*d", width, 7);
        snprintf(expected, sizeof expected, "before %*d", width, 7);
        ck_assert_str_eq(buffer.data, expected);
        ck_assert_uint_eq(buffer.length, strlen(expected));
        sdi_buffer_free(&buffer);
    }
}
END_TEST

START_TEST(numbers_are_as_printf_writes_them)
{
    static const int64_t numbers[] = {0, 7, 10, 99, -1, -100, UINT32_MAX, INT64_MAX, INT64_MIN};
    char expected[64];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sdi_buffer buffer = SDI_BUFFER_INIT;
        sdi_buffer_decimal(&buffer, numbers[i]);
        sdi_buffer_char(&buffer, ' ');
        sdi_buffer_hex(&buffer, (uint64_t)numbers[i], 16);
        sdi_buffer_hex(&buffer, (uint64_t)numbers[i], 8);
        snprintf(expected, sizeof expected, "%" PRId64 " %016" PRIx64 "%08" PRIx32, numbers[i], (uint64_t)numbers[i],
                 (uint32_t)numbers[i]);
        ck_assert_str_eq(buffer.data, expected);
        sdi_buffer_free(&buffer);
    }
}
END_TEST

START_TEST(lent_room_is_used_until_it_is_too_small)
{
    char room[16];
    sdi_buffer buffer;
    sdi_buffer_lend(&buffer, room, sizeof room);
    sdi_buffer_text(&buffer, "fifteen letters");
    ck_assert_ptr_eq(buffer.data, room);
    sdi_buffer_char(&buffer, '!');
    ck_assert_ptr_ne(buffer.data, room);
    ck_assert_str_eq(buffer.data, "fifteen letters!");
    sdi_buffer_free(&buffer);
    sdi_buffer_lend(&buffer, room, sizeof room);
    sdi_buffer_text(&buffer, "taken");
    char *taken = sdi_buffer_take(&buffer);
    ck_assert_str_eq(taken, "taken");
    ck_assert_ptr_ne(taken, room);
    sdi_free(taken);
}
END_TEST

START_TEST(take_of_nothing_is_an_empty_text)
{
    sdi_buffer buffer = SDI_BUFFER_INIT;
    char *text = sdi_buffer_take(&buffer);
    ck_assert_str_eq(text, "");
    sdi_free(text);
}
END_TEST

START_TEST(absurd_size_fails_and_stays_failed)
{
    sdi_buffer buffer = SDI_BUFFER_INIT;
    sdi_buffer_text(&buffer, "kept");
    ck_assert_ptr_null(sdi_buffer_extend(&buffer, SIZE_MAX - 2));
    sdi_buffer_text(&buffer, "dropped");
    ck_assert(buffer.failed);
    ck_assert_uint_eq(buffer.length, 4);
    ck_assert_ptr_null(sdi_buffer_take(&buffer));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, grows_and_stays_a_c_string);
    tcase_add_test(cases, a_format_that_does_not_fit_makes_room);
    tcase_add_test(cases, numbers_are_as_printf_writes_them);
    tcase_add_test(cases, lent_room_is_used_until_it_is_too_small);
    tcase_add_test(cases, take_of_nothing_is_an_empty_text);
    tcase_add_test(cases, absurd_size_fails_and_stays_failed);
}

UNIT_MAIN("base/buffer", fill, 10)
