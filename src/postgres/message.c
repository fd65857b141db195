#include <string.h>

#include "base/error.h"
#include "postgres/link.h"

void sdi_pg_fold(sdi_buffer *line, const char *text)
{
    bool gap = false;
    for (; *text; text++) {
        if (*text == '\n' || *text == '\r' || *text == '\t' || *text == ' ') {
            gap = true;
            continue;
        }
        if (gap && line->length > 0)
            sdi_buffer_char(line, ' ');
        gap = false;
        sdi_buffer_char(line, *text);
    }
}

char *sdi_pg_node_name(const PGconn *pq)
{
    const char *host = PQhost(pq), *port = PQport(pq);
    sdi_buffer name = SDI_BUFFER_INIT;
    if (host && strchr(host, ':'))
        sdi_buffer_printf(&name, "[%s]", host);
    else
        sdi_buffer_text(&name, host && *host ? host : "local socket");
    if (port && *port)
        sdi_buffer_printf(&name, ":%s", port);
    return sdi_buffer_take(&name);
}

int sdi_pg_fail(shopdata_error **error_out, int status, const char *node, const char *what, const char *text)
{
    sdi_buffer line = SDI_BUFFER_INIT;
    sdi_pg_fold(&line, text);
    const char *folded = line.data && line.length > 0 ? line.data : "";
    sdi_fail(error_out, status, "%s: %s%s%s", node, what, *what && *folded ? ": " : "", folded);
    sdi_buffer_free(&line);
    return status;
}

static const char *field(const PGresult *answer, int code)
{
    const char *text = PQresultErrorField(answer, code);
    return text ? text : "";
}

/* Where the server said nothing (libpq itself noticed), libpq's own text is all there is. */
static const char *primary_message(const PGresult *answer)
{
    const char *text = field(answer, PG_DIAG_MESSAGE_PRIMARY);
    return *text ? text : PQresultErrorMessage(answer);
}

static void add_extras(sdi_buffer *line, const char *detail, const char *hint)
{
    if (!*detail && !*hint)
        return;
    sdi_buffer_text(line, " (");
    sdi_pg_fold(line, detail);
    if (*detail && *hint)
        sdi_buffer_text(line, "; ");
    sdi_pg_fold(line, hint);
    sdi_buffer_char(line, ')');
}

shopdata_error *sdi_pg_sql_error(const PGresult *answer)
{
    shopdata_error *error = NULL;
    sdi_buffer line = SDI_BUFFER_INIT;
    sdi_pg_fold(&line, primary_message(answer));
    add_extras(&line, field(answer, PG_DIAG_MESSAGE_DETAIL), field(answer, PG_DIAG_MESSAGE_HINT));
    sdi_fail_sql(&error, field(answer, PG_DIAG_SQLSTATE), line.data ? line.data : "");
    sdi_buffer_free(&line);
    return error;
}

bool sdi_pg_fatal(const PGresult *answer)
{
    const char *severity = field(answer, PG_DIAG_SEVERITY_NONLOCALIZED);
    return !strcmp(severity, "FATAL") || !strcmp(severity, "PANIC");
}
