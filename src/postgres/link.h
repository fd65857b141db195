/* link.h - what a connection is inside this room. */
#ifndef SDI_POSTGRES_LINK_H
#define SDI_POSTGRES_LINK_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/map.h"
#include "model/result.h"
#include "postgres/connection.h"

/* The parameters of one command as libpq wants them; kept from command to command. */
typedef struct sdi_pg_arguments {
    sdi_buffer text; /* the texts, each with a zero byte behind */
    const char **values;
    int *lengths, *formats;
    Oid *types;
    size_t capacity;
} sdi_pg_arguments;

struct sdi_pg_connection {
    PGconn *pq;
    char *node; /* "host:port", for messages */
    bool prepared, broken;
    atomic_bool given_up; /* by another thread: nothing is to be waited for any more */
    /* The statements that the server holds are no longer those of the table: all are dropped before the next batch. */
    bool start_over;
    sdi_busy_poll *busy_poll; /* of its node; NULL: answers are slept for */
    sdi_map statements;       /* statements.c */
    sdi_pg_arguments arguments;
    uint64_t mended;
    uint64_t system;
    sdi_pg_backend_id backend;
    char *identity;
};

/* message.c: libpq's texts in one line. */
void sdi_pg_fold(sdi_buffer *line, const char *text);
/* sdi_pg_node_name makes "host:port", "[v6]:port" or "socket directory:port" of where libpq goes. NULL without memory.
 */
char *sdi_pg_node_name(const PGconn *pq);
/* sdi_pg_fail is sdi_fail with "host:port: " in front and text of libpq, folded, behind `what`. */
int sdi_pg_fail(shopdata_error **error_out, int status, const char *node, const char *what, const char *text);
/* sdi_pg_sql_error makes the error of a result: "message (detail; hint)" and its SQLSTATE. */
shopdata_error *sdi_pg_sql_error(const PGresult *answer);
/* sdi_pg_fatal: the server ends the connection with this message. */
bool sdi_pg_fatal(const PGresult *answer);

/* wait.c: sdi_pg_wait waits for `events` (POLLIN, POLLOUT) of libpq's socket. What poll says; 0 past the deadline,
 * whatever has come. */
int sdi_pg_wait(const PGconn *pq, short events, int64_t deadline);

/* statements.c: which prepared statements this connection's server holds. */
enum { SDI_PG_STATEMENTS_MAX = 1000, SDI_PG_STATEMENT_NAME = 32 };
/* sdi_pg_statement_key is the identity of a command's statement together with the types of its parameters; 0: send it
 * unprepared. */
uint64_t sdi_pg_statement_key(const sdi_pg_connection *connection, const sdi_pg_command *command);
void sdi_pg_statement_name(uint64_t key, char name[SDI_PG_STATEMENT_NAME]);
enum sdi_pg_known { SDI_PG_UNKNOWN, SDI_PG_KNOWN, SDI_PG_NO_ROOM };
/* sdi_pg_statement_want: is it there, or sent in this batch already? If not, it is noted as sent now. */
enum sdi_pg_known sdi_pg_statement_want(sdi_pg_connection *connection, uint64_t key);
/* sdi_pg_statement_settle: what became of one that was sent. */
void sdi_pg_statement_settle(sdi_pg_connection *connection, uint64_t key, bool prepared);
/* sdi_pg_statements_stale: does the error mean that server and table disagree, or that a plan is no longer taken? */
bool sdi_pg_statements_stale(const PGresult *answer);
/* sdi_pg_statements_are_due to be dropped: by sdi_pg_statements_drop, after which they are _dropped. */
bool sdi_pg_statements_are_due(const sdi_pg_connection *connection);
sdi_pg_command sdi_pg_statements_drop(void);
void sdi_pg_statements_dropped(sdi_pg_connection *connection);
/* sdi_pg_statements_tidy drops all statements of server and table where that is due. */
int sdi_pg_statements_tidy(sdi_pg_connection *connection, int64_t deadline, shopdata_error **error_out);

/* A batch on its way: messages in the order in which they are sent and answered. */
enum sdi_pg_step_kind { SDI_PG_PREPARE, SDI_PG_EXECUTE, SDI_PG_SYNC };
typedef struct sdi_pg_step {
    enum sdi_pg_step_kind kind;
    size_t command;
    uint64_t key; /* of the statement; 0: unprepared */
} sdi_pg_step;

typedef struct sdi_pg_batch {
    sdi_pg_connection *connection;
    sdi_pg_command *commands;
    size_t max_bytes;
    sdi_pg_step *steps;
    size_t count, sent, answered; /* steps */
    size_t window;                /* bytes put into libpq's buffer since it was last empty */
    bool writing;                 /* libpq has bytes that the socket did not take */
    bool reading;                 /* the answer to step `answered` has been asked for */
    bool heard;                   /* some of it has come */
    bool described;               /* the columns of the answer are known */
    bool waited;                  /* for the answers, once */
    int64_t looked_at;            /* sdi_now when the answers were first looked for; 0: they were not */
    uint64_t changed;             /* rows, as the answer's pieces told */
    sdi_result_builder builder;
    int status; /* negative: the connection broke */
    shopdata_error *error;
} sdi_pg_batch;

/* send.c: sdi_pg_send puts steps into libpq's buffer while it drains. False: the batch has failed. */
bool sdi_pg_send(sdi_pg_batch *batch);
/* receive.c: sdi_pg_receive takes what has arrived, without waiting. False: the batch has failed. */
bool sdi_pg_receive(sdi_pg_batch *batch);
/* batch.c: sdi_pg_break notes why the connection is of no more use; false, so that it can be returned on. */
bool sdi_pg_break(sdi_pg_batch *batch, int status, const char *what, const char *text);

/* batch.c: a batch in steps, for who must not wait longer than `until`. sdi_pg_batch_begin plans it, sdi_pg_send sends
 * what goes without waiting. sdi_pg_batch_go goes on with either until it is over; false: `until` has passed, or the
 * call is interrupted, and it may be called again, by any thread. sdi_pg_batch_end, once: sdi_pg_run's status. */
void sdi_pg_batch_begin(sdi_pg_batch *batch, sdi_pg_connection *connection, sdi_pg_command *commands, size_t count,
                        bool apart, size_t max_bytes);
bool sdi_pg_batch_go(sdi_pg_batch *batch, int64_t until);
int sdi_pg_batch_end(sdi_pg_batch *batch, shopdata_error **error_out);
/* batch.c: sdi_pg_batch_run is sdi_pg_run without tidying. `apart`: a Sync behind each command, so that one's error
 * does not touch the next. */
int sdi_pg_batch_run(sdi_pg_connection *connection, sdi_pg_command *commands, size_t count, bool apart,
                     size_t max_bytes, int64_t deadline, shopdata_error **error_out);

/* read.c: sdi_pg_find is the first command from there on with this outcome, `count` if none has it. sdi_pg_mend: the
 * server would not take the statement of the command at `at`; it is to run again, after all statements were dropped.
 * Once: *mended_next, 0 at first, tells from which one on. */
size_t sdi_pg_find(const sdi_pg_command *commands, size_t from, size_t count, enum sdi_pg_outcome outcome);
bool sdi_pg_mend(sdi_pg_connection *connection, sdi_pg_command *commands, size_t at, size_t *mended_next);

/* setup.c: sdi_pg_setup pins the session's settings and asks who and where we are: one round trip. */
int sdi_pg_setup(sdi_pg_connection *connection, int64_t deadline, shopdata_error **error_out);

#endif
