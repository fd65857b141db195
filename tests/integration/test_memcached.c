/* The memcached backend among real servers that are busy, full, gone and frozen. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "cache/memcached/ring.h"
#include "support/caches.h"
#include "support/servers.h"
#include "unit/unit.h"

enum { SERVERS = 3, MINUTE = 60000, TIMEOUT_MS = 300 };

static const char *const names[SERVERS] = {"memcached", "memcached2", "memcached3"};
static const char *const variables[] = {"SHOPDATA_MEMCACHED", "SHOPDATA_MEMCACHED2", "SHOPDATA_MEMCACHED3", NULL};

static sdi_address *addresses;
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;
static sdi_memcached_ring *ring; /* only to tell where a key lives */
static char prefix[32];

static void make_settings(void)
{
    settings = caches_settings(SDI_CACHE_MEMCACHED);
    settings.addresses = addresses = caches_memcached(SERVERS);
    settings.address_count = SERVERS;
    settings.connections = 8;
    settings.connect_timeout_ms = 200;
    settings.timeout_ms = TIMEOUT_MS;
    settings.breaker_failures = 2;
    settings.breaker_open_ms = 50;
    settings.breaker_open_max_ms = 100;
    settings.max_entry_bytes = 4 << 20;
}

static void each_server_do(const char *verb)
{
    for (size_t i = 0; i < SERVERS; i++) {
        char command[40];
        snprintf(command, sizeof command, "%s %s", verb, names[i]);
        servers_do(command);
    }
}

static void heal(void)
{
    each_server_do("start");
}

static void set_up(void)
{
    make_settings();
    snprintf(prefix, sizeof prefix, "t%016llx", (unsigned long long)sdi_nonce());
    ring = sdi_memcached_ring_new(&settings, addresses, SERVERS, "", NULL);
    ck_assert_ptr_nonnull(ring);
    cache = caches_open(&settings, &metrics);
}

static void tear_down(void)
{
    caches_close(cache, metrics);
    sdi_memcached_ring_free(ring);
    sdi_free(addresses);
    heal();
}

typedef struct key_room {
    char text[64];
} key_room;

static sdi_slice key(key_room *room, size_t number)
{
    snprintf(room->text, sizeof room->text, "%s:%zu", prefix, number);
    return sdi_slice_of(room->text);
}

/* A key that lives on this server. */
static sdi_slice key_on(key_room *room, size_t server)
{
    for (size_t i = 0;; i++)
        if (sdi_memcached_ring_find(ring, key(room, i)) == server)
            return sdi_slice_of(room->text);
}

static bool run(enum sdi_cache_verb verb, sdi_slice name, sdi_slice value)
{
    sdi_cache_op operation = {.verb = verb, .key = name, .value = value, .ttl_ms = MINUTE};
    return sdi_cache_run(cache, &operation, 1, SDI_NEVER);
}

/* The value of a key; "-" if it is missing, "!" if the run failed. */
static const char *value_of(sdi_slice name)
{
    static char text[64];
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = name};
    if (!sdi_cache_run(cache, &operation, 1, SDI_NEVER))
        return "!";
    snprintf(text, sizeof text, "%s", operation.found ? operation.block : "-");
    sdi_free(operation.block);
    return text;
}

/* ------------------------------------------------------------------------------------------- what the servers count */

/* Says a line to a server and reads what comes until `end`. */
static void talk(size_t server, const char *line, const char *end, char *answer, size_t room)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)addresses[server].port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(dprintf(fd, "%s\r\n", line), (int)strlen(line) + 2);
    size_t length = 0;
    ssize_t got;
    while (!strstr(answer, end) && (got = read(fd, answer + length, room - 1 - length)) > 0) {
        length += (size_t)got;
        answer[length] = '\0';
    }
    ck_assert_msg(strstr(answer, end) != NULL, "%s", answer);
    close(fd);
}

static long counted_on(size_t server, const char *name)
{
    char answer[16384] = "", wanted[64];
    talk(server, "stats", "END\r\n", answer, sizeof answer);
    snprintf(wanted, sizeof wanted, "STAT %s ", name);
    const char *line = strstr(answer, wanted);
    ck_assert_ptr_nonnull(line);
    return strtol(line + strlen(wanted), NULL, 10);
}

static long cas_tries(void)
{
    long tries = 0;
    for (size_t i = 0; i < SERVERS; i++)
        tries += counted_on(i, "cas_hits") + counted_on(i, "cas_badval") + counted_on(i, "cas_misses");
    return tries;
}

