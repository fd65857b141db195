#include "../unit.h"
#include "base/utf8.h"

/* Each text with the offset of its first fault; `length` where it is good. */
static const struct {
    const char *text;
    size_t length, fault;
} cases_of_text[] = {
    {"", 0, 0},
    {"plain", 5, 5},
    {"gr\xc3\xbc\xc3\x9f", 6, 6},
    {"\xe2\x82\xac", 3, 3},
    {"\xf0\x9f\x9b\x92", 4, 4},
    {"a\0b", 3, 1},
    {"ab\x80", 3, 2},
    {"\xc0\xaf", 2, 0},         /* overlong slash */
    {"\xe0\x80\xaf", 3, 0},     /* overlong in three */
    {"\xed\xa0\x80", 3, 0},     /* surrogate */
    {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
    {"\xf5\x80\x80\x80", 4, 0},
    {"x\xe2\x82", 3, 1}, /* cut off */
    {"x\xe2\x28\xa1", 4, 1},
    {"\xe2\x82\x28", 3, 0},
};

START_TEST(finds_the_first_fault)
{
    ck_assert_uint_eq(sdi_utf8_fault(cases_of_text[_i].text, cases_of_text[_i].length), cases_of_text[_i].fault);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_loop_test(cases, finds_the_first_fault, 0, sizeof cases_of_text / sizeof *cases_of_text);
}

UNIT_MAIN("base/utf8", fill, 10)
