/* slow.h - telling of calls that took long. */
#ifndef SDI_CLIENT_SLOW_H
#define SDI_CLIENT_SLOW_H

#include "client/core.h"
#include "client/statement.h"

typedef struct sdi_slow_call {
    const char *kind; /* "read", "write" */
    int64_t took;     /* microseconds */
    int status;
    const shopdata_statement *statement;
    const shopdata_result *result; /* NULL: none */
} sdi_slow_call;

/* sdi_is_slow: did it take shopdata.slow_query or longer? */
bool sdi_is_slow(const sdi_core *core, int64_t took);
/* sdi_tell_slow counts and logs a slow call. */
void sdi_tell_slow(sdi_core *core, const sdi_slow_call *call);

#endif
