#include "fresh/token.h"

#include <string.h>

#include "../unit.h"
#include "base/base64.h"

#define SYSTEM UINT64_C(7300000000000000001)

static const sdi_token_keys none = {0};

static sdi_token_keys keys_of(const char *text)
{
    sdi_token_keys keys;
    sdi_buffer fault = SDI_BUFFER_INIT;
    ck_assert(sdi_token_keys_read(sdi_slice_of(text), &keys, &fault));
    return keys;
}

static sdi_point point_at(uint32_t timeline, uint64_t xid, sdi_lsn lsn)
{
    return (sdi_point){.era = {SYSTEM, timeline},
                       .lsn = lsn,
                       .flush = lsn,
                       .snapshot = {.xmin = xid - 5, .xmax = xid + 1, .count = 2, .running = {xid - 5, xid - 1}}};
}

static sdi_stamp seen_at(uint32_t timeline, bool standby, sdi_lsn seen)
{
    return (sdi_stamp){.era = {SYSTEM, timeline}, .standby = standby, .seen = seen};
}

static sdi_token busy_token(void)
{
    sdi_token token = {0};
    sdi_point write = point_at(3, 5000000, 0x16b374d848);
    sdi_stamp seen = seen_at(3, true, 0x16b374e000);
    sdi_token_wrote(&token, &write);
    sdi_token_saw(&token, &seen);
    sdi_token_add_tag(&token, sdi_token_tag(sdi_slice_of("shopdata:shop:f:public.products/product_id=42")));
    return token;
}

static sdi_buffer text_of(const sdi_token *token, const sdi_token_keys *keys)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_token_encode(token, keys, &text);
    ck_assert(!text.failed);
    return text;
}

static enum sdi_token_fault fault_of(const char *text, const sdi_token_keys *keys)
{
    sdi_token token;
    return sdi_token_decode(sdi_slice_of(text), keys, &token);
}

static bool same(const sdi_token *a, const sdi_token *b)
{
    sdi_buffer one = text_of(a, &none), other = text_of(b, &none);
    bool equal = !strcmp(one.data, other.data);
    sdi_buffer_free(&one);
    sdi_buffer_free(&other);
    return equal;
}

START_TEST(what_was_told_is_read_again)
{
    sdi_token_keys keys = keys_of("k1:0123456789abcdef");
    sdi_token empty = {0}, busy = busy_token(), odd = busy_token(), read;
    odd.unknown = odd.all_tags = true;
    odd.tag_count = 0;
    odd.written.snapshot = (sdi_snapshot){.xmin = UINT64_MAX, .xmax = UINT64_MAX};
    odd.reached = UINT64_MAX;
    const sdi_token *const all[] = {&empty, &busy, &odd};
    for (size_t i = 0; i < 6; i++) {
        sdi_buffer text = text_of(all[i / 2], i % 2 ? &keys : &none);
        ck_assert_int_eq(sdi_token_decode((sdi_slice){text.data, text.length}, i % 2 ? &keys : &none, &read),
                         SDI_TOKEN_GOOD);
        ck_assert(same(&read, all[i / 2]));
        sdi_buffer_free(&text);
    }
}
END_TEST

