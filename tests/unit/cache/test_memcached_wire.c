#include "../unit.h"
#include "base/random.h"
#include "cache/memcached/wire.h"

static const char LIMIT[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789012345678901234567890123456789";

static void check_key(const char *prefix, sdi_slice key, const char *expected)
{
    sdi_buffer made = SDI_BUFFER_INIT;
    sdi_memcached_key(&made, prefix, key);
    ck_assert_str_eq(made.data, expected);
    sdi_buffer_free(&made);
}

static void check_hashed(const char *prefix, sdi_slice key)
{
    sdi_buffer made = SDI_BUFFER_INIT;
    sdi_memcached_key(&made, prefix, key);
    ck_assert_uint_eq(made.length, strlen(prefix) + 33);
    ck_assert_int_eq(made.data[strlen(prefix)], '~');
    sdi_buffer_free(&made);
}

START_TEST(keys_are_as_the_server_takes_them)
{
    check_key("", sdi_slice_of("shop:db:f:public.products/7"), "shop:db:f:public.products/7");
    check_key("v3:", sdi_slice_of("a"), "v3:a");
    check_key("", sdi_slice_of("\xc3\xa9"), "\xc3\xa9");
    check_key("", sdi_slice_of(LIMIT), LIMIT);
    check_hashed("v3:", sdi_slice_of(LIMIT));
    check_hashed("", sdi_slice_of("a b"));
    check_hashed("", sdi_slice_of("a\r\nflush_all"));
    check_hashed("", sdi_slice_of("a\x7f"));
    check_hashed("", (sdi_slice){"a\0b", 3});
    check_hashed("", sdi_slice_of("~0123456789abcdef0123456789abcdef"));
}
END_TEST

START_TEST(keys_that_differ_are_hashed_apart)
{
    sdi_buffer one = SDI_BUFFER_INIT, other = SDI_BUFFER_INIT;
    sdi_memcached_key(&one, "", sdi_slice_of("a b"));
    sdi_memcached_key(&other, "", sdi_slice_of("a c"));
    ck_assert_str_ne(one.data, other.data);
    sdi_buffer_free(&one);
    sdi_buffer_free(&other);
}
END_TEST

START_TEST(lifetimes_are_rounded_to_the_safe_side)
{
    ck_assert_int_eq(sdi_memcached_shorter(INT64_MIN), SDI_MEMCACHED_EXPIRED);
    ck_assert_int_eq(sdi_memcached_shorter(999), SDI_MEMCACHED_EXPIRED);
    ck_assert_int_eq(sdi_memcached_shorter(1000), 1);
    ck_assert_int_eq(sdi_memcached_shorter(1999), 1);
    ck_assert_int_eq(sdi_memcached_shorter(INT64_MAX), SDI_MEMCACHED_TTL_MAX);
    ck_assert_int_eq(sdi_memcached_longer(INT64_MIN), 1);
    ck_assert_int_eq(sdi_memcached_longer(1), 2);
    ck_assert_int_eq(sdi_memcached_longer(1000), 2);
    ck_assert_int_eq(sdi_memcached_longer(1001), 3);
    ck_assert_int_le(sdi_memcached_longer((SDI_MEMCACHED_TTL_MAX - 1) * INT64_C(1000) - 1), SDI_MEMCACHED_TTL_MAX);
    ck_assert_int_eq(sdi_memcached_longer((SDI_MEMCACHED_TTL_MAX - 1) * INT64_C(1000)), 0);
    ck_assert_int_eq(sdi_memcached_longer(INT64_MAX), 0);
}
END_TEST

START_TEST(requests_are_lines)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_slice key = sdi_slice_of("k"), value = sdi_slice_of("v\r\n");
    sdi_memcached_format(&out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_GET, .key = key});
    sdi_memcached_format(&out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_GETS, .key = key});
    sdi_memcached_format(
        &out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_SET, .key = key, .value = value, .lifetime = 60});
    sdi_memcached_format(&out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_ADD, .key = key, .lifetime = 5});
    sdi_memcached_format(
        &out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_CAS, .key = key, .lifetime = -1, .cas = UINT64_MAX});
    sdi_memcached_format(&out, &(sdi_memcached_request){.verb = SDI_MEMCACHED_DELETE, .key = key});
    ck_assert_str_eq(out.data, "get k\r\ngets k\r\nset k 0 60 3\r\nv\r\n\r\nadd k 0 5 0\r\n\r\n"
                               "cas k 0 -1 0 18446744073709551615\r\n\r\ndelete k\r\n");
    sdi_buffer_free(&out);
}
END_TEST

