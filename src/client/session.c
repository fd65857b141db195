#include "client/session.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

int sdi_session_new(shopdata_client *client, shopdata_session **session_out, shopdata_error **error_out)
{
    shopdata_session *session = sdi_calloc(1, sizeof *session);
    if (!session)
        return sdi_no_memory(error_out);
    session->client = sdi_client_retain(client);
    session->deadline_ms = client->core->settings->deadline_ms;
    *session_out = session;
    return SHOPDATA_OK;
}

void sdi_session_free(shopdata_session *session)
{
    if (!session)
        return;
    sdi_transaction_abandon(session);
    sdi_client_deliver(session->client);
    sdi_buffer_free(&session->transaction.tags);
    sdi_client_release(session->client);
    sdi_free(session);
}

int sdi_session_check(const shopdata_session *session, shopdata_error **error_out)
{
    if (!session)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the session is NULL; make one with shopdata_session_new");
    return sdi_client_check(session->client, error_out);
}

void sdi_session_wrote(shopdata_session *session, const sdi_point *point)
{
    sdi_written_point *written = &session->written;
    if (!point || (written->any && !sdi_era_equal(written->point.era, point->era)))
        written->unknown = true;
    else if (written->any)
        sdi_point_merge(&written->point, point);
    else
        written->point = *point;
    written->any = true;
}

bool sdi_session_is_in(const shopdata_session *session, const sdi_stamp *stamp)
{
    const sdi_written_point *written = &session->written;
    return !written->any || (!written->unknown && sdi_stamp_passes(stamp, &written->point));
}

int64_t sdi_session_deadline(const shopdata_session *session)
{
    return sdi_deadline_in(session->deadline_ms);
}
