/* What changed since: never overlooked, and seldom seen where nothing did. */
#include <pthread.h>

#include "../unit.h"
#include "base/random.h"
#include "local/changes.h"

enum { BYTES = 4096, TAGS = 300, THREADS = 4, ROUNDS = 20000 };

START_TEST(a_change_counts_from_its_number_on)
{
    sdi_changes changes;
    ck_assert(sdi_changes_init(&changes, BYTES));
    ck_assert_uint_eq(sdi_changes_bytes(&changes), BYTES);
    uint32_t tag = 5;
    uint64_t before = sdi_changes_now(&changes);
    ck_assert(sdi_changes_none(&changes, &tag, 1, before));
    sdi_changes_tell(&changes, tag);
    ck_assert(!sdi_changes_none(&changes, &tag, 1, before));
    ck_assert(sdi_changes_none(&changes, NULL, 0, before));
    ck_assert(sdi_changes_none(&changes, &tag, 1, sdi_changes_now(&changes)));
    sdi_changes_tell_all(&changes);
    ck_assert(!sdi_changes_none(&changes, NULL, 0, before));
    sdi_changes_free(&changes);
}
END_TEST

/* Against a plain list of what changed when, in so few cells that they are shared by many. */
START_TEST(none_is_overlooked)
{
    sdi_changes changes;
    uint64_t last[TAGS] = {0};
    size_t good = 0, taken_for_void = 0;
    ck_assert(sdi_changes_init(&changes, BYTES));
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t tag = (uint32_t)sdi_random_below(TAGS), spread = tag * UINT32_C(2654435769);
        uint64_t now = sdi_changes_now(&changes), since = now - sdi_random_below(now < 50 ? now + 1 : 50);
        bool none = sdi_changes_none(&changes, &spread, 1, since);
        ck_assert(!none || last[tag] <= since);
        good += last[tag] <= since;
        taken_for_void += last[tag] <= since && !none;
        if (sdi_random_below(2)) {
            sdi_changes_tell(&changes, spread);
            last[tag] = sdi_changes_now(&changes);
        }
    }
    ck_assert_uint_lt(taken_for_void * 20, good);
    sdi_changes_free(&changes);
}
END_TEST

static void *tell(void *argument)
{
    sdi_changes *changes = argument;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t before = sdi_changes_now(changes);
        uint32_t tag = i % 7;
        sdi_changes_tell(changes, tag);
        ck_assert(!sdi_changes_none(changes, &tag, 1, before));
    }
    return NULL;
}

/* The later number stays, in whatever order they are written. */
START_TEST(threads_that_tell_at_once_are_all_heard)
{
    sdi_changes changes;
    pthread_t threads[THREADS];
    ck_assert(sdi_changes_init(&changes, BYTES));
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, tell, &changes), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(sdi_changes_now(&changes), THREADS * ROUNDS);
    sdi_changes_free(&changes);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_change_counts_from_its_number_on);
    tcase_add_test(cases, none_is_overlooked);
    tcase_add_test(cases, threads_that_tell_at_once_are_all_heard);
}

UNIT_MAIN("local/changes", fill, 30)
