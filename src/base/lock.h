/* lock.h - mutex and condition on the monotonic clock. */
#ifndef SDI_BASE_LOCK_H
#define SDI_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef pthread_mutex_t sdi_mutex;
typedef pthread_cond_t sdi_condition;

#define SDI_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER

void sdi_mutex_init(sdi_mutex *mutex);
void sdi_mutex_destroy(sdi_mutex *mutex);
void sdi_lock(sdi_mutex *mutex);
void sdi_unlock(sdi_mutex *mutex);
/* sdi_try_lock is false where it would have to wait. */
bool sdi_try_lock(sdi_mutex *mutex);

void sdi_condition_init(sdi_condition *condition);
void sdi_condition_destroy(sdi_condition *condition);
void sdi_wake_one(sdi_condition *condition);
void sdi_wake_all(sdi_condition *condition);

/* sdi_wait waits for a wake-up with the mutex held; false when the deadline (clock.h) has passed, or the call was
 * interrupted (interrupt.h).
 * Wake-ups come without cause: the caller loops over its condition. */
bool sdi_wait(sdi_condition *condition, sdi_mutex *mutex, int64_t deadline);

#endif
