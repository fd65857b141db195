/* What real servers will not do, by a server that follows a script. */
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
#include "greeting.h"

static const char SILENCE[] = "", FLOOD[] = "flood";

enum { REPLIES = 8, TIMEOUT_MS = 150 };

/* One connection: what is sent after the greeting's commands, and after each command then; NULL closes. */
typedef struct scene {
    const char *greeting;  /* NULL: the ordinary one */
    int greeting_commands; /* 0: as many as there are without AUTH */
    int delay_ms;
    bool once; /* closes after the first reply, without being asked */
    const char *replies[REPLIES];
} scene;

static struct {
    pthread_t thread;
    int socket;
    const scene *scenes; /* the last one repeats */
    size_t count;
    atomic_int connections, commands;
    bool mute;                   /* the last reply was none, or half of one: a probe's would be taken for it */
    char last[64], argument[64]; /* of the last command: its name, and its last argument */
} server;

static sdi_address where;
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;

/* Reads a command; false when the client has closed. */
static bool read_command(FILE *in)
{
    char line[64], *rest = NULL;
    if (!fgets(line, sizeof line, in))
        return false;
    for (long i = 0, count = strtol(line + 1, NULL, 10); i < count; i++) {
        if (!fgets(line, sizeof line, in))
            return false;
        size_t length = (size_t)strtol(line + 1, NULL, 10) + 2;
        rest = malloc(length);
        bool whole = rest && fread(rest, 1, length, in) == length;
        if (whole)
            snprintf(i == 0 ? server.last : server.argument, sizeof server.last, "%.*s", (int)length - 2, rest);
        free(rest);
        if (!whole)
            return false;
    }
    return true;
}

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Announces a gigabyte, and sends until the client has had enough. */
static void flood(int fd)
{
    static char bytes[65536];
    say(fd, "*1\r\n$1000000000\r\n");
    for (int i = 0; i < 16000 && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; i++)
        continue;
}

static void reply_to(int fd, const char *reply)
{
    size_t length = strlen(reply);
    server.mute = length == 0 || reply[length - 1] != '\n';
    if (reply == FLOOD)
        flood(fd);
    else
        say(fd, reply);
}

/* The command that only a primary carries out is answered as one does, and is no part of the script. */
static bool is_probe(void)
{
    return strcmp(server.last, "UNLINK") == 0 && strcmp(server.argument, "shop:probe") == 0;
}

/* Reads a command that is no probe. */
static bool read_scripted(int fd, FILE *in)
{
    while (read_command(in)) {
        if (!is_probe())
            return true;
        if (!server.mute)
            say(fd, ":0\r\n");
    }
    return false;
}

static void play(int fd, const scene *played)
{
    FILE *in = fdopen(dup(fd), "r");
    for (int i = 0; i < (played->greeting_commands ? played->greeting_commands : GREETING_COMMANDS); i++)
        read_command(in);
    say(fd, played->greeting ? played->greeting : GREETING);
    for (int i = 0; i < REPLIES && read_scripted(fd, in); i++) {
        atomic_fetch_add(&server.commands, 1);
        usleep((useconds_t)played->delay_ms * 1000);
        if (!played->replies[i])
            break;
        reply_to(fd, played->replies[i]);
        if (played->once) {
            read_command(in); /* the probe */
            say(fd, ":0\r\n");
            break;
        }
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
    server.connections = server.commands = 0;
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    where.port = ntohs(address.sin_port);
    metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &cache, NULL), SHOPDATA_OK);
}

static void end(void)
{
    sdi_cache_close(cache);
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
    sdi_metrics_free(metrics);
}

