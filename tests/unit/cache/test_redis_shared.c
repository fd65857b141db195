/* Many threads on one connection: what happens to one of them, or to the connection, is no harm to the others. The
 * server answers a GET with its key, but for some keys. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../support/caches.h"
#include "../unit.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/random.h"
#include "cache/redis/batch.h"
#include "greeting.h"

enum { CALLERS = 4, STORM_THREADS = 100, STORM_CALLS = 30 };

static struct {
    pthread_t thread;
    int socket;
    atomic_int connections, adds, reads, guests;
    atomic_int deaths;  /* it still dies so many times, of `die` */
    atomic_bool held;   /* no answer to `hold` */
    atomic_bool sleepy; /* takes a while, now and then */
} server;

static sdi_address where = {.host = "127.0.0.1"};
static sdi_cache_settings settings;
static sdi_redis_servers servers;

static bool is_key(const redis_command *asked, const char *key)
{
    return strcmp(asked->words[1], key) == 0;
}

static const char *greeting_answer(const redis_command *asked)
{
    if (!strcmp(asked->words[0], "INFO"))
        return is_key(asked, "server") ? SERVER_REPLY : PRIMARY_REPLY;
    if (!strcmp(asked->words[0], "SCRIPT"))
        return SHA_REPLY;
    return NULL;
}

static void answer_get(const redis_command *asked, char *room, size_t size)
{
    const char *key = asked->words[1];
    server.reads++;
    while (is_key(asked, "hold") && server.held)
        usleep(500);
    if (is_key(asked, "rubbish"))
        snprintf(room, size, "?\r\n");
    else
        snprintf(room, size, "*1\r\n$%zu\r\n%s%s\r\n", strlen(EPOCH) + strlen(key), EPOCH, key);
}

/* False: the connection dies. */
static bool answer(const redis_command *asked, char *room, size_t size)
{
    const char *name = asked->words[0], *given = greeting_answer(asked);
    if (server.sleepy && sdi_random_below(100) == 0)
        usleep((useconds_t)sdi_random_below(3000));
    if (given)
        snprintf(room, size, "%s", given);
    else if (!strcmp(name, "MGET"))
        answer_get(asked, room, size);
    else if (!strcmp(name, "SET"))
        snprintf(room, size, "%s", is_key(asked, "refused") ? "-OOM command not allowed\r\n" : "+OK\r\n");
    else
        snprintf(room, size, ":0\r\n");
    server.adds += !strcmp(name, "EVALSHA");
    return !is_key(asked, "die") || server.deaths-- <= 0;
}

