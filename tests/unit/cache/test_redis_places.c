/* Where an operation goes: the answers by which a cluster, a sentinel or a demoted primary sends it elsewhere, by two
 * servers that answer what they are told. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../support/caches.h"
#include "../unit.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "cache/redis/slot.h"
#include "greeting.h"

enum { SERVERS = 2, ANSWERS = 8, SEEN_MAX = 4096, TIMEOUT_MS = 5000 };

/* One server. Under the lock: `answers` are given to the next commands that are no greeting, then the ordinary ones;
 * `seen` is their names, with a blank behind each. */
typedef struct place {
    pthread_t thread;
    int socket;
    int64_t port;
    const char *replication; /* what it says of its role */
    const char *answers[ANSWERS];
    size_t answered;
    char seen[SEEN_MAX];
} place;

static place places[SERVERS];
static sdi_mutex lock = SDI_MUTEX_INIT;
static sdi_condition arrived;     /* a command, or the end of a guest */
static int guests;                /* connections that are being served */
static char map[256], named[256]; /* what CLUSTER SLOTS and SENTINEL answer */
static char to_first[64], to_second[64], ask_second[64];
static bool together; /* nobody answers before both have been asked */
static sdi_address addresses[SERVERS];
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;

static const char *greeting_answer(const place *at, const redis_command *asked)
{
    const char *name = asked->words[0];
    if (!strcmp(name, "INFO"))
        return strcmp(asked->words[1], "server") ? at->replication : SERVER_REPLY;
    if (!strcmp(name, "SCRIPT"))
        return SHA_REPLY;
    if (!strcmp(name, "CLUSTER"))
        return map;
    if (!strcmp(name, "SENTINEL"))
        return named;
    return NULL;
}

static const char *ordinary_answer(const redis_command *asked)
{
    const char *name = asked->words[0];
    if (!strcmp(name, "MGET"))
        return VALUE;
    return !strcmp(name, "SET") || !strcmp(name, "ASKING") ? "+OK\r\n" : ":0\r\n";
}

static bool all_seen(void)
{
    for (size_t i = 0; i < SERVERS; i++)
        if (!*places[i].seen)
            return false;
    return true;
}

static const char *answer(place *at, const redis_command *asked)
{
    const char *given = greeting_answer(at, asked);
    if (given)
        return given;
    size_t length = strlen(at->seen);
    snprintf(at->seen + length, sizeof at->seen - length, "%s ", asked->words[0]);
    sdi_wake_all(&arrived);
    for (int64_t limit = sdi_deadline_in(5000); together && !all_seen();)
        if (!sdi_wait(&arrived, &lock, limit))
            break;
    if (strcmp(asked->words[0], "ASKING") == 0 || at->answered == ANSWERS || !at->answers[at->answered])
        return ordinary_answer(asked);
    return at->answers[at->answered++];
}

typedef struct guest {
    place *at;
    int fd;
} guest;

static void *serve_one(void *argument)
{
    guest met = *(guest *)argument;
    free(argument);
    FILE *in = fdopen(met.fd, "r");
    for (redis_command asked; redis_read_command(in, &asked);) {
        sdi_lock(&lock);
        char given[256];
        snprintf(given, sizeof given, "%s", answer(met.at, &asked));
        sdi_unlock(&lock);
        (void)!send(met.fd, given, strlen(given), MSG_NOSIGNAL);
    }
    fclose(in);
    sdi_lock(&lock);
    guests--;
    sdi_wake_all(&arrived);
    sdi_unlock(&lock);
    return NULL;
}

static void *serve(void *argument)
{
    place *at = argument;
    for (int fd; (fd = accept(at->socket, NULL, NULL)) >= 0;) {
        pthread_t thread;
        guest *met = malloc(sizeof *met);
        *met = (guest){at, fd};
        sdi_lock(&lock);
        guests++;
        sdi_unlock(&lock);
        pthread_create(&thread, NULL, serve_one, met);
        pthread_detach(thread);
    }
    return NULL;
}

static void begin_place(place *at)
{
    *at = (place){.replication = PRIMARY_REPLY};
    at->socket = caches_listen(&at->port);
    ck_assert_int_eq(pthread_create(&at->thread, NULL, serve, at), 0);
}

