#include <string.h>

#include "base/error.h"
#include "postgres/link.h"

enum { ANSWER_MAX = 4096 };

/* A process id may belong to somebody else by now: it must be the backend that began at that moment. An ordinary role
 * sees, and may end, its own role's backends. One that is not there any more is ended too. */
int sdi_pg_terminate(sdi_pg_connection *connection, const sdi_pg_backend_id *victim, int64_t deadline,
                     shopdata_error **error_out)
{
    shopdata_param params[] = {shopdata_int64(victim->pid), shopdata_text(victim->started)};
    sdi_pg_command command = {
        .sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity($1)"
               " WHERE backend_start = $2::timestamptz",
        .params = params,
        .count = 2,
    };
    int status = sdi_pg_run(connection, &command, 1, ANSWER_MAX, deadline, error_out);
    if (status == 0 && command.outcome == SDI_PG_ERROR) {
        status = shopdata_error_status(command.error);
        sdi_error_move(error_out, command.error);
        command.error = NULL;
    }
    sdi_pg_commands_free(&command, 1);
    return status;
}
