/* What real servers will not do, by a server that follows a script. */
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "greeting.h"
#include "scripted.h"

/* The command that only a primary carries out is answered as one does, and is no part of the script. */
static bool is_probe(const redis_command *command)
{
    return strcmp(command->words[0], "UNLINK") == 0 && strcmp(command->words[1], "shop:probe") == 0;
}

/* Reads a command that is no probe. A probe's answer would be taken for the last one, where that was none. */
static bool read_scripted(int fd, FILE *in)
{
    for (redis_command command; redis_read_command(in, &command);) {
        if (!is_probe(&command))
            return true;
        if (!scripted.mute)
            scripted_say(fd, ":0\r\n");
    }
    return false;
}

static void greet(int fd, FILE *in, const scene *played)
{
    redis_command command;
    for (int i = 0; i < (played->greeting_commands ? played->greeting_commands : GREETING_COMMANDS); i++)
        redis_read_command(in, &command);
    scripted_say(fd, played->greeting ? played->greeting : GREETING);
}

static void answer_probe(int fd, FILE *in)
{
    redis_command command;
    redis_read_command(in, &command);
    scripted_say(fd, ":0\r\n");
}

static sdi_cache_settings redis_settings(void)
{
    sdi_cache_settings settings = caches_settings(SDI_CACHE_REDIS);
    settings.key_prefix = "shop";
    return settings;
}

static const scripted_protocol redis = {
    .settings = redis_settings,
    .greet = greet,
    .read_request = read_scripted,
    .part = answer_probe,
    .value = VALUE,
    .missing = "*1\r\n$-1\r\n",
    .half = "*1\r\n$5\r\nhel",
    .refusal = "-LOADING\r\n",
    .trickle = "*1\r\n$5000\r\n",
    .flood = "*1\r\n$1000000000\r\n",
};

START_TEST(who_accepts_and_never_answers_is_a_timeout)
{
    static const scene mute = {.greeting = SILENCE};
    scripted_check_fault(&mute, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1,
                         SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(what_was_not_asked_for_is_a_protocol_fault)
{
    static const char *const replies[] = {"hello\r\n",
                                          "\r\n",
                                          ":1\r\n",
                                          "+OK\r\n",
                                          "$5\r\nhello\r\n",
                                          "$-1\r\n",
                                          "*0\r\n",
                                          "*-1\r\n",
                                          "*2\r\n$-1\r\n$-1\r\n",
                                          "*1\r\n:5\r\n",
                                          "*1\r\n+OK\r\n",
                                          "*1\r\n-ERR\r\n",
                                          "*1\r\n*1\r\n$1\r\na\r\n",
                                          "*1\r\n*-1\r\n:1\r\n",
                                          "*1\r\n$-1\r\n+OK\r\n",
                                          VALUE VALUE,
                                          "*1000000000\r\n",
                                          "*-5\r\n",
                                          "*1\r\n$-7\r\n",
                                          "*99999999999999999999\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        scripted_check_reply(SDI_CACHE_GET, replies[i], SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(each_verb_wants_its_own_reply)
{
    static const struct {
        enum sdi_cache_verb verb;
        const char *reply;
    } wrong[] = {
        {SDI_CACHE_SET, ":1\r\n"},       {SDI_CACHE_SET, "$-1\r\n"},    {SDI_CACHE_SET, "+QUEUED\r\n"},
        {SDI_CACHE_SET, "$2\r\nOK\r\n"}, {SDI_CACHE_ADD, "+OK\r\n"},    {SDI_CACHE_ADD, "*0\r\n"},
        {SDI_CACHE_REMOVE, "+OK\r\n"},   {SDI_CACHE_REMOVE, "$-1\r\n"}, {SDI_CACHE_SWAP, "+OK\r\n"},
        {SDI_CACHE_MERGE, "+OK\r\n"},    {SDI_CACHE_MERGE, "$-1\r\n"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        scripted_check_reply(wrong[i].verb, wrong[i].reply, SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(a_refusal_is_a_rejection)
{
    static const char *const refusals[] = {"-LOADING Redis is loading the dataset in memory\r\n",
                                           "-OOM command not allowed\r\n", "-READONLY You can't write\r\n",
                                           "-NOAUTH Authentication required.\r\n", "-MISCONF Errors writing\r\n"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        scripted_check_reply(SDI_CACHE_GET, refusals[i], SDI_CACHE_FAULT_REJECTED);
}
END_TEST

START_TEST(a_wrong_password_is_a_rejection)
{
    static const scene strict = {.greeting = "-WRONGPASS invalid username-password pair\r\n",
                                 .greeting_commands = GREETING_COMMANDS + 1};
    scripted.settings.user = "shop";
    scripted.settings.password = "wrong";
    scripted_check_fault(&strict, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1,
                         SDI_CACHE_FAULT_REJECTED);
}
END_TEST

/* Where AUTH is renamed, as on some servers that others run. */
START_TEST(a_password_that_the_server_repeats_is_not_told)
{
    static const scene strange = {.greeting =
                                      "-ERR unknown command 'AUTH', with args beginning with: 'shop' 's3cret' \r\n",
                                  .greeting_commands = GREETING_COMMANDS + 1};
    sdi_buffer trouble = SDI_BUFFER_INIT;
    scripted.settings.user = "shop";
    scripted.settings.password = "s3cret";
    scripted_begin(&strange, 1);
    ck_assert(!scripted_get(SDI_NEVER));
    sdi_cache_trouble(scripted.cache, &trouble);
    ck_assert_ptr_nonnull(strstr(trouble.data, "unknown command 'AUTH'"));
    ck_assert_msg(!strstr(trouble.data, "s3cret"), "%s", trouble.data);
    sdi_buffer_free(&trouble);
    scripted_end();
}
END_TEST

START_TEST(forgotten_scripts_are_sent_again_in_order)
{
    static const scene flushed = {
        .replies = {"+OK\r\n", "-NOSCRIPT No matching script.\r\n", "*1\r\n$19\r\n" EPOCH "old\r\n", ":1\r\n", VALUE}};
    static const sdi_change change = {.point.era = {1, 1}};
    sdi_slice key = sdi_slice_of("key");
    sdi_cache_op batch[] = {{.verb = SDI_CACHE_SET, .key = key, .ttl_ms = 1},
                            {.verb = SDI_CACHE_MERGE, .key = key, .change = &change, .ttl_ms = 1},
                            {.verb = SDI_CACHE_GET, .key = key}};
    scripted_begin(&flushed, 1);
    ck_assert(sdi_cache_run(scripted.cache, batch, 3, SDI_NEVER));
    ck_assert_str_eq(batch[2].block, "hello");
    sdi_free(batch[2].block);
    ck_assert_int_eq(scripted.requests, 5);
    scripted_end();
}
END_TEST

static void fill(TCase *cases)
{
    scripted_fill(cases, &redis);
    tcase_add_test(cases, who_accepts_and_never_answers_is_a_timeout);
    tcase_add_test(cases, what_was_not_asked_for_is_a_protocol_fault);
    tcase_add_test(cases, each_verb_wants_its_own_reply);
    tcase_add_test(cases, a_refusal_is_a_rejection);
    tcase_add_test(cases, a_wrong_password_is_a_rejection);
    tcase_add_test(cases, a_password_that_the_server_repeats_is_not_told);
    tcase_add_test(cases, forgotten_scripts_are_sent_again_in_order);
}

UNIT_MAIN("cache/redis_faults", fill, 60)