/* ----------------------------------------------------------------------------------------------- merges on one fence
 */

enum { MERGERS = 16, MERGES = SDI_SNAPSHOT_RUNNING_MAX, FENCES = 40 };

/* A fence under which so many transactions run; point `n` is of somebody who saw the n-th one finished, and no other.
 * So each merge shows in the end: a lost one leaves its transaction running. */
static void put_fence(size_t number)
{
    key_room room;
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point fence = {.era = {1, 1}, .snapshot = {.xmin = 1, .xmax = 1 + MERGES, .count = MERGES}};
    for (uint64_t i = 0; i < MERGES; i++)
        fence.snapshot.running[i] = 1 + i;
    sdi_fence_encode(&fence, false, &record);
    ck_assert(run(SDI_CACHE_SET, key(&room, number), (sdi_slice){record.data, record.length}));
    sdi_buffer_free(&record);
}

static bool merge(size_t number, uint64_t finished)
{
    key_room room;
    sdi_change change = {
        .point = {.era = {1, 1}, .snapshot = {.xmin = 1, .xmax = 2 + finished, .count = (uint32_t)finished}}};
    for (uint64_t i = 0; i < finished; i++)
        change.point.snapshot.running[i] = 1 + i;
    sdi_cache_op operation = {.verb = SDI_CACHE_MERGE, .key = key(&room, number), .change = &change, .ttl_ms = MINUTE};
    return sdi_cache_run(cache, &operation, 1, SDI_NEVER);
}

static void check_fence(size_t number)
{
    key_room room;
    sdi_point fence;
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = key(&room, number)};
    ck_assert(sdi_cache_run(cache, &operation, 1, SDI_NEVER) && operation.found);
    ck_assert_int_eq(sdi_fence_decode((sdi_slice){operation.block, operation.length}, &fence), SDI_FENCE_POINT);
    ck_assert_uint_eq(fence.snapshot.xmax, 1 + MERGES);
    ck_assert_msg(fence.snapshot.count == 0, "fence %zu: %u merges were lost", number, fence.snapshot.count);
    sdi_free(operation.block);
}

static size_t mergers; /* threads, of all processes */
static size_t first_merger;
static pthread_barrier_t together;

static void *merge_a_share(void *number)
{
    uintptr_t failed = 0;
    for (size_t fence = 0; fence < FENCES; fence++) {
        pthread_barrier_wait(&together); /* else they drift apart, each at another fence */
        for (uint64_t i = first_merger + (uintptr_t)number; i < MERGES; i += mergers)
            failed |= !merge(fence, i);
    }
    return (void *)failed;
}

static void start_threads(pthread_t *threads, size_t count, void *(*work)(void *))
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i), 0);
}

/* True if all merges were carried out. */
static bool join_threads(const pthread_t *threads, size_t count)
{
    bool done = true;
    for (size_t i = 0; i < count; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        done &= failed == NULL;
    }
    return done;
}

static bool merge_in_threads(size_t count)
{
    pthread_t threads[MERGERS];
    pthread_barrier_init(&together, NULL, (unsigned)count);
    start_threads(threads, count, merge_a_share);
    bool done = join_threads(threads, count);
    pthread_barrier_destroy(&together);
    return done;
}

static void give_time(void)
{
    caches_close(cache, metrics);
    settings.timeout_ms = 20000;
    cache = caches_open(&settings, &metrics);
    settings.timeout_ms = TIMEOUT_MS;
}

START_TEST(threads_that_merge_into_one_fence_lose_nothing)
{
    give_time();
    for (size_t i = 0; i < FENCES; i++)
        put_fence(i);
    mergers = MERGERS;
    first_merger = 0;
    ck_assert(merge_in_threads(MERGERS));
    for (size_t i = 0; i < FENCES; i++)
        check_fence(i);
    ck_assert_uint_eq(caches_faults(metrics), 0);
}
END_TEST

static void *merge_once(void *number)
{
    return (void *)(uintptr_t)!merge(0, (uintptr_t)number);
}

/* They gather while the servers stand still: how many would otherwise meet is the scheduler's to say. */
START_TEST(threads_that_merge_into_one_fence_share_a_cas)
{
    pthread_t threads[MERGES];
    give_time();
    put_fence(0);
    long before = cas_tries();
    each_server_do("freeze");
    start_threads(threads, MERGES, merge_once);
    usleep(200000);
    each_server_do("thaw");
    ck_assert(join_threads(threads, MERGES));
    long tries = cas_tries() - before;
    check_fence(0);
    ck_assert_uint_eq(caches_faults(metrics), 0);
    ck_assert_int_ge(tries, 1);
    ck_assert_msg(tries <= MERGES / 4, "%ld tries for %d merges", tries, MERGES);
}
END_TEST

