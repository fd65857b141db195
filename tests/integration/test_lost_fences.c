/* test_lost_fences.c - a cache server that loses what it was told: it comes back from an old copy, is flushed, or has
 * so little memory that it evicts all the time. Each may cost misses, and nothing else. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/random.h"

enum { ITEMS = 100 };

typedef struct side {
    shopdata_client *client;
    shopdata_statement *by_id, *set_price;
} side;

static side writer, reader;
static bool watched; /* by sentinels: that Redis is used */
static int64_t prices[ITEMS + 1];

/* Says a line to a server and reads one piece of its answer. */
static void talk(const char *variable, const char *line, char *answer, size_t room)
{
    const char *address = getenv(variable);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(dprintf(fd, "%s\r\n", line), (int)strlen(line) + 2);
    ssize_t got = read(fd, answer, room - 1);
    ck_assert_int_gt(got, 0);
    answer[got] = '\0';
    close(fd);
}

static void tell_redis(const char *line)
{
    char answer[256];
    talk("SHOPDATA_REDIS", line, answer, sizeof answer);
    ck_assert_msg(*answer == '+', "%s: %s", line, answer);
}

static long counted(const char *variable, const char *question, const char *name)
{
    char answer[16384];
    talk(variable, question, answer, sizeof answer);
    const char *at = strstr(answer, name);
    ck_assert_msg(at != NULL, "%s: no %s in %s", question, name, answer);
    return strtol(at + strlen(name), NULL, 10);
}

static side open_side(const char *cache, const char *prefix)
{
    shopdata_config *config = servers_config(cache);
    servers_ok(shopdata_config_set(config, "cache.key_prefix", prefix, NULL), NULL);
    servers_ok(shopdata_config_set(config, "policy.default.compress_over", "0B", NULL), NULL);
    servers_ok(shopdata_config_set(config, "cache.timeout", "2s", NULL), NULL); /* no write is to be untold */
    if (watched) {
        const char *name = getenv("SHOPDATA_REDIS_SENTINEL_PRIMARY");
        servers_ok(shopdata_config_set(config, "cache.address", getenv("SHOPDATA_REDIS_SENTINELS"), NULL), NULL);
        servers_ok(shopdata_config_set(config, "cache.sentinel_primary", name, NULL), NULL);
    }
    side opened = {.client = servers_open_with(config)};
    opened.by_id = servers_statement(opened.client, "SELECT id, price, filling FROM item WHERE id = $1");
    opened.set_price = servers_statement(opened.client, "UPDATE item SET price = $2 WHERE id = $1");
    return opened;
}

static void close_side(side *closed)
{
    shopdata_statement_free(closed->by_id);
    shopdata_statement_free(closed->set_price);
    shopdata_close(closed->client);
}

static void begin(const char *cache, int filling)
{
    char prefix[32], sql[512];
    snprintf(prefix, sizeof prefix, "lost-%016llx", (unsigned long long)sdi_nonce());
    snprintf(sql, sizeof sql,
             "SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
             "price int NOT NULL, filling text); INSERT INTO item SELECT i, i, repeat(md5(i::text), %d) FROM "
             "generate_series(1, %d) i",
             filling, ITEMS);
    servers_sql(sql);
    servers_settle();
    for (int id = 1; id <= ITEMS; id++)
        prices[id] = id;
    writer = open_side(cache, prefix);
    reader = open_side(cache, prefix);
}

static void end(void)
{
    close_side(&writer);
    close_side(&reader);
}

/* With a session of its own, which demands nothing for itself. */
static bool reads(const side *who, int id)
{
    int64_t price = -1;
    shopdata_session *session;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_session_new(who->client, &session, NULL), NULL);
    servers_ok(shopdata_query(session, who->by_id, &param, 1, &result, &error), error);
    servers_ok(shopdata_result_int64(result, 0, 1, &price, NULL), NULL);
    ck_assert_msg(price == prices[id], "item %d costs %lld, not %lld", id, (long long)prices[id], (long long)price);
    bool cached = shopdata_result_source(result) == SHOPDATA_FROM_CACHE;
    shopdata_result_free(result);
    shopdata_session_free(session);
    return cached;
}

static void writes(int id, int64_t price)
{
    shopdata_session *session;
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    servers_ok(shopdata_session_new(writer.client, &session, NULL), NULL);
    servers_ok(shopdata_execute(session, writer.set_price, params, 2, NULL, &error), error);
    prices[id] = price;
    shopdata_session_free(session);
}

static int read_all(const side *who)
{
    int hits = 0;
    for (int id = 1; id <= ITEMS; id++)
        hits += reads(who, id);
    return hits;
}

static void write_all(int64_t more)
{
    for (int id = 1; id <= ITEMS; id++)
        writes(id, id + more);
}

/* The old copy has entries and fences that pass each other: whoever believes it reads the prices of before. */
START_TEST(a_redis_that_comes_back_from_an_old_copy_is_not_believed)
{
    begin("redis", 1);
    read_all(&reader);
    ck_assert_int_eq(read_all(&reader), ITEMS);
    tell_redis("SAVE");
    long keys = counted("SHOPDATA_REDIS", "DBSIZE", ":");
    write_all(1000);
    servers_do("kill redis");
    servers_do("start redis");
    ck_assert_int_ge(counted("SHOPDATA_REDIS", "DBSIZE", ":"), keys);
    ck_assert_int_eq(read_all(&reader), 0);
    ck_assert_int_eq(read_all(&writer), ITEMS);
    end();
    tell_redis("FLUSHALL");
    tell_redis("SAVE");
}
END_TEST

