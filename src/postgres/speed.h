/* speed.h - how long a statement takes: whether others can be made to wait for it.
 *
 * Thread safe, without locks: two that learn at once may lose one of the two. */
#ifndef SDI_POSTGRES_SPEED_H
#define SDI_POSTGRES_SPEED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one plan of a statement. Zeroed: not measured yet. */
typedef struct sdi_pg_speed {
    _Atomic int64_t usual; /* microseconds, a moving average */
} sdi_pg_speed;

/* sdi_pg_speed_is_quick: it has been measured, and takes no longer than a neighbour may be made to wait. */
bool sdi_pg_speed_is_quick(const sdi_pg_speed *speed);
/* sdi_pg_speed_learn: it took so long, or its share of a batch did. sdi_pg_speed_forget: it failed, and is to be
 * measured anew. */
void sdi_pg_speed_learn(sdi_pg_speed *speed, int64_t took_us);
void sdi_pg_speed_forget(sdi_pg_speed *speed);

#endif
