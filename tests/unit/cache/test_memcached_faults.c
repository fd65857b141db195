/* What real memcached servers will not do, by a server that follows a script. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cache/backend.h"

#define VALUE "VALUE key 0 5\r\nhello\r\nEND\r\n"
#define STANDING(cas) "VALUE key 0 1 " cas "\r\nP\r\nEND\r\n"

static const char SILENCE[] = "", TRICKLE[] = "trickle", FLOOD[] = "flood";

enum { REPLIES = 8, TIMEOUT_MS = 150 };

/* One connection: what is said after each request; NULL closes. */
typedef struct scene {
    int delay_ms;
    bool once; /* closes after the first reply, without being asked */
    const char *replies[REPLIES];
} scene;

static struct {
    pthread_t thread;
    int socket;
    const scene *scenes; /* the last one repeats */
    size_t count;
    atomic_int connections, requests;
} server;

static sdi_address where;
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;

/* Reads a request, its data included; false when the client has closed. */
static bool read_request(FILE *in)
{
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

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* A byte now and then, each of which is progress. */
static void trickle(int fd)
{
    say(fd, "VALUE key 0 5000\r\n");
    for (int i = 0; i < 40 && send(fd, "x", 1, MSG_NOSIGNAL) > 0; i++)
        usleep(30000);
}

/* Never ends. */
static void flood(int fd)
{
    static char bytes[65536];
    say(fd, "VALUE key 0 1000000000\r\n");
    for (int i = 0; i < 16000 && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; i++)
        continue;
}

static void reply_to(int fd, const char *reply)
{
    if (reply == FLOOD)
        flood(fd);
    else if (reply == TRICKLE)
        trickle(fd);
    else
        say(fd, reply);
}

static void play(int fd, const scene *played)
{
    FILE *in = fdopen(dup(fd), "r");
    for (int i = 0; i < REPLIES && read_request(in); i++) {
        atomic_fetch_add(&server.requests, 1);
        usleep((useconds_t)played->delay_ms * 1000);
        if (!played->replies[i])
            break;
        reply_to(fd, played->replies[i]);
        if (played->once)
            break;
    }
    fclose(in);
}

static void *serve(void *unused)
{
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0; close(fd)) {
        size_t number = (size_t)atomic_fetch_add(&server.connections, 1);
        play(fd, &server.scenes[number < server.count ? number : server.count - 1]);
    }
    return unused;
}

static void open_cache(void)
{
    metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &cache, NULL), SHOPDATA_OK);
}

static void close_cache(void)
{
    sdi_cache_close(cache);
    sdi_metrics_free(metrics);
}

static void begin(const scene *scenes, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server.socket, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(server.socket, 16), 0);
    ck_assert_int_eq(getsockname(server.socket, (struct sockaddr *)&address, &length), 0);
    server.scenes = scenes;
    server.count = count;
    server.connections = server.requests = 0;
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    where.port = ntohs(address.sin_port);
    open_cache();
}

static void end(void)
{
    close_cache();
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
}

static void set_up(void)
{
    where = (sdi_address){.host = "127.0.0.1"};
    settings = (sdi_cache_settings){
        .kind = SDI_CACHE_MEMCACHED,
        .addresses = &where,
        .address_count = 1,
        .user = "",
        .password = "",
        .connections = 1,
        .connect_timeout_ms = 1000,
        .timeout_ms = TIMEOUT_MS,
        .breaker_failures = 3,
        .breaker_open_ms = 60000,
        .breaker_open_max_ms = 60000,
        .max_entry_bytes = 65536,
    };
}

static bool get(int64_t deadline)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("key"), .headroom = 3};
    bool done = sdi_cache_run(cache, &operation, 1, deadline);
    ck_assert(done || !operation.block);
    if (operation.found)
        ck_assert_str_eq(operation.block + 3, "hello");
    sdi_free(operation.block);
    return done;
}

static bool swap(bool *found)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_SWAP,
                              .key = sdi_slice_of("key"),
                              .expected = sdi_slice_of("P"),
                              .value = sdi_slice_of("F"),
                              .ttl_ms = 60000};
    bool done = sdi_cache_run(cache, &operation, 1, SDI_NEVER);
    *found = operation.found;
    return done;
}

static uint64_t faults(enum sdi_cache_fault fault)
{
    return sdi_counted(metrics, SDI_M_CACHE_ERRORS, fault);
}

static uint64_t all_faults(void)
{
    uint64_t all = 0;
    for (int fault = 0; fault < SDI_CACHE_FAULTS; fault++)
        all += faults((enum sdi_cache_fault)fault);
    return all;
}

