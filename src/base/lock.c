#include "base/lock.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/interrupt.h"

void sdi_mutex_init(sdi_mutex *mutex)
{
    pthread_mutex_init(mutex, NULL);
}

void sdi_mutex_destroy(sdi_mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

void sdi_lock(sdi_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

void sdi_unlock(sdi_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

bool sdi_try_lock(sdi_mutex *mutex)
{
    return pthread_mutex_trylock(mutex) == 0;
}

void sdi_condition_init(sdi_condition *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void sdi_condition_destroy(sdi_condition *condition)
{
    pthread_cond_destroy(condition);
}

void sdi_wake_one(sdi_condition *condition)
{
    pthread_cond_signal(condition);
}

void sdi_wake_all(sdi_condition *condition)
{
    pthread_cond_broadcast(condition);
}

static bool wait_until(sdi_condition *condition, sdi_mutex *mutex, int64_t deadline)
{
    if (deadline == SDI_NEVER)
        return pthread_cond_wait(condition, mutex) == 0;
    struct timespec until = {.tv_sec = deadline / 1000000, .tv_nsec = deadline % 1000000 * 1000};
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}

/* Whoever is asked may wait for a lock of the application's, whose holder may wait for this mutex: it is let go. What
 * comes to pass meanwhile the caller finds when he looks at his condition again. */
static bool ask(sdi_mutex *mutex)
{
    sdi_unlock(mutex);
    sdi_interrupt_ask(false);
    sdi_lock(mutex);
    return !sdi_interrupted();
}

bool sdi_wait(sdi_condition *condition, sdi_mutex *mutex, int64_t deadline)
{
    if (sdi_interrupted())
        return false;
    int64_t until = sdi_interrupt_until(deadline);
    bool woken = wait_until(condition, mutex, until);
    return woken || until == deadline ? woken : ask(mutex);
}
