/* session.h - what one request or user does: what it wrote and saw, its deadline, its transaction. One thread at a
 * time.
 */
#ifndef SDI_CLIENT_SESSION_H
#define SDI_CLIENT_SESSION_H

#include "base/interrupt.h"
#include "client/core.h"
#include "client/statement.h"
#include "fresh/token.h"
#include "model/declared.h"

/* A transaction is a state of the session: a connection to the primary, held. */
typedef struct sdi_transaction {
    sdi_pg_connection *connection; /* NULL: none open, or `lost` */
    bool lost; /* its connection is; it stays open in name until the caller ends it, so that what he does next
                * is not committed by itself */
    size_t node;
    unsigned generation; /* of the client when it began: after fork it is the parent's */
    sdi_buffer tags;     /* fence keys of its writes, each with a zero byte behind */
    bool schema;         /* it changed the schema */
} sdi_transaction;

/* Where a session is: with its caller, or away with an op, which may outlive the caller's interest in it. */
enum sdi_whereabouts { SDI_SESSION_HERE, SDI_SESSION_AWAY, SDI_SESSION_FREED };

struct shopdata_session {
    shopdata_client *client;
    _Atomic(enum sdi_whereabouts) whereabouts;
    unsigned generation; /* of the client when it went away */
    int64_t waited_ms;   /* of the deadline, for a worker */
    int64_t deadline_ms;
    sdi_interrupt interrupt; /* whom its calls ask while they wait */
    unsigned flags;
    int64_t max_staleness_ms; /* an answer may lack writes of others that returned so long ago */
    sdi_token token;          /* what it wrote and saw */
    int64_t news_at; /* sdi_uptime when it last learnt what may not have been heard of here (coherence.h); 0: never */
    uint64_t news_mark; /* sdi_local_mark of then */
    uint64_t unplaced;  /* the last of these whose position is not known (sdi_unplaced); 0: none */
    sdi_buffer text;    /* the token as it was told last */
    sdi_transaction transaction;
    sdi_declared declared; /* settings that go before everything it asks */
};

int sdi_session_new(shopdata_client *client, shopdata_session **session_out, shopdata_error **error_out);
void sdi_session_free(shopdata_session *session);
/* sdi_session_check: not NULL, not away with an op, and not the parent's after fork. sdi_session_here looks at the op
 * alone. */
int sdi_session_check(const shopdata_session *session, shopdata_error **error_out);
int sdi_session_here(const shopdata_session *session, shopdata_error **error_out);
/* sdi_session_go: an op takes it along. sdi_session_come_back: the op is over; true if the session was freed meanwhile,
 * and is to be given to sdi_session_destroy, which does what sdi_session_free left. */
void sdi_session_go(shopdata_session *session);
bool sdi_session_come_back(shopdata_session *session);
void sdi_session_destroy(shopdata_session *session);
/* sdi_session_wrote: `point` contains a write of the session; NULL, nobody knows where it stands. sdi_session_saw: an
 * answer of this stamp was handed out; NULL, one of which nothing is known. sdi_session_unfenced: the cache could not
 * be told of these fences (keys ended by a zero byte each; none: those there were are forgotten). */
void sdi_session_wrote(shopdata_session *session, const sdi_point *point);
void sdi_session_saw(shopdata_session *session, const sdi_stamp *stamp);
/* sdi_session_saw_local: that of an answer that this process kept. */
void sdi_session_saw_local(shopdata_session *session, const sdi_local_seen *seen);
void sdi_session_unfenced(shopdata_session *session, const sdi_buffer *keys);
/* sdi_session_is_in: all that the session wrote is certainly contained in an answer of this stamp. */
bool sdi_session_is_in(const shopdata_session *session, const sdi_stamp *stamp);
/* sdi_session_goes_on: is it certain that an answer of this stamp shows nothing from before what the session saw? */
bool sdi_session_goes_on(const shopdata_session *session, const sdi_stamp *stamp);
/* sdi_session_deadline: of a call, or of what is left to do once one was interrupted. */
int64_t sdi_session_deadline(const shopdata_session *session);
/* sdi_session_set: see shopdata_session_set. */
int sdi_session_set(shopdata_session *session, const char *name, const char *value, shopdata_error **error_out);
/* sdi_settings_command tells a server the session's settings, until the transaction or the batch ends; false if there
 * are none. */
