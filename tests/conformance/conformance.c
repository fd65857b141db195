/* conformance.c - what every cache backend must do. The argument names the backend: memory, redis, redis-tls, memcached
 * or memcached3 for three servers of it. Where its servers are is in the environment that tests/launcher sets; without
 * it the program is skipped. Keys begin with a nonce: runs do not meet. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../support/caches.h"
#include "../unit/unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

enum { SKIPPED = 77, MINUTE = 60000, THREADS = 8 };

static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;
static char namespace[40];
/* Lifetimes are told apart by this: memcached counts seconds. */
static int tick_ms = 60;
static size_t large_value = 4 << 20;
static bool takes_marks = true;

static void make_settings(void)
{
    settings = caches_settings(SDI_CACHE_MEMORY);
    settings.connections = 4;
    settings.connect_timeout_ms = 5000;
    settings.timeout_ms = 20000;
    settings.breaker_failures = 5;
    settings.breaker_open_ms = 100;
    settings.breaker_open_max_ms = 1000;
    settings.max_entry_bytes = 4 << 20;
    settings.memory_bytes = 256 << 20;
}

static void open_cache(void)
{
    cache = caches_open(&settings, &metrics);
    snprintf(namespace, sizeof namespace, "conformance:%016" PRIx64 ":", sdi_nonce());
}

static void close_cache(void)
{
    caches_close(cache, metrics);
}

typedef struct key_room {
    char text[80];
} key_room;

static sdi_slice key(key_room *room, const char *name, size_t number)
{
    snprintf(room->text, sizeof room->text, "%s%s%zu", namespace, name, number);
    return sdi_slice_of(room->text);
}

static void run(sdi_cache_op *operations, size_t count)
{
    sdi_buffer trouble = SDI_BUFFER_INIT;
    bool done = sdi_cache_run(cache, operations, count, SDI_NEVER);
    if (!done)
        sdi_cache_trouble(cache, &trouble);
    ck_assert_msg(done, "%s", trouble.data);
}

static void set_for(sdi_slice name, sdi_slice value, int64_t ttl_ms)
{
    run(&(sdi_cache_op){.verb = SDI_CACHE_SET, .key = name, .value = value, .ttl_ms = ttl_ms}, 1);
}

static void set(sdi_slice name, sdi_slice value)
{
    set_for(name, value, MINUTE);
}

static bool add(sdi_slice name, sdi_slice value)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_ADD, .key = name, .value = value, .ttl_ms = MINUTE};
    run(&operation, 1);
    return !operation.found;
}

static bool swap(sdi_slice name, sdi_slice expected, sdi_slice value)
{
    sdi_cache_op operation = {
        .verb = SDI_CACHE_SWAP, .key = name, .expected = expected, .value = value, .ttl_ms = MINUTE};
    run(&operation, 1);
    return operation.found;
}

static void merge_for(sdi_slice name, const sdi_point *point, int64_t ttl_ms)
{
    sdi_change change = {.point = *point};
    run(&(sdi_cache_op){.verb = SDI_CACHE_MERGE, .key = name, .change = &change, .ttl_ms = ttl_ms}, 1);
}

/* The operation's value is this; frees it. */
static void check_value(sdi_cache_op *operation, sdi_slice value)
{
    ck_assert(operation->found);
    ck_assert_ptr_nonnull(operation->block);
    ck_assert_uint_eq(operation->length, value.length);
    ck_assert_mem_eq(operation->block + operation->headroom, value.data, value.length);
    ck_assert_int_eq(operation->block[operation->headroom + value.length], 0);
    sdi_free(operation->block);
}

static void check_get(sdi_slice name, sdi_slice value)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = name, .headroom = 24};
    run(&operation, 1);
    check_value(&operation, value);
}

static void check_absent(sdi_slice name)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = name};
    run(&operation, 1);
    ck_assert(!operation.found);
    ck_assert_ptr_null(operation.block);
}

static void check_stands(sdi_slice name, sdi_slice record)
{
    if (record.length)
        check_get(name, record);
    else
        check_absent(name);
}

