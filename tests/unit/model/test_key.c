#include <string.h>

#include "../unit.h"
#include "model/key.h"

static void expect(enum sdi_key_type type, const char *text, const char *key)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    bool known = sdi_key_append(&out, type, sdi_slice_of(text), false);
    ck_assert_msg(known == (key != NULL), "%d '%s'", type, text);
    if (key)
        ck_assert_str_eq(out.data ? out.data : "", key);
    else
        ck_assert_uint_eq(out.length, 0);
    sdi_buffer_free(&out);
}

START_TEST(integers)
{
    expect(SDI_KEY_INT8, "42", "42");
    expect(SDI_KEY_INT8, " \t042\v\f\r\n", "42");
    expect(SDI_KEY_INT8, "+0", "0");
    expect(SDI_KEY_INT8, "-0", "0");
    expect(SDI_KEY_INT8, "-9223372036854775808", "-9223372036854775808");
    expect(SDI_KEY_INT8, "9223372036854775807", "9223372036854775807");
    expect(SDI_KEY_INT8, "9223372036854775808", NULL);
    expect(SDI_KEY_INT8, "-9223372036854775809", NULL);
    expect(SDI_KEY_INT8, "99999999999999999999999999", NULL);
    expect(SDI_KEY_INT4, "2147483647", "2147483647");
    expect(SDI_KEY_INT4, "2147483648", NULL);
    expect(SDI_KEY_INT4, "-2147483648", "-2147483648");
    expect(SDI_KEY_INT2, "32768", NULL);
    expect(SDI_KEY_INT2, "-32768", "-32768");
    static const char *const odd[] = {"",    " ",    "+",   "-",   "+-1", "1 2",
                                      "4_2", "0x2a", "0b1", "1e3", "1.0", "\xc2\xa0\x31"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        expect(SDI_KEY_INT8, odd[i], NULL);
}
END_TEST

START_TEST(booleans)
{
    static const char *const yes[] = {"t", "TRUE", " tr ", "y", "yes", "on", "1"};
    static const char *const no[] = {"f", "False", "n", "no", "of", "OFF", "0"};
    static const char *const odd[] = {"", "o", "truey", "2", "01", "nope", "tt"};
    for (size_t i = 0; i < 7; i++) {
        expect(SDI_KEY_BOOL, yes[i], "true");
        expect(SDI_KEY_BOOL, no[i], "false");
        expect(SDI_KEY_BOOL, odd[i], NULL);
    }
}
END_TEST

START_TEST(uuids)
{
    const char *key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    expect(SDI_KEY_UUID, key, key);
    expect(SDI_KEY_UUID, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", key);
    expect(SDI_KEY_UUID, "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", key);
    expect(SDI_KEY_UUID, "a0eebc999c0b4ef8bb6d6bb9bd380a11", key);
    expect(SDI_KEY_UUID, "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", key);
    static const char *const odd[] = {"",
                                      "{}",
                                      "a0eebc99",
                                      " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                      "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-",
                                      "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11",
                                      "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11",
                                      "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
                                      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
                                      "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        expect(SDI_KEY_UUID, odd[i], NULL);
}
END_TEST

START_TEST(texts_are_escaped)
{
    expect(SDI_KEY_TEXT, "", "");
    expect(SDI_KEY_TEXT, "plain.text-1_2", "plain.text-1_2");
    expect(SDI_KEY_TEXT, "a/b,c=d%e*f g\t\x7f$#", "a%2Fb%2Cc%3Dd%25e%2Af%20g%09%7F%24%23");
    expect(SDI_KEY_TEXT, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    expect(SDI_KEY_NONE, "x", NULL);
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_tag_escape(&out, (sdi_slice){"a.b\0", 4}, true);
    ck_assert_str_eq(out.data, "a%2Eb%00");
    sdi_buffer_free(&out);
}
END_TEST

START_TEST(parameters)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    shopdata_param truth = shopdata_bool(1), number = shopdata_int64(-7), real = shopdata_double(1),
                   nothing = shopdata_null(), bytes = shopdata_bytes("1", 1), empty = shopdata_text("");
    ck_assert(sdi_key_param(&out, SDI_KEY_BOOL, &truth, true));
    ck_assert(sdi_key_param(&out, SDI_KEY_INT4, &number, true));
    ck_assert(sdi_key_param(&out, SDI_KEY_TEXT, &number, false));
    ck_assert(sdi_key_param(&out, SDI_KEY_TEXT, &empty, false));
    ck_assert_str_eq(out.data, "true-7-7");
    ck_assert(!sdi_key_param(&out, SDI_KEY_TEXT, &number, true));
    ck_assert(!sdi_key_param(&out, SDI_KEY_INT8, &real, false));
    ck_assert(!sdi_key_param(&out, SDI_KEY_INT8, &nothing, false));
    ck_assert(!sdi_key_param(&out, SDI_KEY_TEXT, &bytes, false));
    ck_assert(!sdi_key_param(&out, SDI_KEY_INT8, &truth, false));
    ck_assert_str_eq(out.data, "true-7-7");
    sdi_buffer_free(&out);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, integers);
    tcase_add_test(cases, booleans);
    tcase_add_test(cases, uuids);
    tcase_add_test(cases, texts_are_escaped);
    tcase_add_test(cases, parameters);
}

UNIT_MAIN("model/key", fill, 30)
