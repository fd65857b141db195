/* guard.h - what every exported call begins and ends with. */
#ifndef SDI_API_GUARD_H
#define SDI_API_GUARD_H

#include "base/error.h"
#include "client/session.h"

/* sdi_wanted: an argument that must not be NULL; `name` as the header has it. */
static inline int sdi_wanted(const void *argument, const char *name, shopdata_error **error_out)
{
    return argument ? SHOPDATA_OK : sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "%s is NULL", name);
}

/* sdi_check_flags: of a session or of a call. */
static inline int sdi_check_flags(unsigned flags, shopdata_error **error_out)
{
    if (!(flags & ~(unsigned)(SHOPDATA_PRIMARY | SHOPDATA_NO_CACHE)))
        return SHOPDATA_OK;
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                    "unknown flags 0x%x; there are SHOPDATA_PRIMARY and SHOPDATA_NO_CACHE", flags);
}

/* sdi_check_calls: of a batch of reads. */
static inline int sdi_check_calls(const shopdata_call *calls, size_t count, shopdata_error **error_out)
{
    int status = count ? sdi_wanted(calls, "calls", error_out) : SHOPDATA_OK;
    for (size_t i = 0; i < count && status == SHOPDATA_OK; i++)
        status = sdi_check_flags(calls[i].flags, error_out);
    return status;
}

/* sdi_check_wait: milliseconds that a caller wants to wait. */
static inline int sdi_check_wait(int64_t wait_ms, shopdata_error **error_out)
{
    if (wait_ms >= 0)
        return SHOPDATA_OK;
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "wait_ms is %lld; it must be 0 or more", (long long)wait_ms);
}

/* sdi_counted_status ends a call: it counts one that failed, hands out the log lines that wait, and returns the status.
 */
static inline int sdi_counted_status(const shopdata_client *client, int status)
{
    if (status < 0 && client->core)
        sdi_count_error(client->core->metrics, status);
    sdi_client_deliver(client);
    return status;
}

/* sdi_session_wanted: for what sets something of a session. */
static inline int sdi_session_wanted(const shopdata_session *session, shopdata_error **error_out)
{
    int status = sdi_wanted(session, "session", error_out);
    return status ? status : sdi_session_here(session, error_out);
}

/* sdi_session_begin: may this session be called? Until sdi_session_end, which ends the call, whatever waits asks the
 * session's function (interrupt.h). */
static inline int sdi_session_begin(const shopdata_session *session, shopdata_error **error_out)
{
    int status = sdi_session_check(session, error_out);
    if (status == SHOPDATA_OK)
        sdi_interrupt_begin(&session->interrupt);
    return status;
}

static inline int sdi_session_end(const shopdata_session *session, int status, shopdata_error **error_out)
{
    return sdi_counted_status(session->client, sdi_interrupt_end(status, error_out));
}

#endif