bool sdi_settings_command(const shopdata_session *session, sdi_pg_command *command_out);
/* sdi_session_position raises `era` and `lsn` to where all lies that the session wrote and saw; false if that is not
 * known of all. */
bool sdi_session_position(shopdata_session *session, sdi_era *era, sdi_lsn *lsn);
/* sdi_session_untold: did the session write under this fence without the cache being told? If the fence (NULL: there is
 * none) demands the write by now, it was told after all, and that is forgotten. */
bool sdi_session_untold(shopdata_session *session, sdi_slice fence_key, const sdi_point *fence);
/* sdi_session_token, sdi_session_advance: see shopdata_session_token, shopdata_session_advance. */
int sdi_session_token(shopdata_session *session, const char **text_out, shopdata_error **error_out);
int sdi_session_advance(shopdata_session *session, const char *text, shopdata_error **error_out);

/* read.c: see shopdata_query_many. */
int sdi_read_many(shopdata_session *session, const shopdata_call *calls, size_t count, shopdata_result **results_out,
                  shopdata_error **error_out);
/* peek.c: see shopdata_peek. */
int sdi_peek(shopdata_session *session, const shopdata_call *call, shopdata_result **result_out,
             shopdata_error **error_out);
/* write.c: see shopdata_execute, shopdata_invalidate. */
int sdi_write(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params, size_t count,
              shopdata_result **result_out, shopdata_error **error_out);
int sdi_invalidate(shopdata_client *client, const char *const *tags, size_t count, shopdata_error **error_out);

struct sdi_committing;
/* For both ways to commit, alone and in a transaction. sdi_xid_command asks before COMMIT whether anything was written,
 * and whether COMMIT will wait for the flush; sdi_wrote reads the former. sdi_written: the write stands; its fences
 * (fencing.h) are moved to the moment that was asked for behind COMMIT, or deleted if that is not known. SHOPDATA_OK or
 * SHOPDATA_UNFENCED; with a mark, which says as much as readers need, always SHOPDATA_OK. */
sdi_pg_command sdi_xid_command(void);
bool sdi_wrote(const sdi_pg_command *xid);
int sdi_written(shopdata_session *session, const struct sdi_committing *committing, sdi_buffer *keys);
/* sdi_saw_until: what the session saw on this connection (NULL: it is lost) lies before the moment that was asked for
 * last. */
void sdi_saw_until(shopdata_session *session, const sdi_pg_connection *connection, const sdi_pg_command *moment_answer);
/* sdi_ambiguous: nobody knows whether it stands; SHOPDATA_ERR_AMBIGUOUS in place of the error there was. */
int sdi_ambiguous(shopdata_session *session, size_t node, const sdi_pg_backend_id *backend, sdi_buffer *keys,
                  shopdata_error **error_out);

/* transaction.c: see shopdata_begin and the rest. */
int sdi_begin(shopdata_session *session, unsigned isolation, shopdata_error **error_out);
int sdi_commit(shopdata_session *session, shopdata_error **error_out);
int sdi_rollback(shopdata_session *session, shopdata_error **error_out);
enum sdi_savepoint { SDI_SAVEPOINT_SET, SDI_SAVEPOINT_BACK, SDI_SAVEPOINT_RELEASE };
int sdi_savepoint(shopdata_session *session, enum sdi_savepoint what, const char *name, shopdata_error **error_out);
/* sdi_in_transaction: one is open (it may have failed, or be the parent's: sdi_transaction_run says so). */
bool sdi_in_transaction(const shopdata_session *session);
/* sdi_transaction_run runs commands on the transaction's connection; the first that the server rejects fails the call
 * (*failed_out, SIZE_MAX for any other failure) and the transaction. */
int sdi_transaction_run(shopdata_session *session, sdi_pg_command *commands, size_t count, size_t *failed_out,
                        shopdata_error **error_out);
/* sdi_transaction_abandon ends a transaction that nobody will commit. */
void sdi_transaction_abandon(shopdata_session *session);

#endif