START_TEST(it_is_short_and_fits_into_a_cookie)
{
    sdi_token_keys keys = keys_of("2026-11:0123456789abcdef");
    sdi_token busy = busy_token();
    sdi_buffer text = text_of(&busy, &keys);
    ck_assert_uint_lt(text.length, 150);
    ck_assert_uint_eq(strspn(text.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
                      text.length);
    sdi_buffer_free(&text);
    busy.written.snapshot.count = 0;
    busy.written.snapshot.xmin = 1;
    busy.written.snapshot.xmax = UINT64_MAX - 1;
    for (uint64_t i = 0; i < SDI_SNAPSHOT_RUNNING_MAX; i++)
        busy.written.snapshot.running[busy.written.snapshot.count++] = 2 + i * (UINT64_MAX / SDI_SNAPSHOT_RUNNING_MAX);
    for (uint64_t i = 1; busy.tag_count < SDI_TOKEN_TAGS_MAX; i++)
        sdi_token_add_tag(&busy, i);
    text = text_of(&busy, &keys);
    ck_assert_uint_le(text.length, SDI_TOKEN_TEXT_MAX);
    ck_assert_int_eq(fault_of(text.data, &keys), SDI_TOKEN_GOOD);
    sdi_buffer_free(&text);
}
END_TEST

START_TEST(keys_change_without_a_user_noticing)
{
    sdi_token_keys old = keys_of("a:0123456789abcdef"), both = keys_of("a:0123456789abcdef,b:fedcba9876543210");
    sdi_token_keys turned = keys_of("b:fedcba9876543210,a:0123456789abcdef"), new = keys_of("b:fedcba9876543210");
    sdi_token token = busy_token();
    sdi_buffer by_a = text_of(&token, &old), by_b = text_of(&token, &turned), bare = text_of(&token, &none);
    ck_assert_int_eq(fault_of(by_a.data, &both), SDI_TOKEN_GOOD);
    ck_assert_int_eq(fault_of(by_a.data, &turned), SDI_TOKEN_GOOD);
    ck_assert_int_eq(fault_of(by_b.data, &both), SDI_TOKEN_GOOD);
    ck_assert_int_eq(fault_of(by_a.data, &new), SDI_TOKEN_UNKNOWN_KEY);
    ck_assert_int_eq(fault_of(by_b.data, &old), SDI_TOKEN_UNKNOWN_KEY);
    ck_assert_int_eq(fault_of(bare.data, &old), SDI_TOKEN_UNSIGNED);
    ck_assert_int_eq(fault_of(by_a.data, &none), SDI_TOKEN_GOOD); /* whoever has no key yet takes all */
    sdi_token_keys other = keys_of("a:0123456789abcdeF");
    ck_assert_int_eq(fault_of(by_a.data, &other), SDI_TOKEN_BAD_SIGNATURE);
    sdi_buffer_free(&by_a);
    sdi_buffer_free(&by_b);
    sdi_buffer_free(&bare);
}
END_TEST

/* Each byte counts: of the version, the body, the id and the signature. */
START_TEST(whoever_changes_a_byte_is_found_out)
{
    sdi_token_keys keys = keys_of("a:0123456789abcdef");
    sdi_token token = busy_token();
    sdi_buffer text = text_of(&token, &keys);
    for (size_t i = 0; i < text.length; i++) {
        char was = text.data[i];
        text.data[i] = was == 'B' ? 'C' : 'B';
        ck_assert_int_ne(fault_of(text.data, &keys), SDI_TOKEN_GOOD);
        text.data[i] = was;
    }
    for (size_t length = 0; length < text.length; length++) {
        sdi_token read;
        ck_assert_int_ne(sdi_token_decode((sdi_slice){text.data, length}, &keys, &read), SDI_TOKEN_GOOD);
    }
    sdi_buffer_char(&text, 'A');
    ck_assert_int_ne(fault_of(text.data, &keys), SDI_TOKEN_GOOD);
    sdi_buffer_free(&text);
}
END_TEST

/* A body of these bytes, without a signature. */
static enum sdi_token_fault fault_of_body(const char *bytes, size_t length)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_char(&text, '1');
    sdi_base64_encode(bytes, length, &text);
    enum sdi_token_fault fault = fault_of(text.data, &none);
    sdi_buffer_free(&text);
    return fault;
}

START_TEST(nonsense_is_refused)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "1.",
                                        "1..",
                                        "1.a.",
                                        "1..AAAA",
                                        ".a.AAAA",
                                        "1AAAA",
                                        "1AAAAAAAAAAAAAAA=",
                                        "1 AA",
                                        "1AAAAAAAAAAAAAAA\n",
                                        "1A.B.C.D"};
    char long_text[SDI_TOKEN_TEXT_MAX + 2];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_int_ne(fault_of(texts[i], &none), SDI_TOKEN_GOOD);
    memset(long_text, 'A', sizeof long_text - 1);
    long_text[0] = '1';
    long_text[sizeof long_text - 1] = '\0';
    ck_assert_int_eq(fault_of(long_text, &none), SDI_TOKEN_TOO_LONG);
    ck_assert_int_eq(fault_of("2AAAAAAAAAAAAAAA", &none), SDI_TOKEN_VERSION);
    ck_assert_int_eq(fault_of("select 1", &none), SDI_TOKEN_VERSION);
}
END_TEST

