/* Memcached servers that come and go: a configuration endpoint (endpoint.py) in front of real servers. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "cache/memcached/ring.h"
#include "support/caches.h"
#include "support/servers.h"
#include "unit/unit.h"

enum { SERVERS = 3, MINUTE = 60000, INTERVAL_MS = 100, LONG_MS = 60000 };

static const char *const variables[] = {"SHOPDATA_MEMCACHED", "SHOPDATA_MEMCACHED2", "SHOPDATA_MEMCACHED3", NULL};

static struct {
    pid_t pid;
    sdi_address address;
    char file[256];
} endpoint;
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;
static char prefix[32];

/* ------------------------------------------------------------------------------------------------------ the endpoint
 */

static void write_file(const char *text, size_t length)
{
    char draft[300];
    snprintf(draft, sizeof draft, "%s.new", endpoint.file);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    close(fd);
    ck_assert_int_eq(rename(draft, endpoint.file), 0);
}

/* From now on the list has this version, and the servers whose bits are set. */
static void tell(const char *mode, unsigned version, unsigned servers)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "%s\n%u\n", mode, version);
    for (unsigned i = 0, count = 0; i < SERVERS; i++)
        if (servers >> i & 1)
            sdi_buffer_printf(&text, "%slocalhost|127.0.0.1|%s", count++ ? " " : "",
                              strchr(getenv(variables[i]), ':') + 1);
    sdi_buffer_char(&text, '\n');
    write_file(text.data, text.length);
    sdi_buffer_free(&text);
}

static void start_endpoint(void)
{
    const char *root = getenv("SHOPDATA_SOURCE_ROOT"); /* set by the build */
    char program[4096];
    snprintf(program, sizeof program, "%s/tests/integration/endpoint.py", root ? root : ".");
    int ends[2];
    char port[16] = "", again[16];
    snprintf(again, sizeof again, "%d", (int)endpoint.address.port);
    ck_assert_int_eq(pipe(ends), 0);
    endpoint.pid = fork();
    if (endpoint.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execlp("python3", "python3", "-B", program, endpoint.file, again, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ck_assert_int_gt(read(ends[0], port, sizeof port - 1), 0);
    close(ends[0]);
    endpoint.address = (sdi_address){.host = "127.0.0.1", .port = strtol(port, NULL, 10)};
    ck_assert_int_gt(endpoint.address.port, 0);
}

static void stop_endpoint(void)
{
    if (endpoint.pid <= 0)
        return;
    kill(endpoint.pid, SIGKILL);
    waitpid(endpoint.pid, NULL, 0);
    endpoint.pid = 0;
}

/* ---------------------------------------------------------------------------------------------------------- the cache
 */

static sdi_cache *open_with(int64_t interval_ms)
{
    sdi_cache *opened;
    settings.discovery_interval_ms = interval_ms;
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &opened, NULL), SHOPDATA_OK);
    return opened;
}

static void set_up(void)
{
    snprintf(prefix, sizeof prefix, "d%016llx", (unsigned long long)sdi_nonce());
    snprintf(endpoint.file, sizeof endpoint.file, "%s/%s", getenv("SHOPDATA_SERVERS"), prefix);
    endpoint.address.port = 0;
    tell("new", 1, 3);
    start_endpoint();
    settings = caches_settings(SDI_CACHE_MEMCACHED);
    settings.addresses = &endpoint.address;
    settings.address_count = 1;
    settings.discovery = true;
    settings.key_prefix = prefix;
    settings.connections = 2;
    settings.connect_timeout_ms = 500;
    settings.breaker_failures = 2;
    settings.breaker_open_ms = 50;
    settings.breaker_open_max_ms = 100;
    settings.max_entry_bytes = 1 << 20;
    metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    cache = open_with(INTERVAL_MS);
}

static void tear_down(void)
{
    caches_close(cache, metrics);
    stop_endpoint();
    unlink(endpoint.file);
    servers_do("start memcached");
    servers_do("start memcached2");
    servers_do("start memcached3");
}

typedef struct key_room {
    char text[64];
} key_room;

static sdi_slice key(key_room *room, size_t number)
{
    snprintf(room->text, sizeof room->text, "%s:%zu", prefix, number);
    return sdi_slice_of(room->text);
}

static bool run(sdi_cache *on, enum sdi_cache_verb verb, size_t number, const char *value)
{
    key_room room;
    sdi_cache_op operation = {.verb = verb, .key = key(&room, number), .value = sdi_slice_of(value), .ttl_ms = MINUTE};
    bool done = sdi_cache_run(on, &operation, 1, SDI_NEVER);
    sdi_free(operation.block);
    return done;
}

/* Is the cache used at all, and with every server? */
static bool works(sdi_cache *on)
{
    for (size_t i = 0; i < 20; i++)
        if (!run(on, SDI_CACHE_SET, i, "value"))
            return false;
    return true;
}

static bool comes_to_work(sdi_cache *on)
{
    for (int i = 0; i < 3000; i++, usleep(10000))
        if (works(on))
            return true;
    return false;
}

