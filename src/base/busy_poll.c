#include "base/busy_poll.h"

#include <unistd.h>

#include "base/clock.h"

/* LONGEST_US is what sleeping and waking up costs on a virtual machine, by bench/run: to look longer wins nothing. */
enum { LONGEST_US = 80, LOOK_ONCE_IN = 64, AVERAGED_OVER = 8 };

void sdi_busy_poll_init(sdi_busy_poll *poll, bool on)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *poll = (sdi_busy_poll){.places = on && cores > 1 ? (int32_t)(cores / 2) : 0};
}

static bool worth_it(sdi_busy_poll *poll)
{
    if (atomic_load_explicit(&poll->recent, memory_order_relaxed) < AVERAGED_OVER * LONGEST_US)
        return true;
    return atomic_fetch_add_explicit(&poll->slept, 1, memory_order_relaxed) % LOOK_ONCE_IN == LOOK_ONCE_IN - 1;
}

bool sdi_busy_poll_begin(sdi_busy_poll *poll)
{
    if (!poll->places || !worth_it(poll))
        return false;
    if (atomic_fetch_add_explicit(&poll->taken, 1, memory_order_relaxed) < poll->places)
        return true;
    sdi_busy_poll_end(poll);
    return false;
}

bool sdi_busy_poll_is_crowded(const sdi_busy_poll *poll, size_t waiting)
{
    return waiting > (size_t)poll->places;
}

/* Without sched_yield: who gives his core up among others that want it may get it back milliseconds later. */
bool sdi_busy_poll_again(int64_t since)
{
    return sdi_now() - since < LONGEST_US;
}

void sdi_busy_poll_end(sdi_busy_poll *poll)
{
    atomic_fetch_sub_explicit(&poll->taken, 1, memory_order_relaxed);
}

/* One that was very slow says no more than one that was too slow. Two that learn at once may lose one of the two. */
void sdi_busy_poll_learn(sdi_busy_poll *poll, int64_t took_us)
{
    int64_t took = took_us < 2 * LONGEST_US ? took_us : 2 * LONGEST_US;
    int64_t recent = atomic_load_explicit(&poll->recent, memory_order_relaxed);
    atomic_store_explicit(&poll->recent, recent + took - recent / AVERAGED_OVER, memory_order_relaxed);
}