START_TEST(a_body_means_one_thing)
{
    static const char good[] = "\0\1\0\0\0\0\0\0\0\1\5\0", unknown_flag[] = "\10\1\0\0\0\0\0\0\0\1\5\0";
    static const char long_number[] = "\0\1\0\0\0\0\0\0\0\1\205\0\0",
                      too_large[] = "\0\1\0\0\0\0\0\0\0\1\377\377\377\377\377\377\377\377\377\2\0";
    static const char no_timeline[] = "\0\1\0\0\0\0\0\0\0\0\5\0", many_tags[] = "\0\1\0\0\0\0\0\0\0\1\5\21";
    static const char unsorted[] = "\0\1\0\0\0\0\0\0\0\1\5\2\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0",
                      more[] = "\0\1\0\0\0\0\0\0\0\1\5\0\0";
    static const char running_late[] = "\1\1\0\0\0\0\0\0\0\1\5\1\5\5\3\2\1\2\0",
                      running[] = "\1\1\0\0\0\0\0\0\0\1\5\1\5\5\3\2\1\1\0";
    static const char huge_timeline[] = "\0\1\0\0\0\0\0\0\0\200\200\200\200\20\5\0";
    ck_assert_int_eq(fault_of_body(good, sizeof good - 1), SDI_TOKEN_GOOD);
    ck_assert_int_eq(fault_of_body(running, sizeof running - 1), SDI_TOKEN_GOOD);
#define REFUSED(body) ck_assert_int_eq(fault_of_body(body, sizeof body - 1), SDI_TOKEN_MALFORMED)
    REFUSED(unknown_flag);
    REFUSED(long_number);
    REFUSED(too_large);
    REFUSED(no_timeline);
    REFUSED(many_tags);
    REFUSED(unsorted);
    REFUSED(more);
    REFUSED(running_late);
    REFUSED(huge_timeline);
}
END_TEST

START_TEST(merging_takes_the_maximum_in_any_order)
{
    sdi_token a = busy_token(), b = {0}, c = {0};
    sdi_point older = point_at(2, 4000000, 0x1500000000), later = point_at(3, 5000010, 0x1700000000);
    sdi_token_wrote(&b, &later);
    sdi_token_add_tag(&b, 7);
    sdi_token_wrote(&c, &older);
    c.unknown = true;
    sdi_token abc = a, cba = c;
    sdi_token_merge(&abc, &b);
    sdi_token_merge(&abc, &c);
    sdi_token_merge(&cba, &b);
    sdi_token_merge(&cba, &a);
    ck_assert(same(&abc, &cba));
    sdi_token_merge(&abc, &b);
    ck_assert(same(&abc, &cba));
    ck_assert_uint_eq(abc.reached, 0x1700000000);
    ck_assert_uint_eq(abc.written.era.timeline, 3);
    ck_assert(abc.unknown && abc.tag_count == 2);
}
END_TEST

/* A standby that follows a promotion may have less than the session saw before it; a new primary has all there is. */
START_TEST(a_position_runs_on_through_a_promotion)
{
    sdi_token token = {0};
    sdi_stamp before = seen_at(1, false, 1000), behind = seen_at(2, true, 900), new = seen_at(3, false, 950),
              old = seen_at(1, true, 970);
    sdi_token_saw(&token, &before);
    sdi_token_saw(&token, &behind);
    ck_assert(token.era.timeline == 2 && token.reached == 1000);
    sdi_token_saw(&token, &new);
    ck_assert(token.era.timeline == 3 && token.reached == 950);
    sdi_token_saw(&token, &old);
    ck_assert(token.era.timeline == 3 && token.reached == 970);
}
END_TEST

START_TEST(tags_are_a_set_and_at_last_all)
{
    sdi_token token = {0};
    for (uint64_t i = SDI_TOKEN_TAGS_MAX; i > 0; i--) {
        sdi_token_add_tag(&token, i);
        sdi_token_add_tag(&token, i);
    }
    ck_assert_uint_eq(token.tag_count, SDI_TOKEN_TAGS_MAX);
    ck_assert(sdi_token_has_tag(&token, 1) && !sdi_token_has_tag(&token, 100));
    sdi_token_drop_tag(&token, 100);
    sdi_token_drop_tag(&token, 3);
    ck_assert(token.tag_count == SDI_TOKEN_TAGS_MAX - 1 && !sdi_token_has_tag(&token, 3));
    sdi_token_add_tag(&token, 3);
    sdi_token_add_tag(&token, 100);
    ck_assert(token.all_tags && token.tag_count == 0 && sdi_token_has_tag(&token, 55));
    sdi_token_drop_tag(&token, 55);
    ck_assert(sdi_token_has_tag(&token, 55));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_told_is_read_again);
    tcase_add_test(cases, it_is_short_and_fits_into_a_cookie);
    tcase_add_test(cases, keys_change_without_a_user_noticing);
    tcase_add_test(cases, whoever_changes_a_byte_is_found_out);
    tcase_add_test(cases, nonsense_is_refused);
    tcase_add_test(cases, a_body_means_one_thing);
    tcase_add_test(cases, merging_takes_the_maximum_in_any_order);
    tcase_add_test(cases, a_position_runs_on_through_a_promotion);
    tcase_add_test(cases, tags_are_a_set_and_at_last_all);
}

UNIT_MAIN("fresh/token", fill, 20)
