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
    tcase_add_test(cases, take_of_nothing_is_an_empty_text);
    tcase_add_test(cases, absurd_size_fails_and_stays_failed);
}

UNIT_MAIN("base/buffer", fill, 10)
