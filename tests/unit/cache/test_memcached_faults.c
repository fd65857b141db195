/* What real memcached servers will not do, by a server that follows a script. */
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "scripted.h"

#define VALUE "VALUE key 0 5\r\nhello\r\nEND\r\n"
#define STANDING(cas) "VALUE key 0 1 " cas "\r\nP\r\nEND\r\n"

/* Reads a request, its data included; false when the client has closed. */
static bool read_request(int unused, FILE *in)
{
    (void)unused;
    char line[512], verb[8] = "";
    size_t length = 0;
    if (!fgets(line, sizeof line, in))
        return false;
    bool stores = sscanf(line, "%7s %*s %*s %*s %zu", verb, &length) == 2;
    for (size_t i = 0; stores && i < length + 2; i++)
        if (fgetc(in) == EOF)
            return false;
    return true;
}

static sdi_cache_settings memcached_settings(void)
{
    return caches_settings(SDI_CACHE_MEMCACHED);
}

static const scripted_protocol memcached = {
    .settings = memcached_settings,
    .read_request = read_request,
    .value = VALUE,
    .missing = "END\r\n",
    .half = "VALUE key 0 5\r\nhel",
    .refusal = "ERROR\r\n",
    .trickle = "VALUE key 0 5000\r\n",
    .flood = "VALUE key 0 1000000000\r\n",
};

static bool swap(bool *found)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_SWAP,
                              .key = sdi_slice_of("key"),
                              .expected = sdi_slice_of("P"),
                              .value = sdi_slice_of("F"),
                              .ttl_ms = 60000};
    bool done = sdi_cache_run(scripted.cache, &operation, 1, SDI_NEVER);
    *found = operation.found;
    return done;
}

