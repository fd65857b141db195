#include "scripted.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

const char SILENCE[] = "", TRICKLE[] = "trickle", FLOOD[] = "flood";

struct scripted scripted;

static struct {
    pthread_t thread;
    int socket;
    const scene *scenes;
    size_t count;
} server;

/* ------------------------------------------------------------------------------------------------------- the server */

void scripted_say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* A byte now and then, each of which is progress. */
static void trickle(int fd)
{
    scripted_say(fd, scripted.protocol->trickle);
    for (int i = 0; i < 40 && send(fd, "x", 1, MSG_NOSIGNAL) > 0; i++)
        usleep(30000);
}

/* Sends until the client has had enough. */
static void flood(int fd)
{
    static char bytes[65536];
    scripted_say(fd, scripted.protocol->flood);
    for (int i = 0; i < 16000 && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; i++)
        continue;
}

static void reply_to(int fd, const char *reply)
{
    size_t length = strlen(reply);
    scripted.mute = length == 0 || reply[length - 1] != '\n';
    if (reply == FLOOD)
        flood(fd);
    else if (reply == TRICKLE)
        trickle(fd);
    else
        scripted_say(fd, reply);
}

static void play(int fd, const scene *played)
{
    const scripted_protocol *protocol = scripted.protocol;
    FILE *in = fdopen(dup(fd), "r");
    if (protocol->greet)
        protocol->greet(fd, in, played);
    for (int i = 0; i < SCRIPTED_REPLIES && protocol->read_request(fd, in); i++) {
        atomic_fetch_add(&scripted.requests, 1);
        while (atomic_load(&scripted.held))
            usleep(500);
        if (!played->replies[i])
            break;
        reply_to(fd, played->replies[i]);
        atomic_fetch_add(&scripted.replies, 1);
        if (played->once && protocol->part)
            protocol->part(fd, in);
        if (played->once)
            break;
    }
    fclose(in);
}

static void *serve(void *unused)
{
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0; close(fd)) {
        size_t number = (size_t)atomic_fetch_add(&scripted.connections, 1);
        play(fd, &server.scenes[number < server.count ? number : server.count - 1]);
    }
    return unused;
}

void scripted_begin(const scene *scenes, size_t count)
{
    server.socket = caches_listen(&scripted.where.port);
    server.scenes = scenes;
    server.count = count;
    scripted.connections = scripted.requests = scripted.replies = 0;
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    scripted.cache = caches_open(&scripted.settings, &scripted.metrics);
}

void scripted_end(void)
{
    caches_close(scripted.cache, scripted.metrics);
    scripted.held = false;
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
}

/* ------------------------------------------------------------------------------------------------------- the client */

bool scripted_get(int64_t deadline)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("key"), .headroom = 3};
    bool done = sdi_cache_run(scripted.cache, &operation, 1, deadline);
    ck_assert(done || !operation.block);
    if (operation.found)
        ck_assert_str_eq(operation.block + 3, "hello");
    sdi_free(operation.block);
    return done;
}

uint64_t scripted_faults(enum sdi_cache_fault fault)
{
    return sdi_counted(scripted.metrics, SDI_M_CACHE_ERRORS, fault);
}

