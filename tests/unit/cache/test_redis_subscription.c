/* What a subscription makes of servers that do what real ones seldom do. Connections are served one after the other,
 * each as the next of the cases' ways says; the last one repeats. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../support/caches.h"
#include "../unit.h"
#include "base/clock.h"
#include "greeting.h"

enum way { GOOD, NO_RESP3, NO_CHANNEL, DEMOTED, SILENT, GARBAGE, CLOSES, UNASKED };

static struct server {
    int socket;
    int64_t port;
    pthread_t thread;
    const enum way *ways;
    size_t way_count;
    atomic_int connections;
} server;

static struct hearing {
    atomic_int began, messages, confirmed, lost;
    atomic_bool wanted;
    int trusted;   /* confirmations until the first loss */
    char why[256]; /* of it */
} hearing;

static sdi_address where;
static sdi_metrics *metrics;
static sdi_cache *cache;

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static const char *greeting_answer(const redis_command *asked)
{
    if (!strcmp(asked->words[0], "INFO"))
        return strcmp(asked->words[1], "server") ? PRIMARY_REPLY : SERVER_REPLY;
    return strcmp(asked->words[0], "SCRIPT") ? NULL : SHA_REPLY;
}

#define MESSAGE(text) ">3\r\n$7\r\nmessage\r\n$9\r\nc:changes\r\n$2\r\n" text "\r\n"

/* NULL: the connection ends. */
static const char *answer_of(const redis_command *asked, enum way way)
{
    const char *name = asked->words[0];
    if (!strcmp(name, "HELLO"))
        return way == NO_RESP3 ? "-NOPERM no HELLO\r\n" : "%1\r\n$5\r\nproto\r\n:3\r\n";
    if (!strcmp(name, "SUBSCRIBE") && way == NO_CHANNEL)
        return "-NOPERM no channels\r\n";
    if (!strcmp(name, "SUBSCRIBE"))
        return ">3\r\n$9\r\nsubscribe\r\n$9\r\nc:changes\r\n:1\r\n" MESSAGE("hi");
    if (!strcmp(name, "UNLINK"))
        return way == DEMOTED ? "-READONLY You can't write against a read only replica.\r\n" : ":0\r\n";
    if (way == SILENT)
        return "";
    if (way == GARBAGE)
        return "nonsense\r\n";
    return way == CLOSES ? NULL : way == UNASKED ? "+PONG\r\n+PONG\r\n" : "+PONG\r\n";
}

static void serve_one(int fd, enum way way)
{
    FILE *in = fdopen(fd, "r");
    redis_command asked;
    while (in && redis_read_command(in, &asked)) {
        const char *answer = greeting_answer(&asked);
        if (!answer)
            answer = answer_of(&asked, way);
        if (!answer || !say(fd, answer))
            break;
    }
    if (in)
        fclose(in);
}

static void *serve(void *unused)
{
    (void)unused;
    int fd;
    while ((fd = accept(server.socket, NULL, NULL)) >= 0) {
        size_t at = (size_t)atomic_fetch_add(&server.connections, 1);
        serve_one(fd, server.ways[at < server.way_count ? at : server.way_count - 1]);
    }
    return NULL;
}

static void note_began(void *context)
{
    (void)context;
    atomic_fetch_add(&hearing.began, 1);
}

static void note_heard(void *context, sdi_slice message)
{
    (void)context;
    ck_assert(sdi_slice_equal(message, sdi_slice_of("hi")));
    atomic_fetch_add(&hearing.messages, 1);
}

static void note_confirmed(void *context, int64_t moment)
{
    (void)context;
    ck_assert_int_le(moment, sdi_uptime());
    atomic_fetch_add(&hearing.confirmed, 1);
}

static bool is_wanted(void *context)
{
    (void)context;
    return atomic_load(&hearing.wanted);
}

static void note_lost(void *context, const char *why)
{
    (void)context;
    if (atomic_load(&hearing.lost) == 0) {
        hearing.trusted = atomic_load(&hearing.confirmed);
        snprintf(hearing.why, sizeof hearing.why, "%s", why);
    }
    atomic_fetch_add(&hearing.lost, 1);
}

static void begin(const enum way *ways, size_t count)
{
    static const sdi_cache_listener listener = {&hearing,   "c:changes",    5,         note_began,
                                                note_heard, note_confirmed, is_wanted, note_lost};
    memset(&hearing, 0, sizeof hearing);
    atomic_store(&hearing.wanted, true);
    server = (struct server){.ways = ways, .way_count = count};
    server.socket = caches_listen(&server.port);
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    where = (sdi_address){(char *)"127.0.0.1", server.port};
    sdi_cache_settings settings = caches_settings(SDI_CACHE_REDIS);
    settings.addresses = &where;
    settings.address_count = 1;
    settings.timeout_ms = settings.connect_timeout_ms = 2 * UNIT_BUSY_MS;
    cache = caches_open(&settings, &metrics);
    ck_assert(sdi_cache_listen(cache, &listener));
}

