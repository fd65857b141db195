/* floor.h - sampling the primary's moment for fences that are missing: one sample serves all who asked before it was
 * sent.
 *
 * A sample that was under way when somebody came may be older than a write that had returned by then: he waits for the
 * next one. */
#ifndef SDI_CLIENT_FLOOR_H
#define SDI_CLIENT_FLOOR_H

#include "base/lock.h"
#include "model/stamp.h"

struct sdi_core;

typedef struct sdi_floor {
    sdi_mutex lock;
    sdi_condition sampled;
    uint64_t sent, answered; /* samples by number */
    int status;              /* of the last one: SHOPDATA_OK, and a point */
    sdi_point point;
} sdi_floor;

void sdi_floor_init(sdi_floor *floor);
void sdi_floor_free(sdi_floor *floor);

/* sdi_floor_sample gives a point of the primary that demands every write that returned before this call. Another status
 * than SHOPDATA_OK if the primary does not answer in time, SHOPDATA_ERR_NO_MEMORY if it was not asked for that reason.
 */
int sdi_floor_sample(struct sdi_core *core, int64_t deadline, sdi_point *point_out);

#endif
