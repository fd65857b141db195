#include "base/clock.h"

#include <limits.h>
#include <time.h>

#include "base/interrupt.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sdi_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t sdi_uptime(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t sdi_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t sdi_deadline_in(int64_t ms)
{
    return ms < 0 || ms > INT64_MAX / 2000 ? SDI_NEVER : sdi_now() + ms * 1000;
}

int64_t sdi_deadline_within(int64_t deadline, int64_t ms)
{
    int64_t other = sdi_deadline_in(ms);
    return other < deadline ? other : deadline;
}

int sdi_poll_timeout(int64_t deadline, int64_t now)
{
    if (deadline == SDI_NEVER)
        return -1;
    int64_t left = deadline - now;
    if (left <= 0)
        return 0;
    int64_t ms = (left + 999) / 1000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

void sdi_sleep(int64_t us)
{
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    sdi_interrupt_ask(nanosleep(&pause, NULL) != 0);
}