/* One operation against one scene fails, in time, as this fault. */
static void check_fault(const scene *played, enum sdi_cache_verb verb, enum sdi_cache_fault fault)
{
    static const sdi_point point = {.era = {1, 1}};
    sdi_cache_op operation = {.verb = verb, .key = sdi_slice_of("key"), .point = &point, .ttl_ms = 60000};
    begin(played, 1);
    int64_t begun = sdi_now();
    ck_assert(!sdi_cache_run(cache, &operation, 1, SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (TIMEOUT_MS + 1000) * 1000);
    ck_assert(!operation.block && !operation.found);
    ck_assert_msg(faults(fault) == 1 && all_faults() == 1, "%s", played->replies[0] ? played->replies[0] : "closed");
    end();
}

static void check_reply(enum sdi_cache_verb verb, const char *reply, enum sdi_cache_fault fault)
{
    scene played = {.replies = {reply}};
    check_fault(&played, verb, fault);
}

START_TEST(answers)
{
    static const scene good = {.replies = {VALUE, VALUE, "END\r\n"}};
    begin(&good, 1);
    for (int i = 0; i < 3; i++)
        ck_assert(get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 1);
    ck_assert_uint_eq(all_faults(), 0);
    end();
}
END_TEST

START_TEST(a_slow_answer_is_a_timeout_in_time)
{
    static const scene slow = {.delay_ms = 600, .replies = {VALUE}};
    check_fault(&slow, SDI_CACHE_GET, SDI_CACHE_FAULT_TIMEOUT);
    check_reply(SDI_CACHE_GET, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    check_reply(SDI_CACHE_SET, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    check_reply(SDI_CACHE_MERGE, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    check_reply(SDI_CACHE_GET, "VALUE key 0 5\r\nhel", SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(a_trickle_does_not_outlast_the_deadline)
{
    check_reply(SDI_CACHE_GET, TRICKLE, SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(a_late_answer_is_nobodys)
{
    static const scene story[] = {{.delay_ms = 400, .replies = {"VALUE key 0 5\r\nstale\r\nEND\r\n"}},
                                  {.replies = {VALUE, VALUE}}};
    begin(story, 2);
    ck_assert(!get(SDI_NEVER));
    usleep(500000); /* the late answer has been sent by now */
    ck_assert(get(SDI_NEVER));
    ck_assert(get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 2);
    end();
}
END_TEST

START_TEST(half_a_reply_then_the_end_is_a_loss)
{
    static const scene half = {.once = true, .replies = {"VALUE key 0 5\r\nhel"}};
    check_fault(&half, SDI_CACHE_GET, SDI_CACHE_FAULT_LOST);
    check_reply(SDI_CACHE_GET, NULL, SDI_CACHE_FAULT_LOST);
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
        check_reply(SDI_CACHE_GET, replies[i], SDI_CACHE_FAULT_PROTOCOL);
    check_reply(SDI_CACHE_SET, "END\r\n", SDI_CACHE_FAULT_PROTOCOL);
    check_reply(SDI_CACHE_ADD, "EXISTS\r\n", SDI_CACHE_FAULT_PROTOCOL);
    check_reply(SDI_CACHE_REMOVE, "STORED\r\n", SDI_CACHE_FAULT_PROTOCOL);
    check_reply(SDI_CACHE_MERGE, "STORED\r\n", SDI_CACHE_FAULT_PROTOCOL);
    check_reply(SDI_CACHE_GET, FLOOD, SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(a_refusal_is_a_rejection)
{
    check_reply(SDI_CACHE_ADD, "SERVER_ERROR out of memory storing object\r\n", SDI_CACHE_FAULT_REJECTED);
    check_reply(SDI_CACHE_MERGE, "SERVER_ERROR out of memory\r\n", SDI_CACHE_FAULT_REJECTED);
    check_reply(SDI_CACHE_GET, "ERROR\r\n", SDI_CACHE_FAULT_REJECTED);
    check_reply(SDI_CACHE_SET, "CLIENT_ERROR bad data chunk\r\n", SDI_CACHE_FAULT_REJECTED);
}
END_TEST

START_TEST(a_set_without_room_is_no_fault)
{
    static const scene full = {.replies = {"SERVER_ERROR out of memory storing object\r\n", "END\r\n"}};
    begin(&full, 1);
    ck_assert(sdi_cache_run(cache, &(sdi_cache_op){.verb = SDI_CACHE_SET, .key = sdi_slice_of("key"), .ttl_ms = 60000},
                            1, SDI_NEVER));
    ck_assert(get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 1);
    ck_assert_uint_eq(all_faults(), 0);
    end();
}
END_TEST

START_TEST(a_race_is_run_again)
{
    static const scene raced = {
        .replies = {STANDING("7"), "EXISTS\r\n", STANDING("8"), "EXISTS\r\n", STANDING("9"), "STORED\r\n"}};
    bool found;
    begin(&raced, 1);
    ck_assert(swap(&found) && found);
    ck_assert_int_eq(server.requests, 6);
    end();
}
END_TEST

START_TEST(a_lost_race_changes_nothing)
{
    static const scene raced = {
        .replies = {STANDING("7"), "EXISTS\r\n", "VALUE key 0 1 8\r\nF\r\nEND\r\n", STANDING("9"), "NOT_FOUND\r\n"}};
    bool found;
    begin(&raced, 1);
    ck_assert(swap(&found) && !found); /* another has put his */
    ck_assert(swap(&found) && !found); /* it went away in between */
    end();
}
END_TEST

/* A cas that got no answer is not sent again: the number it carries is of a server that may have been restarted. */
START_TEST(a_cas_is_sent_once)
{
    static const scene story[] = {{.replies = {STANDING("7"), NULL}}, {.replies = {"STORED\r\n"}}};
    bool found;
    begin(story, 2);
    ck_assert(!swap(&found));
    ck_assert(!found);
    ck_assert_int_eq(server.connections, 1);
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_LOST), 1);
    end();
}
END_TEST

START_TEST(the_breaker_spares_a_server_in_trouble)
{
    static const scene ill = {.replies = {"ERROR\r\n"}};
    begin(&ill, 1);
    for (int i = 0; i < 20; i++)
        ck_assert(!get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 3);
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_REJECTED), 3);
    end();
}
END_TEST

START_TEST(a_short_deadline_is_not_the_servers_fault)
{
    static const scene slow = {.delay_ms = 60, .replies = {VALUE}};
    begin(&slow, 1);
    for (int i = 0; i < 5; i++)
        ck_assert(!get(sdi_deadline_in(10)));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_TIMEOUT), 5);
    usleep(500000); /* the server is behind */
    ck_assert(get(SDI_NEVER));
    end();
}
END_TEST

START_TEST(an_idle_connection_that_was_closed_is_replaced)
{
    static const scene once = {.once = true, .replies = {VALUE}};
    begin(&once, 1);
    for (int i = 0; i < 4; i++) {
        ck_assert(get(SDI_NEVER));
        usleep(20000);
    }
    ck_assert_int_eq(server.connections, 4);
    ck_assert_int_eq(server.requests, 4);
    ck_assert_uint_eq(all_faults(), 0);
    end();
}
END_TEST

START_TEST(what_an_idle_connection_did_not_answer_is_tried_once_more)
{
    static const scene story[] = {{.replies = {VALUE}}, {.replies = {VALUE, VALUE, NULL}}, {.replies = {NULL}}};
    begin(story, 3);
    for (int i = 0; i < 3; i++)
        ck_assert(get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 2);
    ck_assert_uint_eq(all_faults(), 0);
    ck_assert(!get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 3);
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_LOST), 1);
    end();
}
END_TEST

START_TEST(nobody_listens)
{
    static const scene unused = {.replies = {VALUE}};
    begin(&unused, 1);
    end();
    open_cache();
    for (int i = 0; i < 10; i++)
        ck_assert(!get(SDI_NEVER));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_CONNECT), 3);
    close_cache();
    where = (sdi_address){.host = "/nonexistent/socket"};
    open_cache();
    ck_assert(!get(SDI_NEVER));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_CONNECT), 1);
    close_cache();
}
END_TEST

