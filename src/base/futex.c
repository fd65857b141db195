#include "base/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

void sdi_futex_wait(sdi_futex *word, uint32_t value, uint32_t signs, int64_t deadline)
{
    if (sdi_interrupted())
        return;
    int64_t until = sdi_interrupt_until(deadline);
    struct timespec end = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    long woken =
        syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, until == SDI_NEVER ? NULL : &end, NULL, signs);
    sdi_interrupt_ask(woken < 0 && errno == EINTR);
}

void sdi_futex_wake(sdi_futex *word, uint32_t signs)
{
    syscall(SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, signs);
}
