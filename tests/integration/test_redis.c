/* The Redis backend among real servers: what a user must be allowed, who is trusted, and what happens to values and
 * fences while slots move and primaries die. The launcher gives a server, one with TLS, a cluster, and sentinels. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "support/caches.h"
#include "support/servers.h"
#include "unit/unit.h"

enum { MINUTE = 60000, LOOPS = 4, KEYS = 24, BACK_S = 30, PAUSE_MS = 10 };

#define RIGHTS "+info +script|load +eval +evalsha +mget +get +set +unlink +del +pexpire"

static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    ck_assert_msg(value != NULL, "%s is not set", name);
    return value;
}

static void set_up(void)
{
    settings = caches_settings(SDI_CACHE_REDIS);
    settings.key_prefix = "shopdata";
    settings.connections = LOOPS;
    settings.connect_timeout_ms = settings.timeout_ms = 2000;
    settings.breaker_failures = 5;
    settings.breaker_open_ms = 20;
    settings.breaker_open_max_ms = 50;
}

static void open_cache(const char *addresses)
{
    settings.addresses = sdi_addresses_read(sdi_slice_of(variable(addresses)), &settings.address_count);
    cache = caches_open(&settings, &metrics);
}

static void close_cache(void)
{
    caches_close(cache, metrics);
    sdi_free((sdi_address *)settings.addresses);
}

/* Everything that can be done, on one key. */
static bool do_all(const char *name)
{
    static const sdi_point point = {.era = {1, 1}, .lsn = 5};
    static const sdi_change further = {.point = {.era = {1, 1}, .lsn = 6}};
    sdi_slice key = sdi_slice_of(name), one = sdi_slice_of("1");
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_fence_encode(&point, false, &record);
    sdi_slice fence = {record.data, record.length};
    sdi_cache_op batch[] = {
        {.verb = SDI_CACHE_REMOVE, .key = key},
        {.verb = SDI_CACHE_ADD, .key = key, .value = one, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_SWAP, .key = key, .expected = one, .value = fence, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_MERGE, .key = key, .change = &further, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_MERGE, .key = key, .change = &(sdi_change){.point.era = {1, 0}}, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_MERGE, .key = key, .change = &(sdi_change){.point.era = {2, 1}}, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_SET, .key = key, .value = one, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_GET, .key = key},
    };
    bool done = sdi_cache_run(cache, batch, sizeof batch / sizeof *batch, SDI_NEVER);
    sdi_free(batch[7].block);
    sdi_buffer_free(&record);
    return done;
}

static bool get(const char *name, sdi_cache_op *operation)
{
    *operation = (sdi_cache_op){.verb = SDI_CACHE_GET, .key = sdi_slice_of(name)};
    return sdi_cache_run(cache, operation, 1, SDI_NEVER);
}

/* Sends a command past the library. */
static void tell(const char *addresses, const char *command)
{
    sdi_address *list;
    size_t count;
    list = sdi_addresses_read(sdi_slice_of(variable(addresses)), &count);
    redisContext *context = redisConnect(list->host, (int)list->port);
    ck_assert(context && !context->err);
    redisReply *reply = redisCommand(context, command);
    ck_assert_msg(reply && reply->type != REDIS_REPLY_ERROR, "%s: %s", command, reply ? reply->str : "no reply");
    freeReplyObject(reply);
    redisFree(context);
    sdi_free(list);
}

static void make_user(const char *rights)
{
    char command[400];
    tell("SHOPDATA_REDIS", "ACL DELUSER shop");
    snprintf(command, sizeof command, "ACL SETUSER shop on >secret resetkeys ~shopdata:* resetchannels -@all %s",
             rights);
    tell("SHOPDATA_REDIS", command);
    settings.user = "shop";
    settings.password = "secret";
}

START_TEST(a_user_with_just_these_rights_can_do_everything)
{
    make_user(RIGHTS);
    open_cache("SHOPDATA_REDIS");
    sdi_cache_op operation;
    ck_assert(do_all("shopdata:shop:f:a"));
    ck_assert(get("shopdata:shop:f:a", &operation));
    sdi_free(operation.block);
    tell("SHOPDATA_REDIS", "SCRIPT FLUSH");
    ck_assert(do_all("shopdata:shop:f:a"));
    ck_assert(!do_all("other:shop:f:a"));
    caches_check_trouble(cache, "NOPERM");
    close_cache();
    settings.database = 3;
    open_cache("SHOPDATA_REDIS");
    ck_assert(!get("shopdata:shop:f:a", &operation));
    caches_check_trouble(cache, "NOPERM");
    close_cache();
}
END_TEST

