#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/forking.h"
#include "base/memory.h"
#include "postgres/link.h"

/* libpq prints notices if nobody takes them. A FATAL one is how the farewell to an idle connection arrives. */
static void notice(void *connection, const PGresult *answer)
{
    if (sdi_pg_fatal(answer))
        ((sdi_pg_connection *)connection)->broken = true;
}

/* libpq's message about a string that it cannot read quotes it, password and all: it is not passed on. */
static bool well_formed(const char *conninfo)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    PQfreemem(message);
    PQconninfoFree(options);
    return options != NULL;
}

static PGconn *start(const char *conninfo)
{
    const char *const names[] = {"dbname", "fallback_application_name", NULL};
    const char *const values[] = {conninfo, "shopdata", NULL};
    sdi_unforkable();
    PGconn *pq = PQconnectStartParams(names, values, 1);
    sdi_forkable();
    return pq;
}

static int rename_node(sdi_pg_connection *connection, shopdata_error **error_out)
{
    char *name = sdi_pg_node_name(connection->pq);
    if (!name)
        return sdi_no_memory(error_out);
    sdi_free(connection->node);
    connection->node = name;
    return 0;
}

static int refused(sdi_pg_connection *connection, shopdata_error **error_out)
{
    int status = rename_node(connection, error_out);
    if (status < 0)
        return status;
    return sdi_pg_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, connection->node, "", PQerrorMessage(connection->pq));
}

/* The socket is another one after each step: libpq may try the next address. */
static int shake_hands(sdi_pg_connection *connection, int64_t deadline, shopdata_error **error_out)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || PQstatus(connection->pq) == CONNECTION_BAD)
            return refused(connection, error_out);
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (sdi_pg_wait(connection->pq, events, deadline) == 0) {
            if (rename_node(connection, error_out) < 0)
                return SHOPDATA_ERR_NO_MEMORY;
            return sdi_pg_fail(error_out, SHOPDATA_ERR_TIMEOUT, connection->node, "could not connect in time", "");
        }
        sdi_unforkable();
        state = PQconnectPoll(connection->pq);
        sdi_forkable();
    }
    return rename_node(connection, error_out);
}

static int enter_pipeline(sdi_pg_connection *connection, shopdata_error **error_out)
{
    if (PQsetnonblocking(connection->pq, 1) == 0 && PQenterPipelineMode(connection->pq))
        return 0;
    return refused(connection, error_out);
}

static int open_connection(sdi_pg_connection *connection, const char *conninfo, int64_t deadline,
                           shopdata_error **error_out)
{
    connection->pq = start(conninfo);
    if (!connection->pq)
        return sdi_no_memory(error_out);
    PQsetNoticeReceiver(connection->pq, notice, connection);
    int status = shake_hands(connection, deadline, error_out);
    if (status == 0)
        status = enter_pipeline(connection, error_out);
    return status == 0 ? sdi_pg_setup(connection, deadline, error_out) : status;
}

int sdi_pg_connect(const char *conninfo, bool prepared, int64_t deadline, sdi_pg_connection **connection_out,
                   shopdata_error **error_out)
{
    if (!well_formed(conninfo))
        return sdi_fail(error_out, SHOPDATA_ERR_UNAVAILABLE,
                        "the connection string is malformed: keyword = value pairs or a postgresql:// URI are wanted");
    sdi_pg_connection *connection = sdi_calloc(1, sizeof *connection);
    if (!connection)
        return sdi_no_memory(error_out);
    connection->prepared = prepared;
    int status = open_connection(connection, conninfo, deadline, error_out);
    if (status < 0)
        sdi_pg_close(connection);
    else
        *connection_out = connection;
    return status;
}

static void free_arguments(sdi_pg_arguments *arguments)
{
    sdi_buffer_free(&arguments->text);
    sdi_free(arguments->values);
    sdi_free(arguments->lengths);
    sdi_free(arguments->formats);
    sdi_free(arguments->types);
}

void sdi_pg_close(sdi_pg_connection *connection)
{
    if (!connection)
        return;
    PQfinish(connection->pq);
    free_arguments(&connection->arguments);
    sdi_map_free(&connection->statements);
    sdi_free(connection->node);
    sdi_free(connection->identity);
    sdi_free(connection);
}

/* PQfinish says goodbye, and TLS says it once more: both on the stream that the parent still uses. So the socket is
 * first replaced by one that leads nowhere. */
void sdi_pg_abandon(sdi_pg_connection *connection)
{
    if (!connection)
        return;
    int theirs = PQsocket(connection->pq);
    int nowhere = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (theirs >= 0 && (nowhere < 0 || dup3(nowhere, theirs, O_CLOEXEC) < 0))
        close(theirs);
    if (nowhere >= 0)
        close(nowhere);
    sdi_pg_close(connection);
}

void sdi_pg_look_first(sdi_pg_connection *connection, sdi_busy_poll *busy_poll)
{
    connection->busy_poll = busy_poll;
}

void sdi_pg_give_up(sdi_pg_connection *connection)
{
    atomic_store(&connection->given_up, true);
}

bool sdi_pg_broken(const sdi_pg_connection *connection)
{
    return connection->broken;
}

bool sdi_pg_idle_alive(sdi_pg_connection *connection)
{
    if (connection->broken)
        return false;
    /* PQconsumeInput does not wait; PQisBusy makes libpq read what came, a farewell say (see notice). */
    bool alive = PQconsumeInput(connection->pq) && !PQisBusy(connection->pq);
    if (!alive || PQstatus(connection->pq) != CONNECTION_OK)
        connection->broken = true;
    return !connection->broken;
}

enum sdi_pg_transaction sdi_pg_transaction(const sdi_pg_connection *connection)
{
    if (connection->broken)
        return SDI_PG_BUSY;
    switch (PQtransactionStatus(connection->pq)) {
    case PQTRANS_IDLE:
        return SDI_PG_IDLE;
    case PQTRANS_INTRANS:
        return SDI_PG_OPEN;
    case PQTRANS_INERROR:
        return SDI_PG_FAILED;
    default:
        return SDI_PG_BUSY;
    }
}

sdi_pg_backend_id sdi_pg_backend(const sdi_pg_connection *connection)
{
    return connection->backend;
}

uint64_t sdi_pg_system(const sdi_pg_connection *connection)
{
    return connection->system;
}

const char *sdi_pg_identity(const sdi_pg_connection *connection)
{
    return connection->identity;
}

uint64_t sdi_pg_mended(sdi_pg_connection *connection)
{
    uint64_t mended = connection->mended;
    connection->mended = 0;
    return mended;
}