static void *wait_in_vain(void *unused)
{
    int64_t begun = sdi_now();
    ck_assert(!get(SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (2 * TIMEOUT_MS + 1000) * 1000);
    return unused;
}

START_TEST(waiting_for_a_handle_ends)
{
    static const scene silent = {.replies = {SILENCE}};
    pthread_t threads[4];
    begin(&silent, 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_in_vain, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_ge(faults(SDI_CACHE_FAULT_TIMEOUT), 3);
    end();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, answers);
    tcase_add_test(cases, a_slow_answer_is_a_timeout_in_time);
    tcase_add_test(cases, a_trickle_does_not_outlast_the_deadline);
    tcase_add_test(cases, a_late_answer_is_nobodys);
    tcase_add_test(cases, half_a_reply_then_the_end_is_a_loss);
    tcase_add_test(cases, what_was_not_asked_for_is_a_protocol_fault);
    tcase_add_test(cases, a_refusal_is_a_rejection);
    tcase_add_test(cases, a_set_without_room_is_no_fault);
    tcase_add_test(cases, a_race_is_run_again);
    tcase_add_test(cases, a_lost_race_changes_nothing);
    tcase_add_test(cases, a_cas_is_sent_once);
    tcase_add_test(cases, the_breaker_spares_a_server_in_trouble);
    tcase_add_test(cases, a_short_deadline_is_not_the_servers_fault);
    tcase_add_test(cases, an_idle_connection_that_was_closed_is_replaced);
    tcase_add_test(cases, what_an_idle_connection_did_not_answer_is_tried_once_more);
    tcase_add_test(cases, nobody_listens);
    tcase_add_test(cases, waiting_for_a_handle_ends);
}

UNIT_MAIN("cache/memcached_faults", fill, 60)
