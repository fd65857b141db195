#include "client/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
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
    sdi_declared_free(&session->declared);
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
        written->unknown |= !sdi_point_merge(&written->point, point);
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

/* Within a transaction it would be undone by shopdata_rollback_to, without the session knowing. */
int sdi_session_set(shopdata_session *session, const char *name, const char *value, shopdata_error **error_out)
{
    if (sdi_in_transaction(session))
        return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                        "a transaction is open; settings are declared before shopdata_begin");
    return sdi_declared_set(&session->declared, name, value, error_out);
}

bool sdi_settings_command(const shopdata_session *session, sdi_pg_command *command_out)
{
    const sdi_declared *declared = &session->declared;
    if (!declared->count)
        return false;
    *command_out = (sdi_pg_command){.sql = declared->command,
                                    .statement = sdi_hash64(declared->command, strlen(declared->command)),
                                    .params = declared->params,
                                    .count = 2 * declared->count,
                                    .leads = true};
    return true;
}

bool sdi_session_position(shopdata_session *session, sdi_era *era, sdi_lsn *lsn)
{
    bool known = sdi_is_placed(session->client->core, &session->unplaced, &session->era, &session->last_write);
    sdi_raise(era, lsn, session->era, session->last_write);
    return known;
}