START_TEST(without_any_one_of_them_something_is_refused)
{
    char rights[] = RIGHTS, *rest = NULL;
    for (char *right = strtok_r(rights, " ", &rest); right; right = strtok_r(NULL, " ", &rest)) {
        char others[200] = "", all[] = RIGHTS, *more = NULL;
        for (char *other = strtok_r(all, " ", &more); other; other = strtok_r(NULL, " ", &more))
            if (strcmp(other, right) != 0)
                snprintf(others + strlen(others), sizeof others - strlen(others), "%s ", other);
        make_user(others);
        open_cache("SHOPDATA_REDIS");
        bool done = do_all("shopdata:shop:f:a");
        tell("SHOPDATA_REDIS", "SCRIPT FLUSH"); /* EVAL is for that alone */
        ck_assert_msg(!done || !do_all("shopdata:shop:f:a"), "%s is not needed", right);
        caches_check_trouble(cache, "refused: "); /* NOPERM, or what the script was refused */
        close_cache();
    }
}
END_TEST

START_TEST(a_wrong_password_is_told)
{
    sdi_cache_op operation;
    make_user(RIGHTS);
    settings.password = "wrong";
    open_cache("SHOPDATA_REDIS");
    ck_assert(!get("shopdata:a", &operation));
    caches_check_trouble(cache, "WRONGPASS");
    close_cache();
}
END_TEST

static const char *certificate(char *room, size_t size, const char *name)
{
    snprintf(room, size, "%s/%s", variable("SHOPDATA_REDIS_TLS_CERTIFICATES"), name);
    return room;
}

/* Trouble with these files; NULL: none. */
static void check_tls(const char *ca, const char *cert, const char *key, const char *expected)
{
    char rooms[3][256];
    sdi_cache_op operation;
    settings.tls = true;
    settings.tls_ca_file = certificate(rooms[0], sizeof rooms[0], ca);
    settings.tls_cert_file = *cert ? certificate(rooms[1], sizeof rooms[1], cert) : "";
    settings.tls_key_file = *key ? certificate(rooms[2], sizeof rooms[2], key) : "";
    open_cache("SHOPDATA_REDIS_TLS");
    bool done = get("shopdata:a", &operation);
    ck_assert_int_eq(done, !expected);
    if (expected)
        caches_check_trouble(cache, expected);
    close_cache();
}

START_TEST(only_known_certificates_are_taken)
{
    check_tls("ca.pem", "client.pem", "client.key", NULL);
    check_tls("stranger-ca.pem", "client.pem", "client.key", "is refused: ");
    check_tls("ca.pem", "", "", "TLS: ");
    check_tls("ca.pem", "expired-client.pem", "expired-client.key", "TLS: ");
    settings.tls_server_name = "other.example";
    check_tls("ca.pem", "client.pem", "client.key", "expected for other.example, is refused: hostname mismatch");
}
END_TEST

/* Each thread writes its own keys, values and fences, and reads them back. What is missing is no fault: what moves or
 * fails over is as good as gone. What is old is one. */
static struct {
    atomic_bool stop;
    size_t threads; /* that run */
    atomic_size_t rounds, found, missing, failed, wrong;
    uint64_t nonce; /* what another loop left is not ours */
} loop;

static void check_pair(const sdi_cache_op *value, const sdi_cache_op *fence, uint64_t round)
{
    sdi_point point = {.lsn = round};
    bool stands = fence->found && sdi_fence_decode((sdi_slice){fence->block, fence->length}, &point) == SDI_FENCE_POINT;
    bool old = value->found && strtoull(value->block, NULL, 10) != round;
    atomic_fetch_add(&loop.wrong, old || (stands && point.lsn != round));
    atomic_fetch_add(value->found && stands ? &loop.found : &loop.missing, 1);
}

