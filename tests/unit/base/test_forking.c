#include "../unit.h"
#include "base/forking.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_bool over;
static atomic_int inside;

static void *come_and_go(void *unused)
{
    (void)unused;
    while (!atomic_load(&over)) {
        sdi_unforkable();
        atomic_fetch_add(&inside, 1);
        usleep(200);
        atomic_fetch_sub(&inside, 1);
        sdi_forkable();
    }
    return NULL;
}

/* How many are in there as a child sees it: none of them would ever come out. */
static int stranded_in_child(void)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int stranded = atomic_load(&inside);
        sdi_unforkable();
        sdi_forkable();
        _exit(stranded);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(fork_comes_between_calls)
{
    pthread_t threads[4];
    atomic_store(&over, false);
    sdi_unforkable();
    sdi_forkable();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(stranded_in_child(), 0);
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static void *stay(void *unused)
{
    (void)unused;
    sdi_unforkable();
    atomic_store(&inside, 1);
    while (!atomic_load(&over))
        usleep(1000);
    sdi_forkable();
    return NULL;
}

START_TEST(fork_does_not_wait_for_ever)
{
    pthread_t thread;
    atomic_store(&over, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, stay, NULL), 0);
    while (!atomic_load(&inside))
        usleep(1000);
    ck_assert_int_eq(stranded_in_child(), 1);
    atomic_store(&over, true);
    pthread_join(thread, NULL);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, fork_comes_between_calls);
    tcase_add_test(cases, fork_does_not_wait_for_ever);
}

UNIT_MAIN("base/forking", fill, 20)
