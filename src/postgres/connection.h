/* connection.h - one connection to one server, and batches of commands on it: everything libpq is here.
 *
 * A connection serves one thread at a time. Every wait ends at a deadline. After a failure of the connection itself
 * (lost, timed out, out of step) it is "broken": only sdi_pg_close is left to do. */
#ifndef SDI_POSTGRES_CONNECTION_H
#define SDI_POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

#include "base/busy_poll.h"
#include "model/stamp.h"
#include "postgres/speed.h"

typedef struct sdi_pg_connection sdi_pg_connection;

/* sdi_pg_connect connects (name looked up anew, TLS as the connection string says) and pins what answers depend on:
 * client_encoding UTF8, TimeZone UTC, DateStyle ISO, IntervalStyle, bytea_output hex, extra_float_digits,
 * standard_conforming_strings on, read committed. SHOPDATA_ERR_UNAVAILABLE (retriable) or SHOPDATA_ERR_TIMEOUT. */
int sdi_pg_connect(const char *conninfo, bool prepared, int64_t deadline, sdi_pg_connection **connection_out,
                   shopdata_error **error_out);
void sdi_pg_close(sdi_pg_connection *connection);
/* sdi_pg_abandon frees in a forked child, without a word to the parent's server. */
void sdi_pg_abandon(sdi_pg_connection *connection);

/* sdi_pg_look_first: answers are looked for before sleeping until they come, where that pays; NULL, as it is at first:
 * they are slept for. */
void sdi_pg_look_first(sdi_pg_connection *connection, sdi_busy_poll *busy_poll);

/* sdi_pg_give_up, from any thread: whoever waits for an answer on it gets UNAVAILABLE a moment later. */
void sdi_pg_give_up(sdi_pg_connection *connection);
bool sdi_pg_broken(const sdi_pg_connection *connection);
/* sdi_pg_idle_alive: an idle connection that the server has not closed meanwhile (no round trip). */
bool sdi_pg_idle_alive(sdi_pg_connection *connection);
enum sdi_pg_transaction { SDI_PG_IDLE, SDI_PG_OPEN, SDI_PG_FAILED, SDI_PG_BUSY };
enum sdi_pg_transaction sdi_pg_transaction(const sdi_pg_connection *connection);
/* What sdi_pg_terminate on another connection needs to end this one's backend and no other. */
typedef struct sdi_pg_backend_id {
    int32_t pid;
    char started[40]; /* pg_stat_get_activity's backend_start, as text */
} sdi_pg_backend_id;
sdi_pg_backend_id sdi_pg_backend(const sdi_pg_connection *connection);
uint64_t sdi_pg_system(const sdi_pg_connection *connection);      /* system identifier; 0 if it could not be read */
const char *sdi_pg_identity(const sdi_pg_connection *connection); /* "database\0role\0search_path" joined by \n: what
                                                                      an answer depends on besides SQL and parameters */
uint64_t sdi_pg_mended(sdi_pg_connection *connection);            /* prepared statements made again since last asked */

enum sdi_pg_outcome { SDI_PG_NOT_RUN, SDI_PG_DONE, SDI_PG_ERROR };

typedef struct sdi_pg_command {
    const char *sql;
    uint64_t statement; /* identity for a prepared statement kept on the connection; 0: not prepared */
    const shopdata_param *params;
    size_t count;
    sdi_pg_speed
        *speed; /* of a read that may share a round trip with others' (lanes.h), which measure it; NULL: never */
    bool small; /* its answer certainly is: it need not come in pieces */
    bool leads; /* those behind it rely on what it does until the Sync: they never run without it */
    /* out */
    enum sdi_pg_outcome outcome;
    bool sent;               /* false: it is certain that the server has not run it */
    shopdata_result *result; /* DONE: rows (0 x 0 for a command without), `changed`; the caller's */
    shopdata_error *error;   /* ERROR: the server's, or TOO_LARGE; the caller's */
} sdi_pg_command;

/* sdi_pg_fixed is a command of the library's own: without parameters, prepared like a caller's. `sql` must stay. */
sdi_pg_command sdi_pg_fixed(const char *sql);
void sdi_pg_commands_free(sdi_pg_command *commands, size_t count); /* results and errors */
/* sdi_pg_command_failure hands out the error of a command and returns its status. */
int sdi_pg_command_failure(sdi_pg_command *command, shopdata_error **error_out);

/* sdi_pg_run sends the commands as one pipeline with one Sync and collects the answers: one round trip, one implicit
 * transaction unless BEGIN says otherwise. 0 if the server answered all of it (each command's outcome tells; after an
 * ERROR the rest is NOT_RUN); negative if the connection broke: TIMEOUT, UNAVAILABLE (lost), NO_MEMORY. Commands that
 * had been answered by then keep their outcome. A call that was interrupted before sends nothing: TIMEOUT, and the
 * connection is as it was. A result over max_bytes: that command is an ERROR (TOO_LARGE), the
 * connection broken. */
int sdi_pg_run(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, size_t max_bytes,
               int64_t deadline, shopdata_error **error_out);

/* sdi_pg_read runs reads that do not depend on one another: what the server skipped after a neighbour's error is sent
 * again, and a prepared statement whose plan the server no longer takes is made again. Outside transactions only. With
 * a command that `leads`, all from there on run again, and what comes behind an error is NOT_RUN. */
int sdi_pg_read(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, size_t max_bytes,
                int64_t deadline, shopdata_error **error_out);

/* sdi_pg_terminate ends the backend `victim` through another connection to the same server (same role), and waits until
 * it is gone: then it can commit no more. TIMEOUT if it is not by the deadline. */
int sdi_pg_terminate(sdi_pg_connection *connection, const sdi_pg_backend_id *victim, int64_t deadline,
                     shopdata_error **error_out);

#endif