/* The map: slots up to `last` on the first server, the others on the second. */
static void divide(int last)
{
    if (last == SDI_REDIS_SLOTS - 1)
        snprintf(map, sizeof map, "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%" PRId64 "\r\n",
                 places[0].port);
    else
        snprintf(map, sizeof map,
                 "*2\r\n*3\r\n:0\r\n:%d\r\n*2\r\n$9\r\n127.0.0.1\r\n:%" PRId64
                 "\r\n*3\r\n:%d\r\n:16383\r\n*3\r\n$-1\r\n:%" PRId64 "\r\n$4\r\nname\r\n",
                 last, places[0].port, last + 1, places[1].port);
}

static void set_up(void)
{
    sdi_condition_init(&arrived);
    together = false;
    for (size_t i = 0; i < SERVERS; i++) {
        begin_place(&places[i]);
        addresses[i] = (sdi_address){"127.0.0.1", places[i].port};
    }
    divide(SDI_REDIS_SLOTS - 1);
    snprintf(to_first, sizeof to_first, "-MOVED 866 127.0.0.1:%" PRId64 "\r\n", places[0].port);
    snprintf(to_second, sizeof to_second, "-MOVED 866 :%" PRId64 "\r\n", places[1].port);
    snprintf(ask_second, sizeof ask_second, "-ASK 866 127.0.0.1:%" PRId64 "\r\n", places[1].port);
    settings = caches_settings(SDI_CACHE_REDIS);
    settings.addresses = addresses;
    settings.address_count = 1;
    settings.key_prefix = "shop";
    settings.cluster = true;
    settings.connections = 2;
    settings.connect_timeout_ms = settings.timeout_ms = TIMEOUT_MS;
    settings.breaker_failures = 1000;
}

static void tear_down(void)
{
    for (size_t i = 0; i < SERVERS; i++) {
        shutdown(places[i].socket, SHUT_RDWR);
        pthread_join(places[i].thread, NULL);
        close(places[i].socket);
    }
    sdi_lock(&lock);
    int64_t limit = sdi_deadline_in(2000); /* a test that failed has not closed its cache */
    while (guests > 0 && sdi_wait(&arrived, &lock, limit))
        continue;
    guests = 0;
    sdi_unlock(&lock);
    sdi_condition_destroy(&arrived);
}

/* "hello" is in slot 866. */
static bool get(void)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("hello")};
    bool done = sdi_cache_run(cache, &operation, 1, SDI_NEVER);
    ck_assert_int_eq(done, operation.block != NULL);
    if (done)
        ck_assert_str_eq(operation.block, "hello");
    sdi_free(operation.block);
    return done;
}

static void check_seen(const char *first, const char *second)
{
    sdi_lock(&lock);
    ck_assert_str_eq(places[0].seen, first);
    ck_assert_str_eq(places[1].seen, second);
    *places[0].seen = *places[1].seen = '\0';
    sdi_unlock(&lock);
}

