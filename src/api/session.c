#include "api/guard.h"

enum { DEADLINE_MAX_MS = 86400000 };
#define STALENESS_MAX_MS (INT64_C(30) * DEADLINE_MAX_MS)

int shopdata_session_new(shopdata_client *client, shopdata_session **session_out, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    status = status ? status : sdi_wanted(session_out, "session_out", error_out);
    return status ? status : sdi_session_new(client, session_out, error_out);
}

int shopdata_session_set_deadline(shopdata_session *session, int64_t ms, shopdata_error **error_out)
{
    int status = sdi_session_wanted(session, error_out);
    if (status == SHOPDATA_OK && (ms < 1 || ms > DEADLINE_MAX_MS))
        status = sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a deadline of %lld ms; it must be from 1 to %d",
                          (long long)ms, DEADLINE_MAX_MS);
    if (status == SHOPDATA_OK)
        session->deadline_ms = ms;
    return status;
}

int shopdata_session_set_interrupt(shopdata_session *session, shopdata_interrupt_function function, void *context,
                                   shopdata_error **error_out)
{
    int status = sdi_session_wanted(session, error_out);
    if (status == SHOPDATA_OK)
        session->interrupt = (sdi_interrupt){function, context};
    return status;
}

int shopdata_session_set_max_staleness(shopdata_session *session, int64_t ms, shopdata_error **error_out)
{
    int status = sdi_session_wanted(session, error_out);
    if (status == SHOPDATA_OK && (ms < 0 || ms > STALENESS_MAX_MS))
        status = sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a staleness of %lld ms; it must be from 0 to %lld",
                          (long long)ms, (long long)STALENESS_MAX_MS);
    if (status == SHOPDATA_OK)
        session->max_staleness_ms = ms;
    return status;
}

int shopdata_session_token(shopdata_session *session, const char **text_out, shopdata_error **error_out)
{
    int status = sdi_session_check(session, error_out);
    status = status ? status : sdi_wanted(text_out, "text_out", error_out);
    return status ? status : sdi_session_token(session, text_out, error_out);
}

int shopdata_session_advance(shopdata_session *session, const char *token, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_wanted(token, "token", error_out);
    return sdi_session_end(session, status ? status : sdi_session_advance(session, token, error_out), error_out);
}

int shopdata_session_set_flags(shopdata_session *session, unsigned flags, shopdata_error **error_out)
{
    int status = sdi_session_wanted(session, error_out);
    status = status ? status : sdi_check_flags(flags, error_out);
    if (status == SHOPDATA_OK)
        session->flags = flags;
    return status;
}

int shopdata_session_set(shopdata_session *session, const char *name, const char *value, shopdata_error **error_out)
{
    int status = sdi_session_wanted(session, error_out);
    status = status ? status : sdi_wanted(name, "name", error_out);
    return status ? status : sdi_session_set(session, name, value, error_out);
}

void shopdata_session_free(shopdata_session *session)
{
    sdi_session_free(session);
}
