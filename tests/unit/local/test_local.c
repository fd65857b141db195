/* The cache of one process: what is kept, for how long, what voids it, and what it takes. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/random.h"
#include "local/local.h"

enum { ROOM = 1 << 20 };

static sdi_hash128 key_of(uint64_t number)
{
    return sdi_hash128_of(&number, sizeof number);
}

static shopdata_result *answer(const char *text)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "text", 25);
    sdi_result_cell(&builder, text, strlen(text));
    shopdata_result *result = sdi_result_build(&builder);
    memcpy(result->node, "primary", sizeof "primary");
    return result;
}

static void put(sdi_local *local, uint64_t number, const char *text, const sdi_local_entry *entry)
{
    shopdata_result *result = answer(text);
    sdi_local_put(local, key_of(number), result, entry);
    shopdata_result_free(result);
}

/* Without a time, hanging on one tag. */
static void put_now(sdi_local *local, uint64_t number, const char *text, sdi_local_tag tag)
{
    put(local, number, text, &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, &tag, 1, {0}});
}

static shopdata_result *get_at(sdi_local *local, uint64_t number, int64_t now, uint64_t since)
{
    sdi_local_seen seen;
    return sdi_local_get(local, key_of(number), now, since, &seen);
}

static shopdata_result *get(sdi_local *local, uint64_t number)
{
    return get_at(local, number, sdi_now(), 0);
}

static bool is_there(sdi_local *local, uint64_t number)
{
    shopdata_result *result = get(local, number);
    shopdata_result_free(result);
    return result != NULL;
}

static void assert_text(const shopdata_result *result, const char *text)
{
    sdi_slice cell;
    ck_assert_ptr_nonnull(result);
    ck_assert(sdi_result_at(result, 0, 0, &cell));
    ck_assert_str_eq(cell.data, text);
}

START_TEST(what_was_put_is_found)
{
    sdi_local *local = sdi_local_new(ROOM);
    ck_assert(!is_there(local, 1));
    put_now(local, 1, "boots", 7);
    shopdata_result *result = get(local, 1);
    assert_text(result, "boots");
    ck_assert_str_eq(result->node, "primary");
    ck_assert_uint_eq(result->changed, 1);
    ck_assert(!is_there(local, 2));
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

START_TEST(where_it_came_from_is_told)
{
    sdi_local *local = sdi_local_new(ROOM);
    sdi_local_seen seen;
    for (uint32_t i = 0; i < 300; i++) {
        shopdata_result *result = answer("boots");
        snprintf(result->node, sizeof result->node, "node%u", i / 2);
        sdi_local_put(local, key_of(i), result, &(sdi_local_entry){0, SDI_NEVER, NULL, 0, {1000 + i, i}});
        shopdata_result_free(result);
    }
    shopdata_result *result = sdi_local_get(local, key_of(201), sdi_now(), 0, &seen);
    ck_assert_str_eq(result->node, "node100");
    ck_assert_uint_eq(seen.timeline, 201);
    ck_assert_uint_eq(seen.lsn, 1201);
    shopdata_result_free(result);
    ck_assert(!is_there(local, 299)); /* that is where it ends */
    ck_assert_uint_le(sdi_local_used(local).bytes, ROOM);
    sdi_local_free(local);
}
END_TEST

START_TEST(each_caller_has_a_head_of_his_own)
{
    sdi_local *local = sdi_local_new(ROOM);
    put_now(local, 1, "boots", 7);
    shopdata_result *one = get(local, 1), *other = get(local, 1);
    one->staleness_ms = 5;
    ck_assert_int_eq(other->staleness_ms, 0);
    ck_assert_ptr_eq(one->rows, other->rows);
    shopdata_result_free(one);
    assert_text(other, "boots");
    shopdata_result_free(other);
    sdi_local_free(local);
}
END_TEST

START_TEST(a_result_outlives_its_entry_and_the_cache)
{
    sdi_local *local = sdi_local_new(ROOM);
    put_now(local, 1, "boots", 7);
    shopdata_result *old = shopdata_result_retain(get(local, 1));
    put_now(local, 1, "shoes", 7);
    shopdata_result *replaced = get(local, 1);
    assert_text(old, "boots");
    assert_text(replaced, "shoes");
    shopdata_result_free(old);
    sdi_local_free(local);
    assert_text(old, "boots");
    assert_text(replaced, "shoes");
    shopdata_result_free(old);
    shopdata_result_free(replaced);
}
END_TEST

START_TEST(its_time_ends_it)
{
    sdi_local *local = sdi_local_new(ROOM);
    int64_t now = sdi_now(), until = now + 60000000;
    put(local, 1, "boots", &(sdi_local_entry){sdi_local_moment(local), until, NULL, 0, {0}});
    shopdata_result *result = get_at(local, 1, until - 1, 0);
    assert_text(result, "boots");
    shopdata_result_free(result);
    ck_assert_ptr_null(get_at(local, 1, until, 0));
    put(local, 2, "over", &(sdi_local_entry){sdi_local_moment(local), now, NULL, 0, {0}});
    ck_assert_uint_eq(sdi_local_used(local).entries, 1);
    sdi_local_free(local);
}
END_TEST

START_TEST(a_change_voids_what_hangs_on_it)
{
    sdi_local *local = sdi_local_new(ROOM);
    sdi_local_tag tags[] = {7, 8};
    put(local, 1, "both", &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, 2, {0}});
    put_now(local, 2, "the other", 9);
    sdi_local_changed(local, 8);
    ck_assert(!is_there(local, 1));
    ck_assert(is_there(local, 2));
    put_now(local, 1, "again", 8);
    ck_assert(is_there(local, 1));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_changed_on_the_way_is_not_kept)
{
    sdi_local *local = sdi_local_new(ROOM);
    sdi_local_tag tag = 7;
    uint64_t moment = sdi_local_moment(local);
    sdi_local_changed(local, tag);
    put(local, 1, "old", &(sdi_local_entry){moment, SDI_NEVER, &tag, 1, {0}});
    ck_assert_uint_eq(sdi_local_used(local).entries, 0);
    put(local, 2, "of another", &(sdi_local_entry){moment, SDI_NEVER, NULL, 0, {0}});
    ck_assert(is_there(local, 2));
    sdi_local_forget_all(local);
    ck_assert(!is_there(local, 2));
    put(local, 2, "of another", &(sdi_local_entry){moment, SDI_NEVER, NULL, 0, {0}});
    ck_assert(!is_there(local, 2));
    put_now(local, 2, "of another", 7);
    ck_assert(is_there(local, 2));
    sdi_local_free(local);
}
END_TEST

