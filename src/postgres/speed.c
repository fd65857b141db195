#include "postgres/speed.h"

/* One that took very long, as the first does that is prepared too, says no more than one that took too long. */
enum { QUICK_US = 2000, LONGEST_US = 4 * QUICK_US, AVERAGED_OVER = 4 };

static int64_t within(int64_t took_us)
{
    return took_us < 1 ? 1 : took_us < LONGEST_US ? took_us : LONGEST_US;
}

bool sdi_pg_speed_is_quick(const sdi_pg_speed *speed)
{
    int64_t usual = atomic_load_explicit(&speed->usual, memory_order_relaxed);
    return usual > 0 && usual <= QUICK_US;
}

void sdi_pg_speed_learn(sdi_pg_speed *speed, int64_t took_us)
{
    int64_t took = within(took_us);
    int64_t usual = atomic_load_explicit(&speed->usual, memory_order_relaxed);
    int64_t next = usual ? usual + (took - usual) / AVERAGED_OVER : took;
    atomic_store_explicit(&speed->usual, next, memory_order_relaxed);
}

void sdi_pg_speed_forget(sdi_pg_speed *speed)
{
    atomic_store_explicit(&speed->usual, 0, memory_order_relaxed);
}