#ifndef __SANITIZE_THREAD__
/* A forked child's own cache and threads; its end tells whether all was merged. */
static void merge_in_child(size_t first, size_t threads)
{
    first_merger = first;
    sdi_cache_abandon(cache);
    cache = caches_open(&settings, &metrics);
    bool done = merge_in_threads(threads);
    caches_close(cache, metrics);
    _exit(done ? 0 : 1);
}

START_TEST(processes_that_merge_into_one_fence_lose_nothing)
{
    enum { PROCESSES = 4, EACH = 4 };
    pid_t children[PROCESSES];
    settings.timeout_ms = 20000;
    for (size_t i = 0; i < FENCES; i++)
        put_fence(i);
    mergers = PROCESSES * EACH;
    for (size_t i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            merge_in_child(i * EACH, EACH);
    for (size_t i = 0; i < PROCESSES; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    settings.timeout_ms = TIMEOUT_MS;
    for (size_t i = 0; i < FENCES; i++)
        check_fence(i);
}
END_TEST
#endif

START_TEST(an_abandoned_cache_leaves_the_parents_connections_alone)
{
    key_room room;
    sdi_slice name = key_on(&room, 1);
    ck_assert(run(SDI_CACHE_SET, name, sdi_slice_of("kept")));
    ck_assert_str_eq(value_of(name), "kept"); /* over another connection than what writes */
    long before = counted_on(1, "total_connections");
    pid_t child = fork();
    if (child == 0) {
        sdi_cache_abandon(cache);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_str_eq(value_of(name), "kept");
    ck_assert_int_eq(counted_on(1, "total_connections") - before, 1); /* the one that asks */
}
END_TEST

/* --------------------------------------------------------------------------------------------------- servers in need
 */

START_TEST(a_value_over_the_servers_limit_is_missing_and_no_fault)
{
    key_room room, other_room;
    size_t length = 3 << 20;
    char *value = calloc(1, length);
    sdi_slice name = key_on(&room, 0), other = key_on(&other_room, 1);
    ck_assert(run(SDI_CACHE_SET, name, sdi_slice_of("small")));
    for (int i = 0; i < 4; i++) {
        sdi_cache_op both[] = {
            {.verb = SDI_CACHE_SET, .key = name, .value = {value, length}, .ttl_ms = MINUTE},
            {.verb = SDI_CACHE_SET, .key = other, .value = sdi_slice_of("other"), .ttl_ms = MINUTE},
        };
        ck_assert(sdi_cache_run(cache, both, 2, SDI_NEVER));
    }
    ck_assert_str_eq(value_of(name), "-");
    ck_assert_str_eq(value_of(other), "other");
    ck_assert_uint_eq(caches_faults(metrics), 0);
    free(value);
}
END_TEST

START_TEST(what_was_flushed_is_missing)
{
    key_room room;
    char answer[64] = "";
    sdi_slice name = key_on(&room, 2);
    ck_assert(run(SDI_CACHE_SET, name, sdi_slice_of("x")));
    talk(2, "flush_all", "OK\r\n", answer, sizeof answer);
    ck_assert_str_eq(value_of(name), "-");
    ck_assert(run(SDI_CACHE_ADD, name, sdi_slice_of("y")));
    ck_assert_str_eq(value_of(name), "y");
    ck_assert_uint_eq(caches_faults(metrics), 0);
}
END_TEST

static void check_others(void)
{
    key_room room;
    for (size_t i = 0; i < SERVERS; i++)
        if (i != 1)
            ck_assert_str_eq(value_of(key_on(&room, i)), names[i]);
}

static void set_all(void)
{
    key_room room;
    for (size_t i = 0; i < SERVERS; i++)
        ck_assert(run(SDI_CACHE_SET, key_on(&room, i), sdi_slice_of(names[i])));
}

/* No key moves to another server: a fence that is found there when it moves back would be an old one. */
static void check_keys_of_the_dead(void)
{
    key_room room;
    sdi_change change = {.point.era = {1, 1}};
    sdi_slice name = key_on(&room, 1);
    sdi_cache_op write = {.verb = SDI_CACHE_MERGE, .key = name, .change = &change, .ttl_ms = MINUTE};
    ck_assert_str_eq(value_of(name), "-");
    ck_assert(!run(SDI_CACHE_SET, name, sdi_slice_of("elsewhere?")));
    ck_assert(!run(SDI_CACHE_ADD, name, sdi_slice_of("elsewhere?")));
    ck_assert(!run(SDI_CACHE_REMOVE, name, (sdi_slice){0}));
    ck_assert(!sdi_cache_run(cache, &write, 1, SDI_NEVER));
}

static bool becomes(sdi_slice name, const char *value)
{
    for (int i = 0; i < 200; i++, usleep(20000)) {
        run(SDI_CACHE_SET, name, sdi_slice_of(value));
        if (strcmp(value_of(name), value) == 0)
            return true;
    }
    return false;
}

START_TEST(a_server_that_is_gone_keeps_its_keys)
{
    key_room room;
    set_all();
    servers_do("kill memcached2");
    for (int i = 0; i < 10; i++) {
        check_others();
        check_keys_of_the_dead();
    }
    servers_do("start memcached2");
    ck_assert(becomes(key_on(&room, 1), "back"));
    check_others();
}
END_TEST

START_TEST(a_restarted_server_is_met_without_a_fault)
{
    key_room room;
    set_all();
    servers_do("restart memcached2");
    ck_assert_str_eq(value_of(key_on(&room, 1)), "-");
    check_others();
    ck_assert_uint_eq(caches_faults(metrics), 0);
}
END_TEST

START_TEST(a_frozen_server_costs_no_more_than_the_timeout)
{
    key_room room;
    set_all();
    servers_do("freeze memcached2");
    for (int i = 0; i < 5; i++) {
        int64_t begun = sdi_now();
        ck_assert_str_eq(value_of(key_on(&room, 1)), "-");
        ck_assert_int_lt(sdi_now() - begun, (TIMEOUT_MS + UNIT_BUSY_MS) * 1000);
        check_others();
    }
    ck_assert_uint_ge(sdi_counted(metrics, SDI_M_CACHE_ERRORS, SDI_CACHE_FAULT_TIMEOUT), 2);
    servers_do("thaw memcached2");
    /* The answers that were missed come now: nobody may take them for his own. */
    ck_assert(becomes(key_on(&room, 1), "thawed"));
    check_others();
}
END_TEST

/* One batch to all: those that answer are heard although one does not. */
START_TEST(a_batch_hears_those_who_answer)
{
    key_room rooms[SERVERS];
    sdi_cache_op batch[SERVERS];
    set_all();
    servers_do("freeze memcached2");
    for (size_t i = 0; i < SERVERS; i++)
        batch[i] = (sdi_cache_op){.verb = SDI_CACHE_GET, .key = key_on(&rooms[i], i)};
    ck_assert(sdi_cache_run(cache, batch, SERVERS, SDI_NEVER));
    for (size_t i = 0; i < SERVERS; i++) {
        ck_assert(batch[i].found == (i != 1));
        if (batch[i].found)
            ck_assert_str_eq(batch[i].block, names[i]);
        sdi_free(batch[i].block);
    }
    servers_do("thaw memcached2");
}
END_TEST

START_TEST(without_any_server_a_run_fails)
{
    key_room room;
    each_server_do("kill");
    for (int i = 0; i < 3; i++)
        for (size_t server = 0; server < SERVERS; server++)
            value_of(key_on(&room, server));
    for (size_t i = 0; i < SERVERS; i++)
        ck_assert_str_eq(value_of(key_on(&room, i)), "!");
}
END_TEST

static void fill(TCase *cases)
{
    servers_need("--memcached 3", variables);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, threads_that_merge_into_one_fence_lose_nothing);
    tcase_add_test(cases, threads_that_merge_into_one_fence_share_a_cas);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(cases, processes_that_merge_into_one_fence_lose_nothing);
#endif
    tcase_add_test(cases, an_abandoned_cache_leaves_the_parents_connections_alone);
    tcase_add_test(cases, a_value_over_the_servers_limit_is_missing_and_no_fault);
    tcase_add_test(cases, what_was_flushed_is_missing);
    tcase_add_test(cases, a_server_that_is_gone_keeps_its_keys);
    tcase_add_test(cases, a_restarted_server_is_met_without_a_fault);
    tcase_add_test(cases, a_frozen_server_costs_no_more_than_the_timeout);
    tcase_add_test(cases, a_batch_hears_those_who_answer);
    tcase_add_test(cases, without_any_server_a_run_fails);
}

UNIT_MAIN("integration/memcached", fill, 120)