START_TEST(keeps_and_forgets)
{
    key_room room;
    sdi_slice name = key(&room, "plain", 0);
    check_absent(name);
    set(name, sdi_slice_of("one"));
    check_get(name, sdi_slice_of("one"));
    set(name, sdi_slice_of("another, longer one"));
    check_get(name, sdi_slice_of("another, longer one"));
    set(name, sdi_slice_of(""));
    check_get(name, sdi_slice_of(""));
    run(&(sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = name}, 1);
    check_absent(name);
    run(&(sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = name}, 1);
}
END_TEST

START_TEST(adds_only_where_nothing_is)
{
    key_room room;
    sdi_slice name = key(&room, "add", 0);
    ck_assert(add(name, sdi_slice_of("first")));
    ck_assert(!add(name, sdi_slice_of("second")));
    check_get(name, sdi_slice_of("first"));
    run(&(sdi_cache_op){.verb = SDI_CACHE_REMOVE, .key = name}, 1);
    ck_assert(add(name, sdi_slice_of("third")));
}
END_TEST

START_TEST(swaps_only_what_is_expected)
{
    key_room room;
    sdi_slice name = key(&room, "swap", 0);
    ck_assert(!swap(name, sdi_slice_of("P"), sdi_slice_of("F")));
    ck_assert(!swap(name, sdi_slice_of(""), sdi_slice_of("F")));
    check_absent(name);
    set(name, sdi_slice_of("P"));
    ck_assert(!swap(name, sdi_slice_of("Q"), sdi_slice_of("F")));
    ck_assert(!swap(name, sdi_slice_of("P "), sdi_slice_of("F")));
    ck_assert(!swap(name, sdi_slice_of(""), sdi_slice_of("F")));
    check_get(name, sdi_slice_of("P"));
    ck_assert(swap(name, sdi_slice_of("P"), sdi_slice_of("F")));
    check_get(name, sdi_slice_of("F"));
}
END_TEST

START_TEST(time_is_up_after_the_ttl)
{
    key_room short_room, long_room, added_room;
    sdi_slice short_lived = key(&short_room, "short", 0), long_lived = key(&long_room, "long", 0);
    sdi_slice added = key(&added_room, "added", 0);
    set_for(short_lived, sdi_slice_of("x"), tick_ms);
    set(long_lived, sdi_slice_of("y"));
    run(&(sdi_cache_op){.verb = SDI_CACHE_ADD, .key = added, .value = sdi_slice_of("z"), .ttl_ms = 60}, 1);
    usleep((useconds_t)tick_ms * 2500);
    check_absent(short_lived);
    check_get(long_lived, sdi_slice_of("y"));
    ck_assert(add(added, sdi_slice_of("new")));
    set_for(short_lived, sdi_slice_of("x"), INT64_MAX);
    check_get(short_lived, sdi_slice_of("x"));
    set_for(short_lived, sdi_slice_of("x"), 0);
    usleep(20000);
    check_absent(short_lived);
}
END_TEST

START_TEST(bytes_are_bytes)
{
    static const char zeros[] = "a\0b\r\n\0$5\r\n*", value[] = "\0\r\n\0\xff\xfe+OK\r\n";
    char name[SDI_CACHE_KEY_MAX];
    memset(name, 0, sizeof name);
    memcpy(name, namespace, strlen(namespace));
    memcpy(name + strlen(namespace), zeros, sizeof zeros);
    sdi_slice longer = {name, sizeof name}, shorter = {name, sizeof name - 1};
    set(longer, (sdi_slice){value, sizeof value});
    set(shorter, (sdi_slice){value, 1});
    check_get(longer, (sdi_slice){value, sizeof value});
    check_get(shorter, (sdi_slice){value, 1});
    ck_assert(swap(longer, (sdi_slice){value, sizeof value}, (sdi_slice){zeros, sizeof zeros}));
    check_get(longer, (sdi_slice){zeros, sizeof zeros});
}
END_TEST

START_TEST(large_values_come_back_whole)
{
    key_room room;
    size_t length = large_value;
    char *value = malloc(length);
    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < length; i++)
        value[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < 3; i++)
        set(key(&room, "large", i), (sdi_slice){value, length - i});
    for (size_t i = 0; i < 3; i++)
        check_get(key(&room, "large", i), (sdi_slice){value, length - i});
    free(value);
}
END_TEST

