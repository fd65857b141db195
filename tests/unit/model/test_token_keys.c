#include "model/token_keys.h"

#include <stdio.h>
#include <string.h>

#include "../unit.h"

static sdi_token_keys keys;

/* NULL if the list is right, else what is wrong with it. */
static const char *wrong(const char *text)
{
    static char told[512];
    sdi_buffer fault = SDI_BUFFER_INIT;
    bool right = sdi_token_keys_read(sdi_slice_of(text), &keys, &fault);
    ck_assert(right == (fault.length == 0));
    snprintf(told, sizeof told, "%s", fault.data ? fault.data : "");
    sdi_buffer_free(&fault);
    return right ? NULL : told;
}

START_TEST(a_list_is_taken_apart)
{
    ck_assert_ptr_null(wrong(""));
    ck_assert_uint_eq(keys.count, 0);
    ck_assert_ptr_null(wrong("2026-11:0123456789abcdef,old:a secret: with colons!"));
    ck_assert_uint_eq(keys.count, 2);
    const sdi_token_key *old = sdi_token_keys_find(&keys, sdi_slice_of("old"));
    ck_assert_ptr_eq(old, &keys.keys[1]);
    ck_assert(sdi_slice_equal(old->secret, sdi_slice_of("a secret: with colons!")));
    ck_assert_ptr_null(sdi_token_keys_find(&keys, sdi_slice_of("ol")));
}
END_TEST

START_TEST(faults_name_the_place_and_no_secret)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"hushhushhushhush", "key 1 is not ID:SECRET"},
        {"a:0123456789abcdef,", "key 2 is not ID:SECRET"},
        {":hushhushhushhush", "key 1 has an id that is not 1 to 16 letters, digits, - and _"},
        {"hush hush:hushhushhushhush", "key 1 has an id that is not 1 to 16 letters, digits, - and _"},
        {"12345678901234567:hushhushhushhush", "key 1 has an id that is not 1 to 16 letters, digits, - and _"},
        {"a:hushhushhushhus", "key 1 has a secret of 15 bytes; write at least 16, as from `openssl rand -hex 32`"},
        {"a:hushhushhushhush,a:hushhushhushhush", "key 2 has the id `a` of a key before it"},
        {"a:hush,hush",
         "key 1 has a secret of 4 bytes; write at least 16, as from `openssl rand -hex 32`; key 2 is not "
         "ID:SECRET"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *told = wrong(cases[i].text);
        ck_assert_str_eq(told, cases[i].fault);
        ck_assert_ptr_null(strstr(told, "hush"));
    }
}
END_TEST

START_TEST(there_are_eight_at_most)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    for (int i = 0; i < SDI_TOKEN_KEYS_MAX; i++)
        sdi_buffer_printf(&text, "%s%d:0123456789abcdef", i ? "," : "", i);
    ck_assert_ptr_null(wrong(text.data));
    sdi_buffer_text(&text, ",more:0123456789abcdef");
    ck_assert_str_eq(wrong(text.data), "key 9 is one too many; at most 8");
    sdi_buffer_free(&text);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_list_is_taken_apart);
    tcase_add_test(cases, faults_name_the_place_and_no_secret);
    tcase_add_test(cases, there_are_eight_at_most);
}

UNIT_MAIN("model/token_keys", fill, 20)