START_TEST(what_was_asked_for_before_a_mark_is_too_old_for_it)
{
    sdi_local *local = sdi_local_new(ROOM);
    uint64_t before = sdi_local_moment(local);
    put_now(local, 1, "before", 7);
    uint64_t mark = sdi_local_mark(local);
    ck_assert_ptr_null(get_at(local, 1, sdi_now(), mark));
    ck_assert(is_there(local, 1));
    put_now(local, 1, "after", 7);
    put(local, 1, "before", &(sdi_local_entry){before, SDI_NEVER, NULL, 0, {0}});
    shopdata_result *result = get_at(local, 1, sdi_now(), mark);
    assert_text(result, "after");
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

/* Ten thousand tags, and one of them changes: what hangs on others stays, all but a few. */
START_TEST(a_change_seldom_voids_another)
{
    sdi_local *local = sdi_local_new(64 << 20);
    int there = 0;
    for (uint64_t i = 0; i < 10000; i++)
        put_now(local, i, "boots", sdi_hash64(&i, sizeof i));
    for (uint64_t i = 10000; i < 11000; i++)
        sdi_local_changed(local, sdi_hash64(&i, sizeof i));
    for (uint64_t i = 0; i < 10000; i++)
        there += is_there(local, i);
    ck_assert_int_ge(there, 9990);
    sdi_local_free(local);
}
END_TEST

START_TEST(its_bytes_are_bounded)
{
    sdi_local *local = sdi_local_new(ROOM);
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 30000; i++) {
        const char *tail =
            text + sizeof text - 1 - (sdi_random_below(20) ? sdi_random_below(500) : sdi_random_below(20000));
        uint64_t number = sdi_random_below(3000);
        if (!is_there(local, number))
            put_now(local, number, tail, number);
        if (sdi_random_below(10) == 0)
            sdi_local_changed(local, sdi_random_below(3000));
        sdi_local_usage usage = sdi_local_used(local);
        ck_assert_uint_le(usage.bytes, usage.limit);
    }
    ck_assert_uint_gt(sdi_local_used(local).entries, 500);
    sdi_local_free(local);
}
END_TEST