/* A round trip of writes, one of reads. A write that failed may have happened: then nothing is known. */
static void go_round(char names[KEYS][64], uint64_t round)
{
    char text[24];
    sdi_point floor = {.era = {1, 1}};
    sdi_change change = {.point = {.era = {1, 1}, .lsn = round}};
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_cache_op writes[2 * KEYS], reads[KEYS];
    sdi_fence_encode(&floor, false, &record);
    snprintf(text, sizeof text, "%" PRIu64, round);
    for (size_t i = 0; i < KEYS; i++) {
        sdi_slice key = sdi_slice_of(names[i]);
        bool fence = i % 2;
        writes[2 * i] = (sdi_cache_op){.verb = fence ? SDI_CACHE_ADD : SDI_CACHE_SET, .key = key, .ttl_ms = MINUTE};
        writes[2 * i].value = fence ? (sdi_slice){record.data, record.length} : sdi_slice_of(text);
        writes[2 * i + 1] =
            fence ? (sdi_cache_op){.verb = SDI_CACHE_MERGE, .key = key, .change = &change, .ttl_ms = MINUTE}
                  : (sdi_cache_op){.verb = SDI_CACHE_GET, .key = key};
        reads[i] = (sdi_cache_op){.verb = SDI_CACHE_GET, .key = key};
    }
    bool written = sdi_cache_run(cache, writes, 2 * KEYS, SDI_NEVER);
    bool read = sdi_cache_run(cache, reads, KEYS, SDI_NEVER);
    for (size_t i = 0; written && read && i < KEYS; i += 2)
        check_pair(&reads[i], &reads[i + 1], round);
    for (size_t i = 0; i < KEYS; i++) {
        sdi_free(writes[2 * i + 1].block);
        sdi_free(reads[i].block);
    }
    atomic_fetch_add(&loop.failed, (size_t)!written + !read);
    if (!written || !read)
        usleep(PAUSE_MS * 1000); /* an open breaker refuses at once: no outage is to be counted in millions */
    sdi_buffer_free(&record);
}

static void *go_on(void *number)
{
    char names[KEYS][64];
    for (size_t i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof names[i], "shopdata:%016" PRIx64 ":%zu:%zu", loop.nonce, (size_t)(uintptr_t)number,
                 i);
    for (uint64_t round = 1; !atomic_load(&loop.stop); round++) {
        go_round(names, round);
        atomic_fetch_add(&loop.rounds, 1);
    }
    return NULL;
}

static pthread_t threads[LOOPS];

static void begin_loop(const char *addresses)
{
    atomic_store(&loop.stop, false);
    loop.rounds = loop.found = loop.missing = loop.failed = loop.wrong = 0;
    loop.nonce = sdi_nonce();
    open_cache(addresses);
    for (; loop.threads < LOOPS; loop.threads++)
        ck_assert_int_eq(pthread_create(&threads[loop.threads], NULL, go_on, (void *)(uintptr_t)loop.threads), 0);
}

/* Waits until all goes well again: so many rounds without a failure, and everything found. */
static void wait_until_well(void)
{
    for (int i = 0; i < BACK_S * 10; i++) {
        size_t troubles = loop.failed + loop.missing, found = loop.found, rounds = loop.rounds;
        usleep(100000);
        if (loop.failed + loop.missing == troubles && loop.found > found && loop.rounds > rounds + LOOPS)
            return;
    }
    ck_abort_msg("not well again in %d s", BACK_S);
}

static void stop_loop(void)
{
    atomic_store(&loop.stop, true);
    while (loop.threads > 0)
        pthread_join(threads[--loop.threads], NULL);
}

static void end_loop(const char *what)
{
    stop_loop();
    printf("%s: %zu rounds, %zu batches failed, %zu pairs found, %zu missing, %zu wrong\n", what, loop.rounds,
           loop.failed, loop.found, loop.missing, loop.wrong);
    ck_assert_uint_eq(loop.wrong, 0);
    close_cache();
}

START_TEST(slots_move_while_batches_run)
{
    settings.cluster = true;
    begin_loop("SHOPDATA_REDIS_CLUSTER");
    wait_until_well();
    servers_do("reshard cluster1 cluster2");
    servers_do("reshard cluster2 cluster3");
    wait_until_well();
    ck_assert_uint_le(loop.failed, 20);
    end_loop("resharding");
}
END_TEST