START_TEST(moved_is_followed_and_remembered)
{
    cache = caches_open(&settings, &metrics);
    places[0].answers[0] = to_second;
    ck_assert(get());
    check_seen("MGET ", "MGET ");
    sdi_lock(&lock);
    divide(865);
    sdi_unlock(&lock);
    ck_assert(get());
    check_seen("", "MGET ");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(ask_is_followed_once)
{
    cache = caches_open(&settings, &metrics);
    places[0].answers[0] = ask_second;
    ck_assert(get());
    check_seen("MGET ", "ASKING MGET ");
    ck_assert(get());
    check_seen("MGET ", "");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(who_asks_for_time_is_asked_again)
{
    cache = caches_open(&settings, &metrics);
    places[0].answers[0] = "-TRYAGAIN Multiple keys request during rehashing of slot\r\n";
    places[0].answers[1] = "-CLUSTERDOWN The cluster is down\r\n";
    ck_assert(get());
    check_seen("MGET MGET MGET ", "");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(what_goes_in_circles_ends)
{
    for (size_t i = 0; i < ANSWERS; i++) {
        places[0].answers[i] = to_second;
        places[1].answers[i] = to_first;
    }
    settings.timeout_ms = 100;
    cache = caches_open(&settings, &metrics);
    int64_t begun = sdi_now();
    ck_assert(!get());
    ck_assert_int_lt(sdi_now() - begun, UNIT_BUSY_MS * 1000);
    caches_close(cache, metrics);
}
END_TEST

START_TEST(what_stands_behind_a_moved_command_is_repeated_in_its_slot)
{
    sdi_slice key = sdi_slice_of("hello"), value = sdi_slice_of("x");
    sdi_cache_op batch[] = {{.verb = SDI_CACHE_SET, .key = key, .value = value, .ttl_ms = 1000},
                            {.verb = SDI_CACHE_SET, .key = sdi_slice_of("foo"), .value = value, .ttl_ms = 1000},
                            {.verb = SDI_CACHE_GET, .key = key}};
    cache = caches_open(&settings, &metrics);
    places[0].answers[0] = to_second;
    ck_assert(sdi_cache_run(cache, batch, 3, SDI_NEVER));
    ck_assert_str_eq(batch[2].block, "hello");
    sdi_free(batch[2].block);
    check_seen("SET SET MGET ", "SET MGET ");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(all_are_sent_before_any_is_awaited)
{
    sdi_cache_op batch[] = {{.verb = SDI_CACHE_GET, .key = sdi_slice_of("hello")},
                            {.verb = SDI_CACHE_GET, .key = sdi_slice_of("foo")}};
    divide(8000);
    together = true;
    cache = caches_open(&settings, &metrics);
    ck_assert(sdi_cache_run(cache, batch, 2, SDI_NEVER));
    check_seen("MGET ", "MGET ");
    sdi_free(batch[0].block);
    sdi_free(batch[1].block);
    caches_close(cache, metrics);
}
END_TEST

START_TEST(rubbish_is_no_place)
{
    static const char *const rubbish[] = {
        "-MOVED \r\n",       "-MOVED 866\r\n",      "-MOVED 866 \r\n",        "-MOVED 99999 a:1\r\n",
        "-MOVED -1 a:1\r\n", "-MOVED 866 a:0\r\n",  "-MOVED 866 a:99999\r\n", "-ASK 866 a\r\n",
        "-ASK 866 :\r\n",    "-MOVED 866:7000\r\n",
    };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        settings.timeout_ms = 50;
        cache = caches_open(&settings, &metrics);
        sdi_lock(&lock);
        for (size_t j = 0; j < ANSWERS; j++)
            places[0].answers[j] = rubbish[i];
        places[0].answered = 0;
        sdi_unlock(&lock);
        bool done = get();
        sdi_lock(&lock);
        ck_assert_msg(!done || places[0].answered == ANSWERS, "%s", rubbish[i]);
        sdi_unlock(&lock);
        caches_close(cache, metrics);
    }
}
END_TEST

START_TEST(rubbish_is_no_map)
{
    static const char *const rubbish[] = {
        "*0\r\n",
        "$2\r\nno\r\n",
        "-ERR This instance has cluster support disabled\r\n",
        "*1\r\n*1\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\n?\r\n:1\r\n",
        "*1\r\n*3\r\n$1\r\n0\r\n$1\r\n1\r\n*1\r\n$1\r\na\r\n",
        "rubbish\r\n",
    };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        sdi_lock(&lock);
        snprintf(map, sizeof map, "%s", rubbish[i]);
        sdi_unlock(&lock);
        cache = caches_open(&settings, &metrics);
        ck_assert(!get());
        caches_check_trouble(cache, "");
        caches_close(cache, metrics);
    }
}
END_TEST

START_TEST(a_replica_is_never_the_cache)
{
    settings.cluster = false;
    places[0].replication = REPLICA_REPLY;
    cache = caches_open(&settings, &metrics);
    ck_assert(!get());
    caches_check_trouble(cache, "a replica, not the primary");
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_CACHE_ERRORS, SDI_CACHE_FAULT_REJECTED), 1);
    check_seen("", "");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(of_several_addresses_the_primary_is_used)
{
    settings.cluster = false;
    settings.address_count = 2;
    places[0].replication = REPLICA_REPLY;
    cache = caches_open(&settings, &metrics);
    ck_assert(get());
    check_seen("", "MGET UNLINK ");
    caches_close(cache, metrics);
}
END_TEST

/* Demoted while our connection was open: its answer to the GET is not taken. */
START_TEST(a_primary_that_became_a_replica_is_left)
{
    settings.cluster = false;
    settings.address_count = 2;
    cache = caches_open(&settings, &metrics);
    ck_assert(get());
    check_seen("MGET UNLINK ", "");
    sdi_lock(&lock);
    places[0].replication = REPLICA_REPLY;
    places[0].answers[0] = VALUE;
    places[0].answers[1] = "-READONLY You can't write against a read only replica.\r\n";
    sdi_unlock(&lock);
    ck_assert(get());
    check_seen("MGET UNLINK ", "MGET UNLINK ");
    ck_assert(get());
    check_seen("", "MGET UNLINK ");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(a_value_of_another_epoch_is_none)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("hello")};
    cache = caches_open(&settings, &metrics);
    places[0].answers[0] = "*1\r\n$21\r\n0123456789abcdefhello\r\n";
    places[0].answers[1] = "*1\r\n$3\r\nold\r\n";
    for (int i = 0; i < 2; i++) {
        ck_assert(sdi_cache_run(cache, &operation, 1, SDI_NEVER));
        ck_assert(!operation.found && !operation.block);
    }
    caches_close(cache, metrics);
}
END_TEST