START_TEST(what_takes_too_much_is_not_kept)
{
    sdi_local *local = sdi_local_new(ROOM);
    static char text[ROOM];
    memset(text, 'x', sizeof text - 1);
    put_now(local, 1, text, 7);
    ck_assert(!is_there(local, 1));
    sdi_local_tag tags[SDI_LOCAL_TAGS_MAX + 1] = {0};
    put(local, 2, "tags", &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, SDI_LOCAL_TAGS_MAX + 1, {0}});
    ck_assert(!is_there(local, 2));
    put(local, 2, "tags", &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, tags, SDI_LOCAL_TAGS_MAX, {0}});
    ck_assert(is_there(local, 2));
    sdi_local_free(local);
}
END_TEST

/* ---- threads */

enum { THREADS = 4, KEYS = 200, ROUNDS = 4000 };

struct shared {
    sdi_local *local;
    _Atomic uint64_t told[KEYS]; /* the latest version of each key of which the change was told */
    _Atomic uint64_t written[KEYS];
    shopdata_result *_Atomic passed[THREADS];
};

static uint64_t version_of(const shopdata_result *result)
{
    sdi_slice cell;
    ck_assert(sdi_result_at(result, 0, 0, &cell));
    return strtoull(cell.data, NULL, 10);
}

/* As the library does: the moment, then the question, then the answer is put. */
static void fill_in(struct shared *shared, uint64_t key)
{
    char text[32];
    uint64_t moment = sdi_local_moment(shared->local);
    snprintf(text, sizeof text, "%llu", (unsigned long long)atomic_load(&shared->written[key]));
    put(shared->local, key, text, &(sdi_local_entry){moment, SDI_NEVER, &key, 1, {0}});
}

static void *read_and_write(void *argument)
{
    struct shared *shared = argument;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t key = sdi_random_below(KEYS), told = atomic_load(&shared->told[key]);
        shopdata_result *result = get(shared->local, key);
        if (result)
            ck_assert_uint_ge(version_of(result), told);
        else
            fill_in(shared, key);
        shopdata_result_free(atomic_exchange(&shared->passed[sdi_random_below(THREADS)], result));
        if (sdi_random_below(20) == 0) {
            uint64_t version = atomic_fetch_add(&shared->written[key], 1) + 1;
            sdi_local_changed(shared->local, key);
            for (told = atomic_load(&shared->told[key]);
                 told < version && !atomic_compare_exchange_weak(&shared->told[key], &told, version);)
                continue;
        }
        if (sdi_random_below(1000) == 0)
            sdi_local_forget_all(shared->local);
    }
    return NULL;
}

/* In so little room that much is evicted, and results freed by another thread than had them. */
START_TEST(no_thread_sees_what_was_told_to_have_changed)
{
    static struct shared shared;
    pthread_t threads[THREADS];
    shared.local = sdi_local_new(24 * 1024);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_and_write, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_gt(sdi_local_used(shared.local).evicted, 0);
    sdi_local_free(shared.local);
    for (int i = 0; i < THREADS; i++)
        shopdata_result_free(shared.passed[i]);
}
END_TEST

/* ---- fork */

static int in_child(sdi_local *local, shopdata_result *result)
{
    assert_text(result, "boots");
    sdi_local_abandon(local);
    shopdata_result_free(result);
    local = sdi_local_new(ROOM);
    put_now(local, 1, "shoes", 7);
    bool good = is_there(local, 1);
    sdi_local_free(local);
    return good ? 0 : 1;
}

START_TEST(a_child_leaves_it_behind)
{
    sdi_local *local = sdi_local_new(ROOM);
    put_now(local, 1, "boots", 7);
    shopdata_result *result = get(local, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(local, result));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_text(result, "boots");
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_put_is_found);
    tcase_add_test(cases, where_it_came_from_is_told);
    tcase_add_test(cases, each_caller_has_a_head_of_his_own);
    tcase_add_test(cases, a_result_outlives_its_entry_and_the_cache);
    tcase_add_test(cases, its_time_ends_it);
    tcase_add_test(cases, a_change_voids_what_hangs_on_it);
    tcase_add_test(cases, what_changed_on_the_way_is_not_kept);
    tcase_add_test(cases, what_was_asked_for_before_a_mark_is_too_old_for_it);
    tcase_add_test(cases, a_change_seldom_voids_another);
    tcase_add_test(cases, its_bytes_are_bounded);
    tcase_add_test(cases, what_takes_too_much_is_not_kept);
    tcase_add_test(cases, no_thread_sees_what_was_told_to_have_changed);
    tcase_add_test(cases, a_child_leaves_it_behind);
}

UNIT_MAIN("local/local", fill, 30)
