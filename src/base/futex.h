/* futex.h - waits for a word in memory to change: a condition without a mutex, for what one thread waits for and
 * another, who may outlive its interest in it, says. */
#ifndef SDI_BASE_FUTEX_H
#define SDI_BASE_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint32_t sdi_futex;

/* sdi_futex_wait sleeps while the word is `value`, not past the deadline (clock.h), and asks as every wait does
 * (interrupt.h). It may return for no reason: the caller loops over what he waits for, and sdi_passed. `signs` are
 * those of its 32 bits by which he is woken. */
void sdi_futex_wait(sdi_futex *word, uint32_t value, uint32_t signs, int64_t deadline);
/* sdi_futex_wake wakes all who wait for the word with one of these signs, by one system call. */
void sdi_futex_wake(sdi_futex *word, uint32_t signs);

#endif
