#include "../unit.h"
#include "base/buffer.h"
#include "cache/redis/push.h"

#define WHOLE(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

/* All of RESP3 that a server may say, read one after the other. */
START_TEST(reads_what_a_server_says)
{
    static const struct {
        const char *said;
        char type;
        size_t count;
        const char *last;
    } cases[] = {
        {"+PONG\r\n", '+', 1, "PONG"},
        {"-READONLY no\r\n", '-', 1, "READONLY no"},
        {":1\r\n", ':', 1, "1"},
        {"_\r\n", '_', 1, ""},
        {"$-1\r\n", '$', 0, NULL},
        {"$3\r\na\rb\r\n", '$', 1, "a\rb"},
        {"%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*1\r\n%1\r\n+c\r\n#t\r\n", '%', 3, "b"},
        {">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n", '>', 3, "\r\n"},
        {">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", '>', 3, "1"},
        {"*0\r\n", '*', 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sdi_redis_push push;
        size_t length = strlen(cases[i].said);
        for (size_t cut = 0; cut < length; cut++)
            ck_assert_uint_eq(sdi_redis_push_read(cases[i].said, cut, &push), 0);
        ck_assert_uint_eq(sdi_redis_push_read(cases[i].said, length, &push), length);
        ck_assert_int_eq(push.type, cases[i].type);
        ck_assert_uint_eq(push.count, cases[i].count);
        if (push.count)
            ck_assert(sdi_slice_equal(push.parts[push.count - 1], sdi_slice_of(cases[i].last)));
    }
}
END_TEST

START_TEST(what_cannot_be_is_damage)
{
    static const struct {
        const char *said;
        size_t length;
    } cases[] = {WHOLE("\r\n"),         WHOLE("PONG\r\n"), WHOLE("$x\r\n"),       WHOLE("$\r\n"),
                 WHOLE("$1\r\nab\r\n"), WHOLE("+OK\rx"),   WHOLE("*-2\r\n"),      WHOLE("$99999999999999999999\r\n"),
                 WHOLE(">1048577\r\n"), WHOLE("\0\r\n"),   WHOLE("|1\r\n+a\r\n"), WHOLE("*1\r\nx\r\n")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sdi_redis_push push;
        ck_assert_msg(sdi_redis_push_read(cases[i].said, cases[i].length, &push) == SIZE_MAX, "case %zu", i);
    }
}
END_TEST

START_TEST(what_has_no_end_is_given_up)
{
    static char endless[SDI_REDIS_PUSH_MAX + 2];
    sdi_redis_push push;
    memset(endless, 'x', sizeof endless);
    endless[0] = '+';
    ck_assert_uint_eq(sdi_redis_push_read(endless, SDI_REDIS_PUSH_MAX, &push), 0);
    ck_assert_uint_eq(sdi_redis_push_read(endless, sizeof endless, &push), SIZE_MAX);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, reads_what_a_server_says);
    tcase_add_test(cases, what_cannot_be_is_damage);
    tcase_add_test(cases, what_has_no_end_is_given_up);
}

UNIT_MAIN("cache/redis_push", fill, 10)