static void *serve_one(void *argument)
{
    int fd = (int)(intptr_t)argument;
    FILE *in = fdopen(fd, "r");
    char room[256];
    for (redis_command asked; redis_read_command(in, &asked) && answer(&asked, room, sizeof room);)
        (void)!send(fd, room, strlen(room), MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    fclose(in);
    server.guests--;
    return NULL;
}

static void *serve(void *unused)
{
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0;) {
        pthread_t thread;
        server.connections++;
        server.guests++;
        pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
    return unused;
}

static void set_up(void)
{
    server.connections = server.adds = server.reads = server.guests = server.deaths = 0;
    server.held = server.sleepy = false;
    server.socket = caches_listen(&where.port);
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    settings = caches_settings(SDI_CACHE_REDIS);
    settings.addresses = &where;
    settings.address_count = 1;
    settings.connect_timeout_ms = 20000;
    settings.breaker_failures = 1000000;
    servers = (sdi_redis_servers){.access.settings = &settings, .primary.access.settings = &settings};
    servers.server = sdi_redis_server_new(servers.access, &servers.primary, NULL);
    ck_assert_ptr_nonnull(servers.server);
}

static void tear_down(void)
{
    sdi_redis_server_free(servers.server);
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
    for (int64_t limit = sdi_deadline_in(UNIT_BUSY_MS); server.guests > 0 && sdi_now() < limit;)
        usleep(500);
}

/* A call in a thread of its own. */
typedef struct caller {
    pthread_t thread;
    sdi_cache_op operation;
    int64_t deadline;
    int outcome;
    sdi_redis_trouble trouble;
} caller;

static void *run_caller(void *argument)
{
    caller *c = argument;
    c->outcome = sdi_redis_batch_run(&servers, &c->operation, 1, c->deadline, false, &c->trouble);
    return NULL;
}

static size_t queue_length(void)
{
    sdi_combiner *combiner = &servers.server->combiner;
    size_t length = 0;
    sdi_lock(&combiner->mutex);
    for (const sdi_combine_request *at = combiner->first; at; at = at->next)
        length++;
    sdi_unlock(&combiner->mutex);
    return length;
}

static caller asks(enum sdi_cache_verb verb, const char *key)
{
    return (caller){.operation = {.verb = verb, .key = sdi_slice_of(key), .value = sdi_slice_of("x"), .ttl_ms = 1000},
                    .deadline = SDI_NEVER};
}

static void call(caller *c)
{
    ck_assert_int_eq(pthread_create(&c->thread, NULL, run_caller, c), 0);
}

/* While `first` is being answered the others gather, in this order, to one batch: on a busy machine perhaps without the
 * first of them, if he has a deadline. */
static void gather(caller *first, caller *others, size_t count)
{
    server.held = true;
    *first = asks(SDI_CACHE_GET, "hold");
    call(first);
    while (server.reads == 0)
        usleep(500);
    for (size_t i = 0; i < count; i++) {
        call(&others[i]);
        while (queue_length() != i + 1 && !sdi_passed(others[0].deadline))
            usleep(500);
    }
}

static void join(caller *c, int outcome)
{
    pthread_join(c->thread, NULL);
    ck_assert_msg(c->outcome == outcome, "%d, not %d: %s", c->outcome, outcome, c->trouble.text);
    if (c->operation.verb != SDI_CACHE_GET || outcome != SDI_REDIS_DONE)
        return;
    ck_assert(c->operation.found);
    ck_assert_str_eq(c->operation.block, c->operation.key.data);
    sdi_free(c->operation.block);
}

START_TEST(who_gathers_shares_a_connection)
{
    caller first, others[CALLERS] = {asks(SDI_CACHE_GET, "a"), asks(SDI_CACHE_SET, "b"), asks(SDI_CACHE_GET, "c"),
                                     asks(SDI_CACHE_ADD, "d")};
    gather(&first, others, CALLERS);
    server.held = false;
    join(&first, SDI_REDIS_DONE);
    for (int i = 0; i < CALLERS; i++)
        join(&others[i], SDI_REDIS_DONE);
    ck_assert_int_eq(server.connections, 1);
}
END_TEST

START_TEST(a_refusal_is_for_who_asked)
{
    caller first, others[CALLERS] = {asks(SDI_CACHE_GET, "a"), asks(SDI_CACHE_SET, "refused"), asks(SDI_CACHE_GET, "c"),
                                     asks(SDI_CACHE_SET, "d")};
    gather(&first, others, CALLERS);
    server.held = false;
    join(&first, SDI_REDIS_DONE);
    join(&others[0], SDI_REDIS_DONE);
    join(&others[1], SDI_CACHE_FAULT_REJECTED);
    ck_assert_ptr_nonnull(strstr(others[1].trouble.text, "127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(others[1].trouble.text, "refused: OOM"));
    join(&others[2], SDI_REDIS_DONE);
    join(&others[3], SDI_REDIS_DONE);
}
END_TEST

/* A connection that dies is met by one more try, but for a placeholder that may have been put. */
START_TEST(who_is_on_a_connection_that_dies_is_sent_again_unless_he_adds)
{
    caller first, others[CALLERS] = {asks(SDI_CACHE_GET, "die"), asks(SDI_CACHE_GET, "b"), asks(SDI_CACHE_ADD, "c"),
                                     asks(SDI_CACHE_SET, "d")};
    server.deaths = 1;
    gather(&first, others, CALLERS);
    server.held = false;
    join(&first, SDI_REDIS_DONE);
    join(&others[0], SDI_REDIS_DONE);
    join(&others[1], SDI_REDIS_DONE);
    join(&others[2], SDI_CACHE_FAULT_LOST);
    join(&others[3], SDI_REDIS_DONE);
    ck_assert_int_eq(server.connections, 2);
    ck_assert_int_eq(server.adds, 0);
}
END_TEST

START_TEST(what_is_no_answer_is_the_fault_of_one)
{
    caller first, others[3] = {asks(SDI_CACHE_SET, "a"), asks(SDI_CACHE_GET, "rubbish"), asks(SDI_CACHE_GET, "c")};
    gather(&first, others, 3);
    server.held = false;
    join(&first, SDI_REDIS_DONE);
    join(&others[0], SDI_CACHE_FAULT_LOST);
    join(&others[1], SDI_CACHE_FAULT_PROTOCOL);
    join(&others[2], SDI_REDIS_DONE);
    ck_assert_int_eq(server.connections, 2);
}
END_TEST

/* The second batch's leader goes while the server thinks: the connection stays, and the others have their answers. */
START_TEST(a_leader_whose_time_is_up_leaves_the_connection_to_the_others)
{
    caller first, others[3] = {asks(SDI_CACHE_GET, "hold"), asks(SDI_CACHE_GET, "b"), asks(SDI_CACHE_GET, "c")};
    server.held = true;
    others[0].deadline = sdi_deadline_in(500);
    gather(&first, others, 3);
    server.held = false;
    join(&first, SDI_REDIS_DONE);
    for (int i = 0; i < 3; i++)
        pthread_join(others[i].thread, NULL);
    ck_assert_int_eq(others[1].outcome, SDI_REDIS_DONE);
    ck_assert_int_eq(others[2].outcome, SDI_REDIS_DONE);
    ck_assert_int_eq(server.connections, 1);
    for (int i = 0; i < 3; i++)
        sdi_free(others[i].operation.block);
}
END_TEST

typedef struct stormer {
    pthread_t thread;
    int number, done;
} stormer;

static void ask_in_storm(stormer *mine, int i)
{
    char key[32];
    sdi_redis_trouble trouble;
    snprintf(key, sizeof key, "key:%d:%d", mine->number, i);
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of(key), .headroom = (size_t)i};
    int64_t deadline = sdi_random_below(3) ? sdi_now() + (int64_t)sdi_random_below(20000) : SDI_NEVER;
    int outcome = sdi_redis_batch_run(&servers, &operation, 1, deadline, false, &trouble);
    ck_assert(outcome == SDI_REDIS_DONE || !operation.block);
    ck_assert_msg(outcome == SDI_REDIS_DONE || deadline != SDI_NEVER || outcome == SDI_CACHE_FAULT_LOST, "%d: %s",
                  outcome, trouble.text);
    if (outcome == SDI_REDIS_DONE)
        ck_assert_str_eq(operation.block + operation.headroom, key);
    mine->done += outcome == SDI_REDIS_DONE;
    sdi_free(operation.block);
}

static void *storm(void *argument)
{
    for (int i = 0; i < STORM_CALLS; i++)
        ask_in_storm(argument, i);
    return NULL;
}

START_TEST(no_answer_is_crossed_in_a_storm_of_deadlines)
{
    static stormer stormers[STORM_THREADS];
    int done = 0;
    server.sleepy = true;
    for (int i = 0; i < STORM_THREADS; i++) {
        stormers[i] = (stormer){.number = i};
        ck_assert_int_eq(pthread_create(&stormers[i].thread, NULL, storm, &stormers[i]), 0);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        pthread_join(stormers[i].thread, NULL);
        done += stormers[i].done;
    }
    ck_assert_int_ge(done, STORM_THREADS * STORM_CALLS / 4); /* those without a deadline, and most others */
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, who_gathers_shares_a_connection);
    tcase_add_test(cases, a_refusal_is_for_who_asked);
    tcase_add_test(cases, who_is_on_a_connection_that_dies_is_sent_again_unless_he_adds);
    tcase_add_test(cases, what_is_no_answer_is_the_fault_of_one);
    tcase_add_test(cases, a_leader_whose_time_is_up_leaves_the_connection_to_the_others);
    tcase_add_test(cases, no_answer_is_crossed_in_a_storm_of_deadlines);
}

UNIT_MAIN("cache/redis_shared", fill, 60)