/* 1: found, 0: missing, -1: the run failed. */
static int look(sdi_cache *on, size_t number)
{
    key_room room;
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = key(&room, number)};
    bool done = sdi_cache_run(on, &operation, 1, SDI_NEVER);
    sdi_free(operation.block);
    return done ? operation.found : -1;
}

/* Works until nothing that was kept so far is found any more: it lives by another version of the list. */
static bool changes_over(sdi_cache *on)
{
    ck_assert(run(on, SDI_CACHE_SET, 1000, "witness"));
    for (int i = 0; i < 3000; i++, usleep(10000))
        if (look(on, 1000) == 0)
            return true;
    return false;
}

static uint64_t faults(enum sdi_cache_fault fault)
{
    return sdi_counted(metrics, SDI_M_CACHE_ERRORS, fault);
}

START_TEST(the_first_waits_and_later_ones_find_his_mark)
{
    ck_assert(!works(cache));
    ck_assert(comes_to_work(cache));
    usleep(INTERVAL_MS * 3000);
    ck_assert(works(cache));              /* puts the mark, at the latest */
    sdi_cache *late = open_with(LONG_MS); /* would wait for minutes */
    ck_assert(works(late));
    ck_assert_int_eq(look(late, 3), 1);
    sdi_cache_close(late);
}
END_TEST

START_TEST(the_old_form_does_as_well)
{
    tell("old", 1, 3);
    ck_assert(comes_to_work(cache));
}
END_TEST

START_TEST(a_server_comes)
{
    ck_assert(comes_to_work(cache));
    tell("new", 2, 7);
    ck_assert(changes_over(cache));
    ck_assert(works(cache));
    ck_assert_uint_eq(faults(SDI_CACHE_FAULT_CONNECT), 0);
}
END_TEST

START_TEST(a_server_goes)
{
    ck_assert(comes_to_work(cache));
    tell("new", 2, 1);
    ck_assert(changes_over(cache));
    servers_do("kill memcached2");
    ck_assert(comes_to_work(cache)); /* once nobody can read there any more */
    for (int i = 0; i < 5; i++)
        ck_assert(works(cache));
}
END_TEST

/* What stood on a server before it was taken out must not be found when it is back: it may be a fence of then. */
START_TEST(a_server_that_comes_back_brings_nothing_along)
{
    ck_assert(comes_to_work(cache));
    for (size_t i = 0; i < 20; i++)
        ck_assert(run(cache, SDI_CACHE_SET, i, "of then"));
    tell("new", 2, 1);
    ck_assert(changes_over(cache));
    tell("new", 3, 3);
    ck_assert(changes_over(cache));
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(look(cache, i), 0);
}
END_TEST

static sdi_point point_at(sdi_lsn lsn)
{
    return (sdi_point){.era = {1, 1}, .lsn = lsn};
}

/* How far the fence under a key is, as this process reads it; 0: not there. */
static sdi_lsn fence_of(sdi_cache *on, size_t number)
{
    key_room room;
    sdi_point point = {.lsn = 0};
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = key(&room, number)};
    if (sdi_cache_run(on, &operation, 1, SDI_NEVER) && operation.found)
        sdi_fence_decode((sdi_slice){operation.block, operation.length}, &point);
    sdi_free(operation.block);
    return point.lsn;
}

static void put_fence(sdi_cache *on, size_t number, sdi_lsn lsn)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_point point = point_at(lsn);
    sdi_fence_encode(&point, false, &record);
    run(on, SDI_CACHE_ADD, number, record.data);
    sdi_buffer_free(&record);
}

static bool merge(sdi_cache *on, size_t number, sdi_lsn lsn)
{
    key_room room;
    sdi_change change = {.point = point_at(lsn)};
    sdi_cache_op operation = {.verb = SDI_CACHE_MERGE, .key = key(&room, number), .change = &change, .ttl_ms = MINUTE};
    return sdi_cache_run(on, &operation, 1, SDI_NEVER);
}

/* Two processes that hear of a change at different moments: what one of them wrote, the other's fence demands. */
START_TEST(during_a_change_every_merge_is_seen_by_all)
{
    static const unsigned lists[] = {3, 7, 6, 7, 5};
    sdi_lsn lsn = 1;
    ck_assert(comes_to_work(cache));
    sdi_cache *other = open_with(INTERVAL_MS);
    ck_assert(comes_to_work(other));
    for (unsigned i = 1; i < sizeof lists / sizeof *lists; i++) {
        tell("new", 1 + i, lists[i]);
        for (int64_t end = sdi_deadline_in(INTERVAL_MS * 8); sdi_now() < end; lsn++) {
            sdi_cache *writer = lsn % 2 ? cache : other, *reader = lsn % 2 ? other : cache;
            size_t number = sdi_random_below(8);
            put_fence(reader, number, lsn);
            bool told = merge(writer, number, lsn + 1);
            sdi_lsn found = fence_of(reader, number);
            ck_assert_msg(!told || found == 0 || found >= lsn + 1, "told %d, but the fence stands at %d", (int)lsn + 1,
                          (int)found);
        }
    }
    sdi_cache_close(other);
}
END_TEST