static void set_up(void)
{
    where = (sdi_address){"127.0.0.1", 0};
    settings = (sdi_cache_settings){
        .kind = SDI_CACHE_REDIS,
        .addresses = &where,
        .address_count = 1,
        .user = "",
        .password = "",
        .key_prefix = "shop",
        .sentinel_primary = "",
        .sentinel_password = "",
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

/* One run of these operations against one scene fails, in time, as this fault. */
static void check_fault(const scene *played, sdi_cache_op *operations, size_t count, enum sdi_cache_fault fault)
{
    begin(played, 1);
    int64_t begun = sdi_now();
    ck_assert(!sdi_cache_run(cache, operations, count, SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (TIMEOUT_MS + 1000) * 1000);
    for (size_t i = 0; i < count; i++)
        ck_assert(!operations[i].block && !operations[i].found);
    ck_assert_msg(faults(fault) == 1 && all_faults() == 1, "%s", played->replies[0] ? played->replies[0] : "closed");
    end();
}

static void check_get_fault(const char *reply, enum sdi_cache_fault fault)
{
    scene played = {.replies = {reply}};
    check_fault(&played, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1, fault);
}

START_TEST(answers)
{
    static const scene good = {.replies = {VALUE, VALUE, "*1\r\n$-1\r\n"}};
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
    check_fault(&slow, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1, SDI_CACHE_FAULT_TIMEOUT);
    check_get_fault(SILENCE, SDI_CACHE_FAULT_TIMEOUT);
    check_get_fault("*1\r\n$5\r\nhel", SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(who_accepts_and_never_answers_is_a_timeout)
{
    static const scene mute = {.greeting = SILENCE};
    check_fault(&mute, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1, SDI_CACHE_FAULT_TIMEOUT);
}
END_TEST

START_TEST(half_a_reply_then_the_end_is_a_loss)
{
    static const scene halves = {.replies = {"*1\r\n$5\r\nhel"}};
    sdi_cache_op both[] = {{.verb = SDI_CACHE_GET, .key = sdi_slice_of("a")},
                           {.verb = SDI_CACHE_SET, .key = sdi_slice_of("b"), .ttl_ms = 1}};
    check_fault(&halves, both, 2, SDI_CACHE_FAULT_LOST);
    check_get_fault(NULL, SDI_CACHE_FAULT_LOST);
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
        check_get_fault(replies[i], SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(each_verb_wants_its_own_reply)
{
    static const sdi_point point = {.era = {1, 1}};
    static const struct {
        enum sdi_cache_verb verb;
        const char *reply;
    } wrong[] = {
        {SDI_CACHE_SET, ":1\r\n"},       {SDI_CACHE_SET, "$-1\r\n"},    {SDI_CACHE_SET, "+QUEUED\r\n"},
        {SDI_CACHE_SET, "$2\r\nOK\r\n"}, {SDI_CACHE_ADD, "+OK\r\n"},    {SDI_CACHE_ADD, "*0\r\n"},
        {SDI_CACHE_REMOVE, "+OK\r\n"},   {SDI_CACHE_REMOVE, "$-1\r\n"}, {SDI_CACHE_SWAP, "+OK\r\n"},
        {SDI_CACHE_MERGE, "+OK\r\n"},    {SDI_CACHE_MERGE, "$-1\r\n"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scene played = {.replies = {wrong[i].reply}};
        sdi_cache_op operation = {.verb = wrong[i].verb, .key = sdi_slice_of("key"), .point = &point, .ttl_ms = 1};
        check_fault(&played, &operation, 1, SDI_CACHE_FAULT_PROTOCOL);
    }
}
END_TEST

START_TEST(a_flood_is_cut_off)
{
    check_get_fault(FLOOD, SDI_CACHE_FAULT_PROTOCOL);
}
END_TEST

START_TEST(a_refusal_is_a_rejection)
{
    static const char *const refusals[] = {"-LOADING Redis is loading the dataset in memory\r\n",
                                           "-OOM command not allowed\r\n", "-READONLY You can't write\r\n",
                                           "-NOAUTH Authentication required.\r\n", "-MISCONF Errors writing\r\n"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_get_fault(refusals[i], SDI_CACHE_FAULT_REJECTED);
}
END_TEST

START_TEST(a_wrong_password_is_a_rejection)
{
    static const scene strict = {.greeting = "-WRONGPASS invalid username-password pair\r\n",
                                 .greeting_commands = GREETING_COMMANDS + 1};
    settings.user = "shop";
    settings.password = "wrong";
    check_fault(&strict, &(sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")}, 1,
                SDI_CACHE_FAULT_REJECTED);
}
END_TEST

START_TEST(the_breaker_spares_a_server_in_trouble)
{
    static const scene loading = {.replies = {"-LOADING\r\n"}};
    begin(&loading, 1);
    for (int i = 0; i < 20; i++)
        ck_assert(!get(SDI_NEVER));
    ck_assert_int_eq(server.connections, 3);
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_REJECTED), 3);
    end();
}
END_TEST

START_TEST(the_breaker_lets_a_probe_find_it_well_again)
{
    static const scene story[] = {{.replies = {"-LOADING\r\n"}}, {.replies = {VALUE, VALUE}}};
    settings.breaker_failures = 1;
    settings.breaker_open_ms = settings.breaker_open_max_ms = 50;
    begin(story, 2);
    ck_assert(!get(SDI_NEVER));
    ck_assert(!get(SDI_NEVER));
    usleep(80000);
    ck_assert(get(SDI_NEVER));
    ck_assert(get(SDI_NEVER));
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
    ck_assert_int_eq(server.commands, 4);
    ck_assert_uint_eq(all_faults(), 0);
    end();
}
END_TEST

/* As when the server goes just as a command is sent to it. */
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

START_TEST(forgotten_scripts_are_sent_again_in_order)
{
    static const scene flushed = {
        .replies = {"+OK\r\n", "-NOSCRIPT No matching script.\r\n", "*1\r\n$19\r\n" EPOCH "old\r\n", ":1\r\n", VALUE}};
    static const sdi_point point = {.era = {1, 1}};
    sdi_slice key = sdi_slice_of("key");
    sdi_cache_op batch[] = {{.verb = SDI_CACHE_SET, .key = key, .ttl_ms = 1},
                            {.verb = SDI_CACHE_MERGE, .key = key, .point = &point, .ttl_ms = 1},
                            {.verb = SDI_CACHE_GET, .key = key}};
    begin(&flushed, 1);
    ck_assert(sdi_cache_run(cache, batch, 3, SDI_NEVER));
    ck_assert_str_eq(batch[2].block, "hello");
    sdi_free(batch[2].block);
    ck_assert_int_eq(server.commands, 5);
    end();
}
END_TEST

START_TEST(nobody_listens)
{
    static const scene unused = {.replies = {VALUE}};
    begin(&unused, 1);
    end();
    metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &cache, NULL), SHOPDATA_OK);
    for (int i = 0; i < 10; i++)
        ck_assert(!get(SDI_NEVER));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_CONNECT), 3);
    sdi_cache_close(cache);
    where = (sdi_address){"/nonexistent/socket", 0};
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &cache, NULL), SHOPDATA_OK);
    ck_assert(!get(SDI_NEVER));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_CONNECT), 4);
    sdi_cache_close(cache);
    sdi_metrics_free(metrics);
}
END_TEST