START_TEST(a_key_that_cannot_be_fails_the_run)
{
    char name[SDI_CACHE_KEY_MAX + 1] = "";
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = {name, sizeof name}};
    ck_assert(!sdi_cache_run(cache, &operation, 1, SDI_NEVER));
    operation.key.length = 0;
    ck_assert(!sdi_cache_run(cache, &operation, 1, SDI_NEVER));
    ck_assert(sdi_cache_run(cache, NULL, 0, SDI_NEVER));
    ck_assert(!sdi_cache_run(NULL, &operation, 1, SDI_NEVER));
}
END_TEST

START_TEST(a_batch_is_in_order)
{
    key_room room;
    sdi_slice name = key(&room, "order", 0);
    sdi_slice one = sdi_slice_of("1"), two = sdi_slice_of("2"), three = sdi_slice_of("3");
    sdi_change change = {.point.era = {1, 1}};
    sdi_cache_op batch[] = {
        {.verb = SDI_CACHE_GET, .key = name},
        {.verb = SDI_CACHE_ADD, .key = name, .value = one, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_GET, .key = name, .headroom = 7},
        {.verb = SDI_CACHE_GET, .key = name, .headroom = 100},
        {.verb = SDI_CACHE_SWAP, .key = name, .expected = one, .value = two, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_GET, .key = name},
        {.verb = SDI_CACHE_MERGE, .key = name, .change = &change, .ttl_ms = MINUTE}, /* damaged: deleted */
        {.verb = SDI_CACHE_GET, .key = name},
        {.verb = SDI_CACHE_SET, .key = name, .value = three, .ttl_ms = MINUTE},
        {.verb = SDI_CACHE_GET, .key = name},
        {.verb = SDI_CACHE_REMOVE, .key = name},
        {.verb = SDI_CACHE_GET, .key = name},
    };
    run(batch, sizeof batch / sizeof *batch);
    ck_assert(!batch[0].found);
    ck_assert(!batch[1].found);
    check_value(&batch[2], one);
    check_value(&batch[3], one);
    ck_assert(batch[4].found);
    check_value(&batch[5], two);
    ck_assert(!batch[7].found);
    check_value(&batch[9], three);
    ck_assert(!batch[11].found);
}
END_TEST

START_TEST(a_thousand_operations_at_once)
{
    enum { MANY = 1000 };
    static key_room rooms[MANY];
    static sdi_cache_op batch[MANY];
    for (size_t i = 0; i < MANY; i++)
        batch[i] = (sdi_cache_op){
            .verb = SDI_CACHE_SET, .key = key(&rooms[i], "many", i), .value = batch[i].key, .ttl_ms = MINUTE};
    for (size_t i = 0; i < MANY; i++)
        batch[i].value = batch[i].key;
    run(batch, MANY);
    for (size_t i = 0; i < MANY; i++)
        batch[i] = (sdi_cache_op){.verb = SDI_CACHE_GET, .key = batch[i].key, .headroom = i};
    run(batch, MANY);
    for (size_t i = 0; i < MANY; i++)
        check_value(&batch[i], batch[i].key);
}
END_TEST

/* Few, so that they meet; now and then many, so that they do not fit. */
static sdi_pendings random_pendings(void)
{
    sdi_pendings pending = {0};
    uint64_t count = sdi_random_below(8) ? sdi_random_below(4) : sdi_random_below(SDI_PENDING_MAX + 1);
    for (uint64_t i = 0; i < count; i++)
        sdi_pending_add(&pending, (sdi_pending){sdi_random_below(count > 4 ? 60 : 6) << 36, sdi_random_below(4) << 40});
    return pending;
}