START_TEST(a_primary_of_the_cluster_gives_way_and_another_dies)
{
    settings.cluster = true;
    begin_loop("SHOPDATA_REDIS_CLUSTER");
    wait_until_well();
    servers_do("failover cluster4");
    wait_until_well();
    servers_do("kill cluster2");
    usleep(300000);
    wait_until_well();
    servers_do("start cluster2");
    wait_until_well();
    end_loop("failover in the cluster");
}
END_TEST

START_TEST(sentinels_replace_a_primary_that_dies)
{
    settings.sentinel_primary = variable("SHOPDATA_REDIS_SENTINEL_PRIMARY");
    begin_loop("SHOPDATA_REDIS_SENTINELS");
    wait_until_well();
    servers_do("kill watched1");
    usleep(300000);
    wait_until_well();
    servers_do("start watched1");
    wait_until_well();
    end_loop("failover by sentinels");
}
END_TEST

START_TEST(a_primary_that_is_made_a_replica_is_not_read)
{
    char command[64];
    sdi_cache_op operation;
    open_cache("SHOPDATA_REDIS");
    ck_assert(do_all("shopdata:demoted"));
    ck_assert(get("shopdata:demoted", &operation));
    ck_assert(operation.found);
    sdi_free(operation.block);
    const char *primary = strrchr(variable("SHOPDATA_REDIS_WATCHED2"), ':');
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %s", primary + 1);
    tell("SHOPDATA_REDIS", command);
    for (int i = 0; i < 3; i++)
        ck_assert(!get("shopdata:demoted", &operation));
    caches_check_trouble(cache, "a replica, not the primary");
    tell("SHOPDATA_REDIS", "REPLICAOF NO ONE");
    usleep(100000);
    ck_assert(get("shopdata:demoted", &operation));
    ck_assert(!operation.found); /* another epoch */
    ck_assert(do_all("shopdata:demoted"));
    close_cache();
}
END_TEST

/* A script that finds nothing to write is carried out by a replica too, and so is PUBLISH: no write is told by that. */
START_TEST(a_write_is_not_told_to_a_primary_that_is_made_a_replica)
{
    static const sdi_change change = {.point = {.era = {1, 1}, .lsn = 5}};
    char command[64];
    sdi_cache_op told[] = {
        {.verb = SDI_CACHE_MERGE, .key = sdi_slice_of("shopdata:untold"), .change = &change, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_PUBLISH, .key = sdi_slice_of("shopdata:changes"), .value = sdi_slice_of("12345678")},
    };
    open_cache("SHOPDATA_REDIS");
    ck_assert(sdi_cache_run(cache, told, 2, SDI_NEVER));
    const char *primary = strrchr(variable("SHOPDATA_REDIS_WATCHED2"), ':');
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %s", primary + 1);
    tell("SHOPDATA_REDIS", command);
    bool taken = sdi_cache_run(cache, told, 2, SDI_NEVER);
    tell("SHOPDATA_REDIS", "REPLICAOF NO ONE");
    ck_assert(!taken);
    usleep(100000);
    ck_assert(sdi_cache_run(cache, told, 2, SDI_NEVER));
    close_cache();
}
END_TEST

static void fill(TCase *cases)
{
    static const char *const variables[] = {"SHOPDATA_REDIS_CLUSTER", "SHOPDATA_REDIS_SENTINELS", "SHOPDATA_REDIS_TLS",
                                            NULL};
    servers_need("--redis --redis-tls --redis-cluster --sentinel", variables);
    tcase_add_checked_fixture(cases, set_up, stop_loop);
    tcase_add_test(cases, a_user_with_just_these_rights_can_do_everything);
    tcase_add_test(cases, without_any_one_of_them_something_is_refused);
    tcase_add_test(cases, a_wrong_password_is_told);
    tcase_add_test(cases, only_known_certificates_are_taken);
    tcase_add_test(cases, a_primary_that_is_made_a_replica_is_not_read);
    tcase_add_test(cases, a_write_is_not_told_to_a_primary_that_is_made_a_replica);
    tcase_add_test(cases, slots_move_while_batches_run);
    tcase_add_test(cases, a_primary_of_the_cluster_gives_way_and_another_dies);
    tcase_add_test(cases, sentinels_replace_a_primary_that_dies);
}

UNIT_MAIN("integration/redis", fill, 200)
