#include "client/core.h"
#include "client/unfinished.h"

void sdi_placed(sdi_core *core, const sdi_point *point)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    sdi_raise(&unfinished->era, &unfinished->last_write, point->era, point->lsn);
    sdi_unlock(&unfinished->lock);
}

uint64_t sdi_unplaced(sdi_core *core)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    uint64_t number = ++unfinished->unplaced;
    sdi_unlock(&unfinished->lock);
    return number;
}

bool sdi_last_write(sdi_core *core, sdi_era *era, sdi_lsn *lsn)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    sdi_raise(era, lsn, unfinished->era, unfinished->last_write);
    bool all = unfinished->placed == unfinished->unplaced;
    sdi_unlock(&unfinished->lock);
    return all;
}

bool sdi_is_placed(sdi_core *core, uint64_t *number, sdi_point *point_out)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    if (*number > unfinished->unplaced)
        *number = ++unfinished->unplaced;
    if (*number <= unfinished->placed) {
        *point_out = unfinished->place;
        *number = 0;
    }
    sdi_unlock(&unfinished->lock);
    return *number == 0;
}

uint64_t sdi_unplaced_last(sdi_core *core, size_t node)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    uint64_t number = sdi_is_doubtful(unfinished, node) ? 0 : unfinished->unplaced;
    sdi_unlock(&unfinished->lock);
    return number;
}

void sdi_place(sdi_core *core, uint64_t number, const sdi_point *point)
{
    sdi_unfinished *unfinished = &core->unfinished;
    sdi_lock(&unfinished->lock);
    if (number > unfinished->placed) {
        sdi_raise(&unfinished->era, &unfinished->last_write, point->era, point->lsn);
        unfinished->place = *point;
        unfinished->place.pending.count = 0; /* of others */
        if (unfinished->owed_unplaced > unfinished->placed && unfinished->owed_unplaced <= number)
            sdi_untold_owe(unfinished, point);
        unfinished->placed = number;
    }
    sdi_unlock(&unfinished->lock);
}
