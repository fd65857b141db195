/* fork() with a cache: the child leaves it behind. Not for the thread sanitizer, which does not survive a fork() amid
 * threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "kit.h"

struct shared {
    sdi_local *local;
    atomic_bool over;
};

static int in_child(sdi_local *local, shopdata_result *result)
{
    kit_assert_text(result, "boots");
    sdi_local_abandon(local);
    shopdata_result_free(result);
    local = sdi_local_new(KIT_ROOM);
    kit_put_now(local, 1, "shoes", 7);
    bool good = kit_is_there(local, 1);
    sdi_local_free(local);
    return good ? 0 : 1;
}

START_TEST(a_child_leaves_it_behind)
{
    sdi_local *local = sdi_local_new(KIT_ROOM);
    kit_put_now(local, 1, "boots", 7);
    shopdata_result *result = kit_get(local, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(local, result));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    kit_assert_text(result, "boots");
    shopdata_result_free(result);
    sdi_local_free(local);
}
END_TEST

static void *hit_for_ever(void *argument)
{
    struct shared *shared = argument;
    while (!atomic_load(&shared->over)) {
        shopdata_result_free(kit_get(shared->local, 1));
        kit_put_now(shared->local, 2, "shoes", 7);
    }
    return NULL;
}

/* Whatever the other threads hold at that moment, the child waits for none of them. */
START_TEST(a_child_does_not_wait_for_threads_that_are_not_there)
{
    static struct shared shared;
    pthread_t threads[2];
    shared.local = sdi_local_new(KIT_ROOM);
    kit_put_now(shared.local, 1, "boots", 8);
    shopdata_result *result = kit_get(shared.local, 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hit_for_ever, &shared), 0);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            _exit(in_child(shared.local, result));
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    atomic_store(&shared.over, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    shopdata_result_free(result);
    sdi_local_free(shared.local);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_child_leaves_it_behind);
    tcase_add_test(cases, a_child_does_not_wait_for_threads_that_are_not_there);
}

UNIT_MAIN("local/fork", fill, 30)