static void *wait_in_vain(void *unused)
{
    int64_t begun = sdi_now();
    ck_assert(!get(SDI_NEVER));
    ck_assert_int_lt(sdi_now() - begun, (2 * TIMEOUT_MS + 1000) * 1000);
    return unused;
}

START_TEST(waiting_for_a_connection_ends)
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
    tcase_add_test(cases, who_accepts_and_never_answers_is_a_timeout);
    tcase_add_test(cases, half_a_reply_then_the_end_is_a_loss);
    tcase_add_test(cases, what_was_not_asked_for_is_a_protocol_fault);
    tcase_add_test(cases, each_verb_wants_its_own_reply);
    tcase_add_test(cases, a_flood_is_cut_off);
    tcase_add_test(cases, a_refusal_is_a_rejection);
    tcase_add_test(cases, a_wrong_password_is_a_rejection);
    tcase_add_test(cases, the_breaker_spares_a_server_in_trouble);
    tcase_add_test(cases, the_breaker_lets_a_probe_find_it_well_again);
    tcase_add_test(cases, a_short_deadline_is_not_the_servers_fault);
    tcase_add_test(cases, an_idle_connection_that_was_closed_is_replaced);
    tcase_add_test(cases, what_an_idle_connection_did_not_answer_is_tried_once_more);
    tcase_add_test(cases, forgotten_scripts_are_sent_again_in_order);
    tcase_add_test(cases, nobody_listens);
    tcase_add_test(cases, waiting_for_a_connection_ends);
}

UNIT_MAIN("cache/redis_faults", fill, 60)
