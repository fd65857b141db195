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

/* sdi_counted_status ends a call: it counts one that failed, hands out the log lines that wait, and returns the status.
 */
static inline int sdi_counted_status(const shopdata_client *client, int status)
{
    if (status < 0 && client->core)
        sdi_count_error(client->core->metrics, status);
    sdi_client_deliver(client);
    return status;
}

#endif