START_TEST(a_late_answer_is_nobodys)
{
    static const scene story[] = {{.replies = {"VALUE key 0 5\r\nstale\r\nEND\r\n"}}, {.replies = {VALUE, VALUE}}};
    scripted_begin(story, 2);
    scripted.held = true;
    ck_assert(!scripted_get(sdi_deadline_in(SCRIPTED_TIMEOUT_MS)));
    scripted.held = false;
    while (scripted.requests > scripted.replies)
        usleep(500);
    ck_assert(scripted_get(SDI_NEVER));
    ck_assert(scripted_get(SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 2);
    scripted_end();
}
END_TEST

START_TEST(what_was_not_asked_for_is_a_protocol_fault)
{
    static const char *const replies[] = {"hello\r\n",
                                          "\r\n",
                                          "STORED\r\n",
                                          "VALUE other 0 5\r\nhello\r\nEND\r\n",
                                          "VALUE key 0 99999999\r\n",
                                          "VALUE key 0 5\r\nhello!\r\nEND\r\n",
                                          VALUE VALUE,
                                          "END\r\nEND\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        scripted_check_reply(SDI_CACHE_GET, replies[i], SDI_CACHE_FAULT_PROTOCOL);
    scripted_check_reply(SDI_CACHE_SET, "END\r\n", SDI_CACHE_FAULT_PROTOCOL);
    scripted_check_reply(SDI_CACHE_ADD, "EXISTS\r\n", SDI_CACHE_FAULT_PROTOCOL);
    scripted_check_reply(SDI_CACHE_REMOVE, "STORED\r\n", SDI_CACHE_FAULT_PROTOCOL);
    scripted_check_reply(SDI_CACHE_MERGE, "STORED\r\n", SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(a_refusal_is_a_rejection)
{
    scripted_check_reply(SDI_CACHE_ADD, "SERVER_ERROR out of memory storing object\r\n", SDI_CACHE_FAULT_REJECTED);
    scripted_check_reply(SDI_CACHE_MERGE, "SERVER_ERROR out of memory\r\n", SDI_CACHE_FAULT_REJECTED);
    scripted_check_reply(SDI_CACHE_GET, "ERROR\r\n", SDI_CACHE_FAULT_REJECTED);
    scripted_check_reply(SDI_CACHE_SET, "CLIENT_ERROR bad data chunk\r\n", SDI_CACHE_FAULT_REJECTED);
}
END_TEST

START_TEST(a_set_without_room_is_no_fault)
{
    static const scene full = {.replies = {"SERVER_ERROR out of memory storing object\r\n", "STORED\r\n"}};
    sdi_cache_op set = {.verb = SDI_CACHE_SET, .key = sdi_slice_of("key"), .ttl_ms = 60000};
    scripted_begin(&full, 1);
    ck_assert(sdi_cache_run(scripted.cache, &set, 1, SDI_NEVER));
    ck_assert(sdi_cache_run(scripted.cache, &set, 1, SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 1);
    ck_assert_uint_eq(caches_faults(scripted.metrics), 0);
    scripted_end();
}
END_TEST

static sdi_cache_op get_of(const char *key)
{
    return (sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of(key)};
}

/* As a proxy may have gathered them from several servers. */
START_TEST(values_asked_together_come_in_any_order)
{
    static const scene mixed = {.replies = {"VALUE c 0 1\r\n3\r\nVALUE a 0 1\r\n1\r\nEND\r\n", "END\r\n"}};
    sdi_cache_op gets[] = {get_of("a"), get_of("b"), get_of("c")};
    scripted_begin(&mixed, 1);
    ck_assert(sdi_cache_run(scripted.cache, gets, 3, SDI_NEVER));
    ck_assert_int_eq(scripted.requests, 1);
    ck_assert(gets[0].found && !gets[1].found && gets[2].found);
    ck_assert_str_eq(gets[0].block, "1");
    ck_assert_str_eq(gets[2].block, "3");
    sdi_free(gets[0].block);
    sdi_free(gets[2].block);
    ck_assert(sdi_cache_run(scripted.cache, gets, 3, SDI_NEVER));
    ck_assert(!gets[0].found && !gets[1].found && !gets[2].found);
    scripted_end();
}
END_TEST

START_TEST(of_values_asked_together_none_is_another)
{
    static const char *const replies[] = {
        "VALUE d 0 1\r\n4\r\nEND\r\n", "VALUE a 0 1\r\n1\r\nVALUE a 0 1\r\n1\r\nEND\r\n",
        "VALUE b 0 1\r\n1\r\nSTORED\r\n", "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n22\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        scene played = {.replies = {replies[i]}};
        sdi_cache_op gets[] = {get_of("a"), get_of("b")};
        scripted_check_fault(&played, gets, 2, SDI_CACHE_FAULT_PROTOCOL);
    }
}
END_TEST

START_TEST(a_race_is_run_again)
{
    static const scene raced = {
        .replies = {STANDING("7"), "EXISTS\r\n", STANDING("8"), "EXISTS\r\n", STANDING("9"), "STORED\r\n"}};
    bool found;
    scripted_begin(&raced, 1);
    ck_assert(swap(&found) && found);
    ck_assert_int_eq(scripted.requests, 6);
    scripted_end();
}
END_TEST

START_TEST(a_lost_race_changes_nothing)
{
    static const scene raced = {
        .replies = {STANDING("7"), "EXISTS\r\n", "VALUE key 0 1 8\r\nF\r\nEND\r\n", STANDING("9"), "NOT_FOUND\r\n"}};
    bool found;
    scripted_begin(&raced, 1);
    ck_assert(swap(&found) && !found); /* another has put his */
    ck_assert(swap(&found) && !found); /* it went away in between */
    scripted_end();
}
END_TEST

/* A cas that got no answer is not sent again: the number it carries is of a server that may have been restarted. */
START_TEST(a_cas_is_sent_once)
{
    static const scene story[] = {{.replies = {STANDING("7"), NULL}}, {.replies = {"STORED\r\n"}}};
    bool found;
    scripted_begin(story, 2);
    ck_assert(!swap(&found));
    ck_assert(!found);
    ck_assert_int_eq(scripted.connections, 1);
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_LOST), 1);
    scripted_end();
}
END_TEST

static void fill(TCase *cases)
{
    scripted_fill(cases, &memcached);
    tcase_add_test(cases, a_late_answer_is_nobodys);
    tcase_add_test(cases, what_was_not_asked_for_is_a_protocol_fault);
    tcase_add_test(cases, a_refusal_is_a_rejection);
    tcase_add_test(cases, a_set_without_room_is_no_fault);
    tcase_add_test(cases, values_asked_together_come_in_any_order);
    tcase_add_test(cases, of_values_asked_together_none_is_another);
    tcase_add_test(cases, a_race_is_run_again);
    tcase_add_test(cases, a_lost_race_changes_nothing);
    tcase_add_test(cases, a_cas_is_sent_once);
}

UNIT_MAIN("cache/memcached_faults", fill, 60)
