#include <stdatomic.h>

#include "../unit.h"
#include "base/clock.h"
#include "cache/memcached/gather.h"

static sdi_gather gather;

static void set_up(void)
{
    sdi_gather_init(&gather);
}

static void tear_down(void)
{
    ck_assert_uint_eq(gather.places.used, 0);
    sdi_gather_free(&gather);
}

static sdi_point point_at(sdi_lsn lsn)
{
    return (sdi_point){.era = {1, 1}, .lsn = lsn};
}

static sdi_gathering *join(const char *key, sdi_lsn lsn, bool *leads)
{
    sdi_point point = point_at(lsn);
    sdi_gathering *joined = sdi_gather_join(&gather, sdi_slice_of(key), &point, (int64_t)lsn, leads);
    ck_assert_ptr_nonnull(joined);
    return joined;
}

/* What the gathering makes of a fence at 1. */
static sdi_lsn merged(const sdi_gathering *gathering)
{
    sdi_buffer before = SDI_BUFFER_INIT, after = SDI_BUFFER_INIT;
    sdi_point stands = point_at(1), result;
    sdi_fence_encode(&stands, false, &before);
    sdi_slice record = {before.data, before.length};
    ck_assert_int_eq(sdi_gather_merge(gathering, record, &after), SDI_FENCE_REPLACE);
    ck_assert_int_eq(sdi_fence_decode((sdi_slice){after.data, after.length}, &result), SDI_FENCE_POINT);
    sdi_buffer_free(&before);
    sdi_buffer_free(&after);
    return result.lsn;
}

START_TEST(the_first_leads_and_carries_all)
{
    bool leads[3];
    sdi_gathering *first = join("k", 5, &leads[0]), *second = join("k", 9, &leads[1]);
    sdi_gathering *other = join("other", 7, &leads[2]);
    ck_assert(leads[0] && !leads[1] && leads[2]);
    sdi_gather_take(&gather, first);
    ck_assert_uint_eq(merged(first), 9);
    ck_assert_int_eq(sdi_gather_ttl(first), 9);
    sdi_gather_finish(&gather, first, true);
    ck_assert_int_eq(sdi_gather_wait(&gather, second, SDI_NEVER), SDI_GATHER_MERGED);
    sdi_gather_finish(&gather, other, true);
}
END_TEST

START_TEST(who_comes_after_the_points_were_taken_gathers_anew)
{
    bool leads;
    sdi_gathering *first = join("k", 5, &leads);
    sdi_gather_take(&gather, first);
    sdi_gathering *late = join("k", 9, &leads), *later = join("k", 11, &leads);
    ck_assert(!leads);
    ck_assert_ptr_eq(late, later);
    ck_assert_uint_eq(merged(first), 5);
    sdi_gather_finish(&gather, first, true);
    ck_assert_int_eq(sdi_gather_wait(&gather, late, SDI_NEVER), SDI_GATHER_LEADS);
    sdi_gather_take(&gather, late);
    ck_assert_uint_eq(merged(late), 11);
    sdi_gather_finish(&gather, late, false);
    ck_assert_int_eq(sdi_gather_wait(&gather, later, SDI_NEVER), SDI_GATHER_FAILED);
}
END_TEST

START_TEST(a_newcomer_carries_those_who_have_not_woken_up_yet)
{
    bool leads;
    sdi_gathering *first = join("k", 5, &leads);
    sdi_gather_take(&gather, first);
    sdi_gathering *late = join("k", 9, &leads);
    sdi_gather_finish(&gather, first, true);
    sdi_gathering *newcomer = join("k", 7, &leads);
    ck_assert(leads);
    ck_assert_ptr_eq(newcomer, late);
    sdi_gather_take(&gather, newcomer);
    ck_assert_uint_eq(merged(newcomer), 9);
    sdi_gather_finish(&gather, newcomer, true);
    ck_assert_int_eq(sdi_gather_wait(&gather, late, SDI_NEVER), SDI_GATHER_MERGED);
}
END_TEST

START_TEST(who_runs_out_of_time_leaves_nothing_behind)
{
    bool leads;
    sdi_gathering *first = join("k", 5, &leads), *second = join("k", 6, &leads);
    ck_assert_int_eq(sdi_gather_wait(&gather, second, sdi_deadline_in(1)), SDI_GATHER_FAILED);
    sdi_gather_take(&gather, first);
    ck_assert_uint_eq(merged(first), 6); /* his point goes along all the same */
    sdi_gathering *third = join("k", 7, &leads);
    ck_assert_int_eq(sdi_gather_wait(&gather, third, sdi_deadline_in(1)), SDI_GATHER_FAILED);
    sdi_gather_finish(&gather, first, true);
}
END_TEST

START_TEST(points_of_many_eras_keep_their_order_or_delete)
{
    bool leads;
    sdi_gathering *first = NULL, *joined[12];
    sdi_buffer record = SDI_BUFFER_INIT;
    for (uint32_t i = 0; i < 12; i++) {
        sdi_point point = {.era = {1, 1 + i % 2}, .lsn = 10 + i};
        joined[i] = sdi_gather_join(&gather, sdi_slice_of("k"), &point, 1, &leads);
        first = i ? first : joined[i];
    }
    sdi_gather_take(&gather, first);
    ck_assert_int_eq(sdi_gather_merge(first, sdi_slice_of("F"), &record), SDI_FENCE_DELETE);
    sdi_gather_finish(&gather, first, true);
    for (int i = 1; i < 12; i++)
        ck_assert_int_eq(sdi_gather_wait(&gather, joined[i], SDI_NEVER), SDI_GATHER_MERGED);
    sdi_buffer_free(&record);
}
END_TEST

enum { THREADS = 8, MERGES = 2000 };
static atomic_uint_fast64_t carried;
static uint64_t fence; /* only who leads touches it: the thread sanitizer looks on */

static void lead(sdi_gathering *gathering)
{
    sdi_gather_take(&gather, gathering);
    uint64_t lsn = merged(gathering);
    fence = lsn > fence ? lsn : fence;
    atomic_fetch_add(&carried, 1);
    sdi_gather_finish(&gather, gathering, true);
}

static void *merge_many(void *number)
{
    for (uint64_t i = 0; i < MERGES; i++) {
        bool leads;
        uint64_t lsn = 2 + i * THREADS + (uintptr_t)number;
        sdi_gathering *joined = join("k", lsn, &leads);
        if (leads)
            lead(joined);
        else if (sdi_gather_wait(&gather, joined, SDI_NEVER) == SDI_GATHER_LEADS)
            lead(joined);
    }
    return NULL;
}

START_TEST(threads_lose_no_point)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, merge_many, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(fence, 2 + MERGES * THREADS - 1);
    ck_assert_uint_le(carried, MERGES * THREADS);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, the_first_leads_and_carries_all);
    tcase_add_test(cases, who_comes_after_the_points_were_taken_gathers_anew);
    tcase_add_test(cases, a_newcomer_carries_those_who_have_not_woken_up_yet);
    tcase_add_test(cases, who_runs_out_of_time_leaves_nothing_behind);
    tcase_add_test(cases, points_of_many_eras_keep_their_order_or_delete);
    tcase_add_test(cases, threads_lose_no_point);
}

UNIT_MAIN("cache/memcached_gather", fill, 60)
