#include "base/lock.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

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

bool sdi_wait(sdi_condition *condition, sdi_mutex *mutex, int64_t deadline)
{
    if (deadline == SDI_NEVER)
        return pthread_cond_wait(condition, mutex) == 0;
    struct timespec until = {.tv_sec = deadline / 1000000, .tv_nsec = deadline % 1000000 * 1000};
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}