static bool is_back(void)
{
    for (int i = 0; i < 500; i++, usleep(20000))
        if (read_all(&reader) > ITEMS / 2)
            return true;
    return false;
}

/* The replica was cut off when the writes came: it has their entries and fences as they were before. */
START_TEST(a_replica_that_was_promoted_without_the_last_writes_is_not_believed)
{
    watched = true;
    begin("redis", 1);
    read_all(&reader);
    ck_assert(is_back());
    long keys = counted("SHOPDATA_REDIS_WATCHED1", "DBSIZE", ":");
    for (int i = 0; i < 100 && counted("SHOPDATA_REDIS_WATCHED2", "DBSIZE", ":") < keys; i++)
        usleep(20000);
    servers_do("freeze watched2");
    ck_assert_int_ge(counted("SHOPDATA_REDIS_WATCHED1", "CLIENT KILL TYPE replica", ":"), 1);
    write_all(1000);
    servers_do("kill watched1");
    servers_do("thaw watched2");
    ck_assert(is_back());
    ck_assert_int_ge(counted("SHOPDATA_REDIS_WATCHED2", "DBSIZE", ":"), keys);
    ck_assert_int_eq(read_all(&writer), ITEMS);
    servers_do("start watched1");
    read_all(&reader);
    watched = false;
    end();
}
END_TEST

START_TEST(a_cache_that_is_flushed_costs_misses)
{
    static const char *const caches[] = {"redis", "memcached"};
    static const char *const variables[] = {"SHOPDATA_REDIS", "SHOPDATA_MEMCACHED"};
    static const char *const flushes[] = {"FLUSHALL", "flush_all"};
    char answer[64];
    begin(caches[_i], 1);
    for (int round = 0; round < 20; round++) {
        read_all(&reader);
        if (round % 4 == 3)
            talk(variables[_i], flushes[_i], answer, sizeof answer);
        for (int i = 0; i < ITEMS / 2; i++)
            writes(1 + (int)sdi_random_below(ITEMS), (round + 1) * 1000 + i);
    }
    read_all(&reader);
    end();
}
END_TEST

/* Writes and reads at random. */
static void mix(int rounds)
{
    static int64_t more = 1000;
    for (int i = 0; i < rounds; i++) {
        int id = 1 + (int)sdi_random_below(ITEMS);
        if (i % 3 == 0)
            writes(id, ++more);
        reads(&reader, id);
        reads(i % 2 ? &reader : &writer, 1 + (int)sdi_random_below(ITEMS));
    }
}

/* More than fits: entries and fences go, one without the other. `rounds` of it from when the server has begun. */
static void press(const char *variable, const char *question, const char *name, int rounds)
{
    for (int i = 0; i < 100 && counted(variable, question, name) == 0; i++)
        mix(20);
    ck_assert_int_gt(counted(variable, question, name), 0);
    mix(rounds);
    ck_assert_double_gt(servers_metric(reader.client, "shopdata_cache_hits_total", NULL), 0);
}

static void limit_redis(const char *memory, const char *policy)
{
    char line[64];
    snprintf(line, sizeof line, "CONFIG SET maxmemory %s", memory);
    tell_redis(line);
    snprintf(line, sizeof line, "CONFIG SET maxmemory-policy %s", policy);
    tell_redis(line);
}

START_TEST(a_redis_that_evicts_costs_misses)
{
    begin("redis", 2000); /* 64 KB each: 6 MB in all */
    limit_redis("4mb", "allkeys-lru");
    press("SHOPDATA_REDIS", "INFO stats", "evicted_keys:", 1000);
    limit_redis("0", "noeviction");
    end();
}
END_TEST

START_TEST(a_memcached_that_evicts_costs_misses)
{
    begin("memcached", 27000); /* 864 KB each: 86 MB in all, of which it has 64 */
    press("SHOPDATA_MEMCACHED", "stats", "evictions ", 150);
    end();
}
END_TEST

static void heal(void)
{
    watched = false;
    limit_redis("0", "noeviction");
    servers_heal();
}

static void fill(TCase *cases)
{
    static const char *const variables[] = {"SHOPDATA_PRIMARY",   "SHOPDATA_REPLICA2",        "SHOPDATA_REDIS",
                                            "SHOPDATA_MEMCACHED", "SHOPDATA_REDIS_SENTINELS", NULL};
    servers_need("--replicas 2 --redis --memcached --sentinel", variables);
    tcase_add_checked_fixture(cases, NULL, heal);
    tcase_add_test(cases, a_redis_that_comes_back_from_an_old_copy_is_not_believed);
    tcase_add_test(cases, a_replica_that_was_promoted_without_the_last_writes_is_not_believed);
    tcase_add_loop_test(cases, a_cache_that_is_flushed_costs_misses, 0, 2);
    tcase_add_test(cases, a_redis_that_evicts_costs_misses);
    tcase_add_test(cases, a_memcached_that_evicts_costs_misses);
}

UNIT_MAIN("integration/lost_fences", fill, 120)