/* A point of few and near numbers, so that random ones often meet. */
static sdi_point random_point(void)
{
    sdi_point point = {.era = {1 + (sdi_random_below(12) == 0), 1 + (uint32_t)(sdi_random_below(6) / 2 * 7)},
                       .lsn = sdi_random_below(5) << 40,
                       .flush = sdi_random_below(5),
                       .snapshot = {.xmin = sdi_random_below(6)}};
    if (sdi_random_below(3))
        point.era = (sdi_era){1, 8};
    point.snapshot.xmax = point.snapshot.xmin;
    uint64_t length = sdi_random_below(sdi_random_below(8) ? 6 : 90);
    for (uint64_t i = 0; i < length; i++, point.snapshot.xmax++)
        if (sdi_random_below(3) && point.snapshot.count < SDI_SNAPSHOT_RUNNING_MAX)
            point.snapshot.running[point.snapshot.count++] = point.snapshot.xmax;
    if (takes_marks && sdi_random_below(2))
        point.pending = random_pendings();
    return point;
}

/* A write's point, a mark, a settle, or all of it at once. */
static sdi_change random_change(void)
{
    sdi_change change = {.point = random_point()};
    if (sdi_random_below(3) == 0)
        change.point = (sdi_point){.era = change.point.era, .pending = change.point.pending};
    if (takes_marks && sdi_random_below(2))
        change.settled = random_pendings();
    return change;
}

/* One wrong byte, or one too many or too few. */
static void damage(sdi_buffer *record)
{
    static const char bytes[] = "0f9aFS,-: x\n\0gP";
    size_t at = sdi_random_below(record->length);
    switch (sdi_random_below(3)) {
    case 0:
        record->data[at] = bytes[sdi_random_below(sizeof bytes)];
        break;
    case 1:
        sdi_buffer_char(record, bytes[sdi_random_below(sizeof bytes)]);
        break;
    default:
        record->length = at;
        record->data[at] = '\0';
    }
}

static void random_record(sdi_buffer *record)
{
    sdi_point point = random_point();
    uint64_t kind = sdi_random_below(8);
    sdi_buffer_clear(record);
    if (kind == 0)
        sdi_fence_placeholder(sdi_random(), record);
    else if (kind < 7 || sdi_random_below(2))
        sdi_fence_encode(&point, sdi_random_below(2), record);
    if (kind >= 6 && record->length)
        damage(record);
}

/* What sdi_fence_merge in C makes of the record. */
static void fold(sdi_buffer *record, const sdi_change *change)
{
    sdi_buffer merged = SDI_BUFFER_INIT;
    sdi_slice standing = {record->data, record->length};
    enum sdi_fence_action action = sdi_fence_merge(standing, change, &merged);
    ck_assert(!merged.failed);
    if (action != SDI_FENCE_KEEP)
        sdi_buffer_clear(record);
    if (action == SDI_FENCE_REPLACE)
        sdi_buffer_append(record, merged.data, merged.length);
    sdi_buffer_free(&merged);
}

/* A record, and some merges one by one or in one batch: the backend ends where C does. */
static void check_merges(size_t number, sdi_buffer *record)
{
    key_room room;
    sdi_slice name = key(&room, "merge", number);
    sdi_change changes[6];
    sdi_cache_op batch[7];
    size_t count = 1 + sdi_random_below(6);
    random_record(record);
    batch[0] = (sdi_cache_op){.verb = record->length ? SDI_CACHE_SET : SDI_CACHE_REMOVE,
                              .key = name,
                              .value = {record->data, record->length},
                              .ttl_ms = MINUTE};
    run(batch, 1);
    for (size_t i = 0; i < count; i++) {
        changes[i] = random_change();
        batch[i] = (sdi_cache_op){.verb = SDI_CACHE_MERGE, .key = name, .change = &changes[i], .ttl_ms = MINUTE};
        fold(record, &changes[i]);
    }
    run(batch, count);
    check_stands(name, (sdi_slice){record->data, record->length});
}

START_TEST(merges_as_the_rules_say)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    for (size_t i = 0; i < 5000; i++)
        check_merges(i, &record);
    sdi_buffer_free(&record);
}
END_TEST