static sdi_memcached_answer answer;

static enum sdi_memcached_parsed parse(enum sdi_memcached_verb verb, const char *bytes)
{
    sdi_memcached_request request = {.verb = verb, .key = sdi_slice_of("key")};
    return sdi_memcached_parse(&request, sdi_slice_of(bytes), 100, &answer);
}

START_TEST(a_value_is_read_whole)
{
    static const char bytes[] = "VALUE key 0 7 42\r\na\r\nEND\r\nEND\r\nSTORED\r\n";
    ck_assert_int_eq(parse(SDI_MEMCACHED_GETS, bytes), SDI_MEMCACHED_MALFORMED); /* seven bytes end elsewhere */
    static const char good[] = "VALUE key 0 6 42\r\na\r\nEND\r\nEND\r\nSTORED\r\n";
    ck_assert_int_eq(parse(SDI_MEMCACHED_GETS, good), SDI_MEMCACHED_COMPLETE);
    ck_assert_int_eq(answer.kind, SDI_MEMCACHED_VALUE);
    ck_assert_uint_eq(answer.cas, 42);
    ck_assert(sdi_slice_equal(answer.value, sdi_slice_of("a\r\nEND")));
    ck_assert_uint_eq(answer.length, strlen(good) - strlen("STORED\r\n"));
}
END_TEST

/* Cut anywhere, it asks for more, and never for less than is missing to go on. */
START_TEST(what_is_cut_is_incomplete)
{
    static const char whole[] = "VALUE key 0 5 42\r\nhello\r\nEND\r\n";
    sdi_memcached_request request = {.verb = SDI_MEMCACHED_GETS, .key = sdi_slice_of("key")};
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        ck_assert_int_eq(sdi_memcached_parse(&request, (sdi_slice){whole, length}, 100, &answer),
                         SDI_MEMCACHED_INCOMPLETE);
        ck_assert_uint_gt(answer.length, length);
        ck_assert_uint_le(answer.length, sizeof whole - 1);
    }
}
END_TEST

START_TEST(what_was_not_asked_for_is_malformed)
{
    static const char *const gets[] = {
        "VALUE other 0 1 1\r\na\r\nEND\r\n",
        "VALUE key2 0 1 1\r\na\r\nEND\r\n",
        "VALUE key 0 1\r\na\r\nEND\r\n",
        "VALUE key 0 -1 1\r\na\r\nEND\r\n",
        "VALUE key 0 101 1\r\n",
        "VALUE key 0 1 1 \r\na\r\nEND\r\n",
        "VALUE key 0 1 x\r\na\r\nEND\r\n",
        "VALUE key 0 1 1\r\na\r\nVALUE\r\n",
        "STORED\r\n",
        "DELETED\r\n",
        "END\n",
        "\r\n",
        "\n",
        "VALUE key 0 99999999999999999999 1\r\n",
    };
    for (size_t i = 0; i < sizeof gets / sizeof *gets; i++)
        ck_assert_msg(parse(SDI_MEMCACHED_GETS, gets[i]) == SDI_MEMCACHED_MALFORMED, "%s", gets[i]);
    ck_assert_int_eq(parse(SDI_MEMCACHED_GET, "VALUE key 0 1 1\r\na\r\nEND\r\n"), SDI_MEMCACHED_MALFORMED);
    ck_assert_int_eq(parse(SDI_MEMCACHED_SET, "END\r\n"), SDI_MEMCACHED_MALFORMED);
    ck_assert_int_eq(parse(SDI_MEMCACHED_SET, "VALUE key 0 1 1\r\na\r\nEND\r\n"), SDI_MEMCACHED_MALFORMED);
    ck_assert_int_eq(parse(SDI_MEMCACHED_ADD, "EXISTS\r\n"), SDI_MEMCACHED_MALFORMED);
    ck_assert_int_eq(parse(SDI_MEMCACHED_DELETE, "STORED\r\n"), SDI_MEMCACHED_MALFORMED);
    char endless[2000];
    memset(endless, 'x', sizeof endless);
    sdi_memcached_request request = {.verb = SDI_MEMCACHED_GET, .key = sdi_slice_of("key")};
    ck_assert_int_eq(sdi_memcached_parse(&request, (sdi_slice){endless, sizeof endless}, 100, &answer),
                     SDI_MEMCACHED_MALFORMED);
}
END_TEST