enum { THREADS = 6 };
static atomic_bool running;
static atomic_int wrong;

/* Values are as their keys, or missing. */
static void *use(void *number)
{
    key_room room;
    for (size_t i = (size_t)(uintptr_t)number; atomic_load(&running); i += THREADS) {
        sdi_cache_op operation = {.verb = i % 2 ? SDI_CACHE_SET : SDI_CACHE_GET, .key = key(&room, 200 + i % 50)};
        operation.value = operation.key;
        operation.ttl_ms = MINUTE;
        sdi_cache_run(cache, &operation, 1, SDI_NEVER);
        if (operation.found && strcmp(operation.block, room.text) != 0)
            atomic_fetch_add(&wrong, 1);
        sdi_free(operation.block);
        merge(cache, 100 + i % 3, 1 + i);
    }
    return NULL;
}

START_TEST(threads_go_on_while_one_of_them_asks)
{
    pthread_t threads[THREADS];
    ck_assert(comes_to_work(cache));
    atomic_store(&running, true);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use, (void *)(uintptr_t)i), 0);
    for (unsigned version = 2; version < 5; version++) {
        tell("new", version, version % 2 ? 3 : 7);
        usleep(INTERVAL_MS * 4000);
    }
    atomic_store(&running, false);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(wrong, 0);
    ck_assert(comes_to_work(cache));
}
END_TEST

START_TEST(without_the_endpoint_a_lease_ends)
{
    ck_assert(comes_to_work(cache));
    usleep(INTERVAL_MS * 3000);
    ck_assert(works(cache));
    sdi_cache *patient = open_with(LONG_MS);
    ck_assert(works(patient));
    stop_endpoint();
    ck_assert(works(patient));
    for (int i = 0; i < 500 && works(cache); i++)
        usleep(10000);
    ck_assert(!works(cache));
    ck_assert_uint_gt(faults(SDI_CACHE_FAULT_CONNECT), 0);
    ck_assert(works(patient)); /* his lease is longer */
    start_endpoint();
    ck_assert(comes_to_work(cache));
    sdi_cache_close(patient);
}
END_TEST

static void answer_raw(const char *bytes)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "raw\n%s", bytes);
    write_file(text.data, text.length);
    sdi_buffer_free(&text);
}

/* A list that is not whole is none: nothing changes, and the lease is not renewed. */
START_TEST(no_other_answer_is_believed)
{
    static const char *const answers[] = {
        "hello\r\n",
        "END\r\n",
        "CONFIG cluster 0 0\r\n\r\nEND\r\n",
        "CONFIG cluster 0 13\r\n2\nh|1.2.3.4|1\n\r\nEND\r\n",
        "CONFIG cluster 0 12\r\n2\nh|1.2.3.4\n\r\nEND\r\n",
        "CONFIG cluster 0 15\r\n2\nh|1.2.3",
        "CONFIG cluster 0 4\r\n2\nh|\r\nEND\r\n",
        "CONFIG cluster 0 99999999999999999999\r\n",
        "CONFIG cluster 0 4294967295\r\n2\n",
        "CONFIG cluster 0 1000000000\r\n2\n",
        "CONFIG cluster 0 -1\r\n2\n",
        "CONFIG other 0 15\r\n2\nh|1.2.3.4|12\n\r\nEND\r\n",
        "SERVER_ERROR not now\r\n",
    };
    ck_assert(comes_to_work(cache));
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        answer_raw(answers[i]);
        uint64_t before = faults(SDI_CACHE_FAULT_PROTOCOL) + faults(SDI_CACHE_FAULT_LOST) +
                          faults(SDI_CACHE_FAULT_REJECTED) + faults(SDI_CACHE_FAULT_TIMEOUT);
        uint64_t after = before;
        for (int tries = 0; tries < 500 && after == before; tries++, usleep(10000)) {
            look(cache, 1);
            after = faults(SDI_CACHE_FAULT_PROTOCOL) + faults(SDI_CACHE_FAULT_LOST) + faults(SDI_CACHE_FAULT_REJECTED) +
                    faults(SDI_CACHE_FAULT_TIMEOUT);
        }
        ck_assert_msg(after > before, "%s", answers[i]);
    }
    tell("new", 1, 3);
    ck_assert(comes_to_work(cache));
}
END_TEST

static void fill(TCase *cases)
{
    servers_need("--memcached 3", variables);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, the_first_waits_and_later_ones_find_his_mark);
    tcase_add_test(cases, the_old_form_does_as_well);
    tcase_add_test(cases, a_server_comes);
    tcase_add_test(cases, a_server_goes);
    tcase_add_test(cases, a_server_that_comes_back_brings_nothing_along);
    tcase_add_test(cases, during_a_change_every_merge_is_seen_by_all);
    tcase_add_test(cases, threads_go_on_while_one_of_them_asks);
    tcase_add_test(cases, without_the_endpoint_a_lease_ends);
    tcase_add_test(cases, no_other_answer_is_believed);
}

UNIT_MAIN("integration/discovery", fill, 120)