static void end(void)
{
    caches_close(cache, metrics);
    shutdown(server.socket, SHUT_RDWR);
    close(server.socket);
    pthread_join(server.thread, NULL);
}

static bool await(const atomic_int *count, int wanted)
{
    for (int i = 0; i < 5000 && atomic_load(count) < wanted; i++)
        usleep(1000);
    return atomic_load(count) >= wanted;
}

START_TEST(hears_and_is_confirmed)
{
    static const enum way ways[] = {GOOD};
    begin(ways, 1);
    ck_assert(await(&hearing.confirmed, 5));
    end();
    ck_assert_int_eq(atomic_load(&hearing.began), 1);
    ck_assert_int_eq(atomic_load(&hearing.messages), 1);
    ck_assert_int_eq(atomic_load(&hearing.lost), 0);
}
END_TEST

/* Nothing is confirmed on a connection that ends so; the next one begins anew. */
static const struct {
    enum way ways[2];
    int began; /* times, on both */
    const char *why;
} losses[] = {
    {{NO_RESP3, GOOD}, 1, "HELLO 3 (Redis 6 or newer) was refused: NOPERM no HELLO"},
    {{NO_CHANNEL, GOOD}, 1, "SUBSCRIBE was refused: NOPERM no channels"},
    {{DEMOTED, GOOD}, 2, "a beat was refused: READONLY"},
    {{GARBAGE, GOOD}, 2, "it does not speak RESP3"},
    {{CLOSES, GOOD}, 2, "the connection was lost"},
};

START_TEST(begins_anew_where_it_cannot_trust)
{
    begin(losses[_i].ways, 2);
    ck_assert(await(&hearing.lost, 1));
    ck_assert_int_eq(hearing.trusted, 0);
    ck_assert(await(&hearing.confirmed, 1));
    end();
    ck_assert_int_eq(atomic_load(&hearing.began), losses[_i].began);
    ck_assert_int_eq(atomic_load(&hearing.lost), 1);
    ck_assert_msg(!strncmp(hearing.why, losses[_i].why, strlen(losses[_i].why)), "%s", hearing.why);
}
END_TEST

START_TEST(what_nobody_asked_for_is_no_confirmation)
{
    static const enum way ways[] = {UNASKED};
    begin(ways, 1);
    ck_assert(await(&hearing.lost, 2));
    end();
    ck_assert_int_le(atomic_load(&hearing.confirmed), atomic_load(&hearing.began));
}
END_TEST

/* It is heard all the same, but who does not answer confirms nothing; and ending it takes no longer for that. */
START_TEST(who_is_silent_confirms_nothing)
{
    static const enum way ways[] = {SILENT};
    begin(ways, 1);
    ck_assert(await(&hearing.messages, 1));
    ck_assert_int_eq(atomic_load(&hearing.confirmed), 0);
    int64_t begun = sdi_now();
    end();
    ck_assert_int_lt(sdi_now() - begun, UNIT_BUSY_MS * 1000);
    ck_assert_int_eq(atomic_load(&hearing.lost), 0);
}
END_TEST

/* It goes on now and then, so that the connection is known to live; who is roused confirms at once. */
START_TEST(rests_while_nobody_wants_to_know)
{
    static const enum way ways[] = {GOOD};
    begin(ways, 1);
    ck_assert(await(&hearing.confirmed, 1));
    atomic_store(&hearing.wanted, false);
    int first = atomic_load(&hearing.confirmed);
    int64_t earliest = sdi_deadline_in(1000); /* a pause before that is the machine's */
    for (int before = -1; before != atomic_load(&hearing.confirmed) || sdi_now() < earliest; usleep(300000))
        before = atomic_load(&hearing.confirmed);
    ck_assert_int_gt(atomic_load(&hearing.confirmed), first + 1); /* it did not rest at once */
    for (int i = 0; i < 3; i++) {
        int rested = atomic_load(&hearing.confirmed);
        atomic_store(&hearing.wanted, i > 0);
        sdi_cache_rouse(cache);
        ck_assert(await(&hearing.confirmed, rested + (i > 0 ? 20 : 1)));
    }
    end();
    ck_assert_int_eq(atomic_load(&hearing.lost), 0);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, hears_and_is_confirmed);
    tcase_add_loop_test(cases, begins_anew_where_it_cannot_trust, 0, sizeof losses / sizeof *losses);
    tcase_add_test(cases, what_nobody_asked_for_is_no_confirmation);
    tcase_add_test(cases, who_is_silent_confirms_nothing);
    tcase_add_test(cases, rests_while_nobody_wants_to_know);
}

UNIT_MAIN("cache/redis_subscription", fill, 30)