START_TEST(a_merge_prolongs_what_it_keeps)
{
    key_room rooms[3];
    sdi_point point = {.era = {7, 3}, .lsn = 5}, further = {.era = {7, 3}, .lsn = 6}, older = {.era = {7, 2}};
    const sdi_point *writes[] = {&point, &further, &older};
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_fence_encode(&point, false, &record);
    for (size_t i = 0; i < 3; i++) {
        set_for(key(&rooms[i], "prolong", i), (sdi_slice){record.data, record.length}, 3 * tick_ms);
        merge_for(sdi_slice_of(rooms[i].text), writes[i], MINUTE);
    }
    usleep((useconds_t)tick_ms * 4000);
    for (size_t i = 0; i < 3; i++) {
        sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of(rooms[i].text)};
        run(&operation, 1);
        ck_assert(operation.found);
        sdi_free(operation.block);
    }
    sdi_buffer_free(&record);
}
END_TEST

/* A backend that cannot keep the promise of a mark fails the run, and has done nothing. */
START_TEST(marks_are_taken_or_refused)
{
    key_room room;
    sdi_slice name = key(&room, "mark", 0);
    sdi_change change = {.point = {.era = {7, 3}, .pending = {1, {{9, 9}}}}};
    sdi_point point = {.era = {7, 3}};
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_cache_op mark = {.verb = SDI_CACHE_MERGE, .key = name, .change = &change, .ttl_ms = MINUTE};
    sdi_fence_encode(&point, true, &record);
    set(name, (sdi_slice){record.data, record.length});
    ck_assert(sdi_cache_run(cache, &mark, 1, SDI_NEVER) == takes_marks && cache->backend->marks == takes_marks);
    if (takes_marks)
        point.pending = change.point.pending;
    sdi_buffer_clear(&record);
    sdi_fence_encode(&point, true, &record);
    check_get(name, (sdi_slice){record.data, record.length});
    sdi_buffer_free(&record);
}
END_TEST

static void start(pthread_t *threads, void *(*body)(void *))
{
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)i), 0);
}