void scripted_check_fault(const scene *played, sdi_cache_op *operations, size_t count, enum sdi_cache_fault fault)
{
    if (fault == SDI_CACHE_FAULT_TIMEOUT)
        scripted.settings.timeout_ms = SCRIPTED_TIMEOUT_MS;
    scripted_begin(played, 1);
    int64_t begun = sdi_now();
    ck_assert(!sdi_cache_run(scripted.cache, operations, count, SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (SCRIPTED_TIMEOUT_MS + UNIT_BUSY_MS) * 1000);
    for (size_t i = 0; i < count; i++)
        ck_assert(!operations[i].block && !operations[i].found);
    ck_assert_msg(scripted_faults(fault) == 1 && caches_faults(scripted.metrics) == 1, "%s",
                  played->replies[0] ? played->replies[0] : "closed");
    scripted_end();
}

void scripted_check_reply(enum sdi_cache_verb verb, const char *reply, enum sdi_cache_fault fault)
{
    static const sdi_change change = {.point.era = {1, 1}};
    scene played = {.replies = {reply}};
    sdi_cache_op operation = {.verb = verb, .key = sdi_slice_of("key"), .change = &change, .ttl_ms = 60000};
    scripted_check_fault(&played, &operation, 1, fault);
}

static void set_up(void)
{
    scripted.where = (sdi_address){.host = "127.0.0.1"};
    scripted.settings = scripted.protocol->settings();
    scripted.settings.addresses = &scripted.where;
    scripted.settings.address_count = 1;
    scripted.settings.connect_timeout_ms = scripted.settings.timeout_ms = UNIT_BUSY_MS;
    scripted.held = false;
}

/* -------------------------------------------------------------------------------------------------------- the tests */

START_TEST(answers)
{
    const char *value = scripted.protocol->value;
    scene good = {.replies = {value, value, scripted.protocol->missing}};
    scripted_begin(&good, 1);
    for (int i = 0; i < 3; i++)
        ck_assert(scripted_get(SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 1);
    ck_assert_uint_eq(caches_faults(scripted.metrics), 0);
    scripted_end();
}
END_TEST

START_TEST(a_slow_answer_is_a_timeout_in_time)
{
    scene slow = {.replies = {scripted.protocol->value}};
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")};
    scripted.held = true;
    scripted_check_fault(&slow, &operation, 1, SDI_CACHE_FAULT_TIMEOUT);
    scripted_check_reply(SDI_CACHE_GET, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    scripted_check_reply(SDI_CACHE_SET, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    scripted_check_reply(SDI_CACHE_MERGE, SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    scripted_check_reply(SDI_CACHE_GET, scripted.protocol->half, SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(a_trickle_does_not_outlast_the_deadline)
{
    scripted_check_reply(SDI_CACHE_GET, TRICKLE, SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(a_flood_is_cut_off)
{
    scripted_check_reply(SDI_CACHE_GET, FLOOD, SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(half_a_reply_then_the_end_is_a_loss)
{
    scene half = {.once = true, .replies = {scripted.protocol->half}};
    sdi_cache_op both[] = {{.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")},
                           {.verb = SDI_CACHE_SET, .key = sdi_slice_of("other"), .ttl_ms = 1000}};
    scripted_check_fault(&half, both, 2, SDI_CACHE_FAULT_LOST);
    scripted_check_reply(SDI_CACHE_GET, NULL, SDI_CACHE_FAULT_LOST);
}
END_TEST

START_TEST(the_breaker_spares_a_server_in_trouble)
{
    scene ill = {.replies = {scripted.protocol->refusal}};
    scripted_begin(&ill, 1);
    for (int i = 0; i < 20; i++)
        ck_assert(!scripted_get(SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 3);
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_REJECTED), 3);
    scripted_end();
}
END_TEST

START_TEST(the_breaker_lets_a_probe_find_it_well_again)
{
    const char *value = scripted.protocol->value;
    scene story[] = {{.replies = {scripted.protocol->refusal}}, {.replies = {value, value}}};
    scripted.settings.breaker_failures = 1;
    scripted.settings.breaker_open_ms = scripted.settings.breaker_open_max_ms = 50;
    scripted_begin(story, 2);
    ck_assert(!scripted_get(SDI_NEVER));
    usleep(80000);
    ck_assert(scripted_get(SDI_NEVER));
    ck_assert(scripted_get(SDI_NEVER));
    scripted_end();
}
END_TEST

START_TEST(a_short_deadline_is_not_the_servers_fault)
{
    scene slow = {.replies = {scripted.protocol->value}};
    scripted_begin(&slow, 1);
    scripted.held = true;
    for (int i = 0; i < 5; i++)
        ck_assert(!scripted_get(sdi_deadline_in(10)));
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_TIMEOUT), 5);
    scripted.held = false;
    ck_assert(scripted_get(SDI_NEVER));
    scripted_end();
}
END_TEST

START_TEST(an_idle_connection_that_was_closed_is_replaced)
{
    scene once = {.once = true, .replies = {scripted.protocol->value}};
    scripted_begin(&once, 1);
    for (int i = 0; i < 4; i++) {
        ck_assert(scripted_get(SDI_NEVER));
        usleep(20000);
    }
    ck_assert_int_eq(scripted.connections, 4);
    ck_assert_int_eq(scripted.requests, 4);
    ck_assert_uint_eq(caches_faults(scripted.metrics), 0);
    scripted_end();
}
END_TEST

/* As when the server goes just as a request is sent to it. */
START_TEST(what_an_idle_connection_did_not_answer_is_tried_once_more)
{
    const char *value = scripted.protocol->value;
    scene story[] = {{.replies = {value}}, {.replies = {value, value, NULL}}, {.replies = {NULL}}};
    scripted_begin(story, 3);
    for (int i = 0; i < 3; i++)
        ck_assert(scripted_get(SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 2);
    ck_assert_uint_eq(caches_faults(scripted.metrics), 0);
    ck_assert(!scripted_get(SDI_NEVER));
    ck_assert_int_eq(scripted.connections, 3);
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_LOST), 1);
    scripted_end();
}
END_TEST

START_TEST(nobody_listens)
{
    scene unused = {.replies = {scripted.protocol->value}};
    scripted_begin(&unused, 1);
    scripted_end();
    scripted.cache = caches_open(&scripted.settings, &scripted.metrics);
    for (int i = 0; i < 10; i++)
        ck_assert(!scripted_get(SDI_NEVER));
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_CONNECT), 3);
    caches_close(scripted.cache, scripted.metrics);
    scripted.where = (sdi_address){.host = "/nonexistent/socket"};
    scripted.cache = caches_open(&scripted.settings, &scripted.metrics);
    ck_assert(!scripted_get(SDI_NEVER));
    ck_assert_uint_eq(scripted_faults(SDI_CACHE_FAULT_CONNECT), 1);
    caches_close(scripted.cache, scripted.metrics);
}
END_TEST

static void *wait_in_vain(void *unused)
{
    int64_t begun = sdi_now();
    ck_assert(!scripted_get(SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (2 * SCRIPTED_TIMEOUT_MS + UNIT_BUSY_MS) * 1000);
    return unused;
}

START_TEST(waiting_for_a_connection_ends)
{
    static const scene silent = {.replies = {SILENCE}};
    pthread_t threads[4];
    scripted.settings.timeout_ms = SCRIPTED_TIMEOUT_MS;
    scripted_begin(&silent, 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_in_vain, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    /* Who comes late on a busy machine gets the connection of one whose time is up, and meets no server any more. */
    ck_assert_uint_ge(scripted_faults(SDI_CACHE_FAULT_TIMEOUT), 1);
    scripted_end();
}
END_TEST

void scripted_fill(TCase *cases, const scripted_protocol *protocol)
{
    scripted.protocol = protocol;
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, answers);
    tcase_add_test(cases, a_slow_answer_is_a_timeout_in_time);
    tcase_add_test(cases, a_trickle_does_not_outlast_the_deadline);
    tcase_add_test(cases, a_flood_is_cut_off);
    tcase_add_test(cases, half_a_reply_then_the_end_is_a_loss);
    tcase_add_test(cases, the_breaker_spares_a_server_in_trouble);
    tcase_add_test(cases, the_breaker_lets_a_probe_find_it_well_again);
    tcase_add_test(cases, a_short_deadline_is_not_the_servers_fault);
    tcase_add_test(cases, an_idle_connection_that_was_closed_is_replaced);
    tcase_add_test(cases, what_an_idle_connection_did_not_answer_is_tried_once_more);
    tcase_add_test(cases, nobody_listens);
    tcase_add_test(cases, waiting_for_a_connection_ends);
}
