#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/result.h"
#include "postgres/link.h"

enum { ANSWER_MAX = 4096, PAUSE_US = 1000 };

/* A process id may belong to somebody else by now: it must be the backend that began at that moment. An ordinary role
 * sees, and may end, its own role's backends. One that is not there any more is ended too. To signal one again that is
 * ending does no harm. */
static int signal_once(sdi_pg_connection *connection, const sdi_pg_backend_id *victim, int64_t deadline, bool *gone,
                       shopdata_error **error_out)
{
    sdi_slice left;
    shopdata_param params[] = {shopdata_int64(victim->pid), shopdata_text(victim->started)};
    sdi_pg_command command = {
        .sql = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_get_activity($1)"
               " WHERE backend_start = $2::timestamptz",
        .params = params,
        .count = 2,
    };
    int status = sdi_pg_run(connection, &command, 1, ANSWER_MAX, deadline, error_out);
    if (status == 0 && command.outcome == SDI_PG_ERROR)
        status = sdi_pg_command_failure(&command, error_out);
    *gone = status == 0 && sdi_result_at(command.result, 0, 0, &left) && !strcmp(left.data, "0");
    sdi_pg_commands_free(&command, 1);
    return status;
}

/* A signal is only a wish: until the backend heeds it, it may still commit. Its row goes after its transaction has. */
int sdi_pg_terminate(sdi_pg_connection *connection, const sdi_pg_backend_id *victim, int64_t deadline,
                     shopdata_error **error_out)
{
    for (;;) {
        bool gone;
        int status = signal_once(connection, victim, deadline, &gone, error_out);
        if (status < 0 || gone)
            return status;
        if (sdi_now() >= deadline)
            return sdi_fail(error_out, SHOPDATA_ERR_TIMEOUT, "backend %d has not ended before the deadline",
                            victim->pid);
        sdi_sleep(PAUSE_US);
    }
}
