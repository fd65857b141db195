/* Many threads on one cache. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/random.h"
#include "kit.h"

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
    kit_put(shared->local, key, text, &(sdi_local_entry){moment, SDI_NEVER, &key, 1, {0}});
}

static void *read_and_write(void *argument)
{
    struct shared *shared = argument;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t key = sdi_random_below(KEYS), told = atomic_load(&shared->told[key]);
        shopdata_result *result = kit_get(shared->local, key);
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

static void fill(TCase *cases)
{
    tcase_add_test(cases, no_thread_sees_what_was_told_to_have_changed);
}

UNIT_MAIN("local/threads", fill, 30)