/* What the sentinel answers from now on. */
static void say(const char *answer, const char *role)
{
    sdi_lock(&lock);
    snprintf(named, sizeof named, "%s", answer);
    places[1].replication = role;
    sdi_unlock(&lock);
}

START_TEST(a_connection_that_was_unused_learns_of_another_epoch)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("hello")};
    cache = caches_open(&settings, &metrics);
    ck_assert(get());
    usleep(1100000);
    ck_assert(get());
    check_seen("MGET MGET ", "");
    usleep(1100000);
    sdi_lock(&lock);
    places[0].replication = "$46\r\n# Replication\r\nrole:master\r\nmaster_replid:h2\r\n\r\n";
    sdi_unlock(&lock);
    ck_assert(sdi_cache_run(cache, &operation, 1, SDI_NEVER));
    ck_assert(!operation.found && !operation.block);
    check_seen("MGET MGET ", "");
    caches_close(cache, metrics);
}
END_TEST

static void name_second(const char *role)
{
    char answer[64];
    snprintf(answer, sizeof answer, "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n%" PRId64 "\r\n", places[1].port);
    say(answer, role);
}

START_TEST(the_sentinel_tells_where_the_primary_is)
{
    settings.cluster = false;
    settings.sentinel_primary = "shop";
    name_second(PRIMARY_REPLY);
    cache = caches_open(&settings, &metrics);
    ck_assert(get());
    check_seen("", "MGET UNLINK ");
    caches_close(cache, metrics);
}
END_TEST

START_TEST(a_sentinel_may_know_nothing_or_be_behind)
{
    settings.cluster = false;
    settings.sentinel_primary = "shop";
    say("*-1\r\n", PRIMARY_REPLY);
    cache = caches_open(&settings, &metrics);
    ck_assert(!get());
    caches_check_trouble(cache, "the sentinel watches no primary `shop`");
    name_second(REPLICA_REPLY);
    ck_assert(!get());
    caches_check_trouble(cache, "a replica, not the primary");
    say("-ERR No such master with that name\r\n", REPLICA_REPLY);
    ck_assert(!get());
    caches_check_trouble(cache, "refused: ERR No such master");
    caches_close(cache, metrics);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, moved_is_followed_and_remembered);
    tcase_add_test(cases, ask_is_followed_once);
    tcase_add_test(cases, who_asks_for_time_is_asked_again);
    tcase_add_test(cases, what_goes_in_circles_ends);
    tcase_add_test(cases, what_stands_behind_a_moved_command_is_repeated_in_its_slot);
    tcase_add_test(cases, all_are_sent_before_any_is_awaited);
    tcase_add_test(cases, rubbish_is_no_place);
    tcase_add_test(cases, rubbish_is_no_map);
    tcase_add_test(cases, a_replica_is_never_the_cache);
    tcase_add_test(cases, of_several_addresses_the_primary_is_used);
    tcase_add_test(cases, a_primary_that_became_a_replica_is_left);
    tcase_add_test(cases, a_value_of_another_epoch_is_none);
    tcase_add_test(cases, a_connection_that_was_unused_learns_of_another_epoch);
    tcase_add_test(cases, the_sentinel_tells_where_the_primary_is);
    tcase_add_test(cases, a_sentinel_may_know_nothing_or_be_behind);
}

UNIT_MAIN("cache/redis_places", fill, 60)