static void check_line(enum sdi_memcached_verb verb, const char *line, enum sdi_memcached_answer_kind kind)
{
    ck_assert_int_eq(parse(verb, line), SDI_MEMCACHED_COMPLETE);
    ck_assert_int_eq(answer.kind, kind);
    ck_assert_uint_eq(answer.length, strlen(line));
}

START_TEST(each_verb_has_its_answers)
{
    check_line(SDI_MEMCACHED_GET, "END\r\n", SDI_MEMCACHED_MISSING);
    check_line(SDI_MEMCACHED_SET, "STORED\r\n", SDI_MEMCACHED_STORED);
    check_line(SDI_MEMCACHED_SET, "SERVER_ERROR object too large for cache\r\n", SDI_MEMCACHED_REFUSED);
    check_line(SDI_MEMCACHED_ADD, "STORED\r\n", SDI_MEMCACHED_STORED);
    check_line(SDI_MEMCACHED_ADD, "NOT_STORED\r\n", SDI_MEMCACHED_TAKEN);
    check_line(SDI_MEMCACHED_CAS, "STORED\r\n", SDI_MEMCACHED_STORED);
    check_line(SDI_MEMCACHED_CAS, "EXISTS\r\n", SDI_MEMCACHED_TAKEN);
    check_line(SDI_MEMCACHED_CAS, "NOT_FOUND\r\n", SDI_MEMCACHED_MISSING);
    check_line(SDI_MEMCACHED_DELETE, "DELETED\r\n", SDI_MEMCACHED_STORED);
    check_line(SDI_MEMCACHED_DELETE, "NOT_FOUND\r\n", SDI_MEMCACHED_MISSING);
    ck_assert_int_eq(parse(SDI_MEMCACHED_SET, "ERROR\r\n"), SDI_MEMCACHED_ERROR);
    ck_assert_int_eq(parse(SDI_MEMCACHED_GET, "CLIENT_ERROR line too long\r\n"), SDI_MEMCACHED_ERROR);
}
END_TEST

/* No bytes make it read past their end (the address sanitizer looks on) or claim more than there is. */
START_TEST(random_bytes_do_no_harm)
{
    static const char *const words[] = {"VALUE ", "key", " ", "0", "7", "\r\n", "END", "STORED", "99999999999", "\n"};
    for (int i = 0; i < 20000; i++) {
        sdi_buffer bytes = SDI_BUFFER_INIT;
        for (uint64_t n = sdi_random_below(12); n > 0; n--)
            sdi_buffer_text(&bytes, words[sdi_random_below(sizeof words / sizeof *words)]);
        sdi_memcached_request request = {.verb = (enum sdi_memcached_verb)sdi_random_below(6),
                                         .key = sdi_slice_of("key")};
        sdi_slice all = {bytes.data, bytes.length};
        if (sdi_memcached_parse(&request, all, 1000, &answer) == SDI_MEMCACHED_COMPLETE)
            ck_assert_uint_le(answer.length, bytes.length);
        sdi_buffer_free(&bytes);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, keys_are_as_the_server_takes_them);
    tcase_add_test(cases, keys_that_differ_are_hashed_apart);
    tcase_add_test(cases, lifetimes_are_rounded_to_the_safe_side);
    tcase_add_test(cases, requests_are_lines);
    tcase_add_test(cases, a_value_is_read_whole);
    tcase_add_test(cases, what_is_cut_is_incomplete);
    tcase_add_test(cases, what_was_not_asked_for_is_malformed);
    tcase_add_test(cases, each_verb_has_its_answers);
    tcase_add_test(cases, random_bytes_do_no_harm);
}

UNIT_MAIN("cache/memcached_wire", fill, 30)
