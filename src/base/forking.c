#include "base/forking.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { LONGEST_WAIT_S = 2 };

/* A fork that waits goes first: there may always be somebody who connects. */
#define FREE PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP

static pthread_rwlock_t gate = FREE;
static bool closed; /* by the thread that forks */

static void before_fork(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LONGEST_WAIT_S;
    closed = pthread_rwlock_timedwrlock(&gate, &end) == 0;
}

static void in_parent(void)
{
    if (closed)
        pthread_rwlock_unlock(&gate);
}

static void in_child(void)
{
    gate = (pthread_rwlock_t)FREE;
}

static void register_handlers(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

void sdi_unforkable(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_handlers);
    pthread_rwlock_rdlock(&gate);
}

void sdi_forkable(void)
{
    pthread_rwlock_unlock(&gate);
}

static _Atomic unsigned generation;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void register_counter(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned sdi_fork_generation(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_counter);
    return atomic_load_explicit(&generation, memory_order_relaxed);
}