static void join(const pthread_t *threads)
{
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

enum { RACES = 200 };
static atomic_int added[RACES], swapped[RACES];

static void *race(void *number)
{
    key_room room;
    char mine[24];
    snprintf(mine, sizeof mine, "%zu", (size_t)(uintptr_t)number);
    for (size_t i = 0; i < RACES; i++) {
        if (add(key(&room, "race", i), sdi_slice_of("P")))
            atomic_fetch_add(&added[i], 1);
        if (swap(key(&room, "race", i), sdi_slice_of("P"), sdi_slice_of(mine)))
            atomic_fetch_add(&swapped[i], 1);
    }
    return NULL;
}

START_TEST(of_many_one_wins)
{
    pthread_t threads[THREADS];
    start(threads, race);
    join(threads);
    for (size_t i = 0; i < RACES; i++) {
        ck_assert_int_eq(added[i], 1);
        ck_assert_int_eq(swapped[i], 1);
    }
}
END_TEST

enum { WRITES = 300 };

static void *write_up(void *number)
{
    key_room room;
    for (uint64_t i = 0; i < WRITES; i++) {
        uint64_t xid = i * THREADS + (uintptr_t)number + 1;
        sdi_point point = {.era = {7, 3}, .lsn = xid * 3, .flush = xid * 2, .snapshot = {.xmin = xid, .xmax = xid}};
        merge_for(key(&room, "maximum", 0), &point, MINUTE);
    }
    return NULL;
}

START_TEST(concurrent_merges_end_at_the_maximum)
{
    key_room room;
    pthread_t threads[THREADS];
    uint64_t last = WRITES * THREADS;
    sdi_point nothing = {.era = {7, 3}};
    sdi_point maximum = {.era = {7, 3}, .lsn = last * 3, .flush = last * 2, .snapshot = {.xmin = last, .xmax = last}};
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_fence_encode(&nothing, false, &record);
    set(key(&room, "maximum", 0), (sdi_slice){record.data, record.length});
    start(threads, write_up);
    join(threads);
    sdi_buffer_clear(&record);
    sdi_fence_encode(&maximum, false, &record);
    check_get(key(&room, "maximum", 0), (sdi_slice){record.data, record.length});
    sdi_buffer_free(&record);
}
END_TEST

START_TEST(an_abandoned_cache_is_gone_silently)
{
    key_room room;
    sdi_cache *other;
    ck_assert_int_eq(sdi_cache_open(&settings, metrics, &other, NULL), SHOPDATA_OK);
    sdi_cache_op operation = {
        .verb = SDI_CACHE_SET, .key = key(&room, "fork", 0), .value = sdi_slice_of("x"), .ttl_ms = MINUTE};
    ck_assert(sdi_cache_run(other, &operation, 1, SDI_NEVER));
    sdi_cache_abandon(other);
    sdi_cache_abandon(NULL);
    sdi_cache_close(NULL);
}
END_TEST

/* What a listener was told; the latest of each. */
static struct hearing {
    atomic_int began, messages, lost;
    _Atomic int64_t moment;
    _Atomic uint64_t last;
} hearing;

static void note_began(void *context)
{
    atomic_fetch_add(&((struct hearing *)context)->began, 1);
}

static void note_heard(void *context, sdi_slice message)
{
    struct hearing *h = context;
    uint64_t number = 0;
    ck_assert_uint_eq(message.length, sizeof number);
    memcpy(&number, message.data, sizeof number);
    atomic_store(&h->last, number);
    atomic_fetch_add(&h->messages, 1);
}

static void note_confirmed(void *context, int64_t moment)
{
    ck_assert_int_gt(atomic_load(&((struct hearing *)context)->began), 0);
    atomic_store(&((struct hearing *)context)->moment, moment);
}

static bool is_wanted(void *context)
{
    (void)context;
    return true;
}

static void note_lost(void *context, const char *why)
{
    ck_assert_ptr_nonnull(why);
    atomic_fetch_add(&((struct hearing *)context)->lost, 1);
}

static void await_confirmation(int64_t since)
{
    for (int i = 0; i < 2000 && atomic_load(&hearing.moment) <= since; i++)
        usleep(1000);
    ck_assert_int_gt(atomic_load(&hearing.moment), since);
}

/* Every message that was published before a moment has been heard when that is confirmed, each once, in order. */
START_TEST(what_is_published_is_heard_before_it_is_confirmed)
{
    /* Until the cache is closed, which is behind the test. */
    static char channel[80];
    static const sdi_cache_listener listener = {&hearing,   channel,        5,         note_began,
                                                note_heard, note_confirmed, is_wanted, note_lost};
    snprintf(channel, sizeof channel, "%s:changes", namespace);
    if (!sdi_cache_carries(cache)) {
        ck_assert(!sdi_cache_listen(cache, &listener));
        return;
    }
    ck_assert(sdi_cache_listen(cache, &listener));
    await_confirmation(0);
    for (uint64_t i = 1; i <= 50; i++) {
        sdi_cache_op publish = {
            .verb = SDI_CACHE_PUBLISH, .key = sdi_slice_of(channel), .value = {(const char *)&i, sizeof i}};
        run(&publish, 1);
    }
    await_confirmation(sdi_uptime());
    ck_assert_int_eq(atomic_load(&hearing.began), 1);
    ck_assert_int_eq(atomic_load(&hearing.messages), 50);
    ck_assert_uint_eq(atomic_load(&hearing.last), 50);
    ck_assert_int_eq(atomic_load(&hearing.lost), 0);
}
END_TEST

/* Far more than fits: what is evicted is missing, what is there is right, and the newest is there. */
START_TEST(what_does_not_fit_is_missing_never_wrong)
{
    enum { SIZE = 10000, COUNT = 1000 };
    sdi_cache_settings small = settings;
    static char value[SIZE];
    small.memory_bytes = 1 << 20;
    small.max_entry_bytes = 20000;
    close_cache();
    cache = caches_open(&small, &metrics);
    size_t kept = 0;
    key_room room;
    for (size_t i = 0; i < COUNT; i++) {
        memset(value, (int)i & 0xff, sizeof value);
        set(key(&room, "fill", i), (sdi_slice){value, sizeof value});
        check_get(key(&room, "fill", i), (sdi_slice){value, sizeof value});
    }
    for (size_t i = 0; i < COUNT; i++) {
        sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = key(&room, "fill", i)};
        run(&operation, 1);
        memset(value, (int)i & 0xff, sizeof value);
        kept += operation.found;
        if (operation.found)
            check_value(&operation, (sdi_slice){value, sizeof value});
    }
    if (settings.kind == SDI_CACHE_MEMORY) {
        ck_assert_uint_le(kept * SIZE, 1 << 20);
        ck_assert_uint_ge(kept * SIZE, (1 << 20) / 2);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, open_cache, close_cache);
    tcase_add_test(cases, keeps_and_forgets);
    tcase_add_test(cases, adds_only_where_nothing_is);
    tcase_add_test(cases, swaps_only_what_is_expected);
    tcase_add_test(cases, time_is_up_after_the_ttl);
    tcase_add_test(cases, bytes_are_bytes);
    tcase_add_test(cases, large_values_come_back_whole);
    tcase_add_test(cases, a_key_that_cannot_be_fails_the_run);
    tcase_add_test(cases, a_batch_is_in_order);
    tcase_add_test(cases, a_thousand_operations_at_once);
    tcase_add_test(cases, merges_as_the_rules_say);
    tcase_add_test(cases, marks_are_taken_or_refused);
    tcase_add_test(cases, a_merge_prolongs_what_it_keeps);
    tcase_add_test(cases, of_many_one_wins);
    tcase_add_test(cases, concurrent_merges_end_at_the_maximum);
    tcase_add_test(cases, an_abandoned_cache_is_gone_silently);
    tcase_add_test(cases, what_is_published_is_heard_before_it_is_confirmed);
    tcase_add_test(cases, what_does_not_fit_is_missing_never_wrong);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* Takes the addresses from this variable; false if it is not set. */
static bool find_servers(const char *variable)
{
    const char *addresses = getenv(variable);
    if (addresses)
        settings.addresses = sdi_addresses_read(sdi_slice_of(addresses), &settings.address_count);
    else
        fprintf(stderr, "skipped: %s is not set\n", variable);
    return addresses != NULL;
}

static bool find_memory(void)
{
    return true;
}

static bool find_redis(void)
{
    settings.kind = SDI_CACHE_REDIS;
    settings.user = environment("SHOPDATA_REDIS_USER");
    settings.password = environment("SHOPDATA_REDIS_PASSWORD");
    return find_servers("SHOPDATA_REDIS");
}

static bool find_redis_tls(void)
{
    settings.kind = SDI_CACHE_REDIS;
    settings.tls = true;
    settings.tls_ca_file = environment("SHOPDATA_REDIS_TLS_CA");
    settings.tls_cert_file = environment("SHOPDATA_REDIS_TLS_CERT");
    settings.tls_key_file = environment("SHOPDATA_REDIS_TLS_KEY");
    return find_servers("SHOPDATA_REDIS_TLS");
}

static bool find_memcached(size_t count)
{
    settings.kind = SDI_CACHE_MEMCACHED;
    settings.addresses = caches_memcached(count);
    settings.address_count = count;
    tick_ms = 1000;
    takes_marks = false;
    large_value = (1 << 20) - 4096; /* the server's limit, with its own head */
    return settings.addresses != NULL;
}

static bool find_memcached_one(void)
{
    return find_memcached(1);
}

static bool find_memcached_three(void)
{
    return find_memcached(3);
}

static bool find_redis_cluster(void)
{
    settings.kind = SDI_CACHE_REDIS;
    settings.cluster = true;
    return find_servers("SHOPDATA_REDIS_CLUSTER");
}

static bool find_redis_sentinel(void)
{
    settings.kind = SDI_CACHE_REDIS;
    settings.sentinel_primary = environment("SHOPDATA_REDIS_SENTINEL_PRIMARY");
    return find_servers("SHOPDATA_REDIS_SENTINELS");
}

static const struct {
    const char *name;
    bool (*find)(void); /* fills the settings; false if there is no such server */
} backends[] = {{"memory", find_memory},
                {"redis", find_redis},
                {"redis-tls", find_redis_tls},
                {"memcached", find_memcached_one},
                {"memcached3", find_memcached_three},
                {"redis-cluster", find_redis_cluster},
                {"redis-sentinel", find_redis_sentinel}};

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : "memory";
    make_settings();
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i].name, name) == 0)
            return backends[i].find() ? unit_run(name, 120, (unit_fill *const[]){fill}, 1) : SKIPPED;
    fprintf(stderr, "no backend %s\n", name);
    return EXIT_FAILURE;
}
