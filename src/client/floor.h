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

typedef struct sdi_sample {
    uint64_t number; /* 0: none */
    sdi_point point;
    bool whole; /* what may commit without a mark is pending in it, where the mode wants that */
} sdi_sample;

typedef struct sdi_floor {
    sdi_mutex lock;
    sdi_condition sampled;
    uint64_t sent, answered; /* samples by number */
    int status;              /* of the last one: SHOPDATA_OK, and a sample */
    sdi_sample last;
} sdi_floor;

void sdi_floor_init(sdi_floor *floor);
void sdi_floor_free(sdi_floor *floor);

/* sdi_floor_sample gives a point of the primary that demands every write that returned before this call; in strict mode
 * with all pending that was running: a fence for others, unless not `whole`, because more runs than fits. For the
 * caller himself what was running counts for nothing: nobody could see it when he came. Another status than SHOPDATA_OK
 * if the primary does not answer in time, SHOPDATA_ERR_NO_MEMORY if it was not asked for that reason.
 */
int sdi_floor_sample(struct sdi_core *core, int64_t deadline, sdi_sample *sample_out);
/* sdi_floor_next is the number of the next sample to be sent: that one and those after it demand every write that
 * returned before this call. */
uint64_t sdi_floor_next(struct sdi_core *core);

#endif
