#include "client/stale.h"

#include "base/clock.h"

/* A stamp bounds from below what an answer contains, so where it passes the session's writes are there. */
bool sdi_stale_allowed(sdi_core *core, const sdi_read *read, const sdi_stamp *stamp)
{
    bool other_era = read->demanded[1] && !sdi_era_equal(read->demand[1].era, stamp->era);
    return !read->mixed_eras && !other_era && sdi_router_is_current(core->router, stamp->era) &&
           sdi_session_is_in(read->session, stamp);
}

void sdi_stale_keep(sdi_read *read, shopdata_result *answer, const sdi_stamp *stamp, bool overtaken)
{
    shopdata_result_free(read->old);
    read->old = answer;
    sdi_stamp_copy(&read->old_stamp, stamp);
    read->old_overtaken = overtaken;
}

/* It has all that was written before it was read, so nothing has overtaken it for longer. */
static int64_t age_ms(const shopdata_result *answer)
{
    int64_t age_us = sdi_wall() - answer->read_at;
    return age_us > 0 ? age_us / 1000 + 1 : 1;
}

int64_t sdi_stale_ms(const sdi_read *read, const shopdata_result *answer, bool overtaken)
{
    return overtaken || !read->tags.count ? age_ms(answer) : 0;
}

bool sdi_stale_serve(sdi_core *core, sdi_read *read, enum sdi_stale_cause cause)
{
    static const enum sdi_stale_reason reasons[2][3] = {
        {SDI_STALE_EXPIRED_REFRESHING, SDI_STALE_EXPIRED_UNAVAILABLE},
        {SDI_STALE_OVERTAKEN_REFRESHING, SDI_STALE_OVERTAKEN_UNAVAILABLE, SDI_STALE_OVERTAKEN_TOLERATED},
    };
    if (!read->old)
        return false;
    shopdata_result_free(read->result);
    read->result = read->old;
    read->old = NULL;
    read->result->source = SHOPDATA_FROM_STALE;
    read->result->staleness_ms = sdi_stale_ms(read, read->result, read->old_overtaken);
    read->state = SDI_READ_DONE;
    sdi_stamp_copy(&read->stamp, &read->old_stamp);
    read->stamped = read->unstored = false;
    size_t label =
        sdi_metric_pair(SDI_M_STALE_ANSWERS, sdi_read_policy(core, read), reasons[read->old_overtaken][cause]);
    sdi_count(core->metrics, SDI_M_STALE_ANSWERS, label, 1);
    return true;
}
