/* shopdata.h - the whole public interface of libshopdata.
 *
 * libshopdata reads and writes one PostgreSQL database that has a primary and any number of read replicas, behind a
 * shared cache. You ask a question and get a result; whether the cache, a replica or the primary answered is the
 * library's business, and is told with the result.
 *
 * Rules that hold for every function here
 *
 *   Status      0 (SHOPDATA_OK) is good, negative is bad, positive is good with a remark. All come from
 *               `enum shopdata_status`. On failure no other output is written.
 *   Errors      The last argument `error_out` takes an error that tells what is wrong, where, and what would be right.
 *               It may be NULL. What it receives is yours: shopdata_error_free.
 *   Ownership   What arrives through `T **` is yours and has a free function, which accepts NULL. What is returned by
 *               value or as `const T *` belongs to the object asked and dies with it. What you pass in is copied
 *               before the call returns. An object keeps alive what it was made from, so any order of freeing is right.
 *   Threads     client, statement, result, queue, op: any number of threads at once (a statement once its tags are
 *               added). config, session, metrics, error: one thread at a time.
 *   Text        All text is UTF-8. Times are milliseconds, sizes are bytes, unless a name says otherwise.
 *   Manners     The library never prints, never exits, and never calls you back from a thread of its own: log lines
 *               go to a function that you set, in calls of yours.
 *               A cache that fails is not a query that fails: it is counted, and the database answers. (In
 *               `cache.mode` strict nothing is written without it.)
 */
#ifndef SHOPDATA_SHOPDATA_H
#define SHOPDATA_SHOPDATA_H

#include <stddef.h>
#include <stdint.h>

#include <shopdata/version.h>

#if defined(__GNUC__)
#define SHOPDATA_API __attribute__((visibility("default")))
#else
#define SHOPDATA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shopdata_config shopdata_config;
typedef struct shopdata_client shopdata_client;
typedef struct shopdata_statement shopdata_statement;
typedef struct shopdata_session shopdata_session;
typedef struct shopdata_result shopdata_result;
typedef struct shopdata_queue shopdata_queue;
typedef struct shopdata_op shopdata_op;
typedef struct shopdata_metrics shopdata_metrics;
typedef struct shopdata_error shopdata_error;

/* ---------------------------------------------------------------------------------------------------------- status */

enum shopdata_status {
    SHOPDATA_OK = 0,
    SHOPDATA_UNFENCED = 1, /* the write stands, but the shared cache could not be told: see shopdata_execute */
    SHOPDATA_MISS = 2,     /* nothing is kept in this process that would do: see shopdata_peek */
    SHOPDATA_PENDING = 3,  /* not over yet: see shopdata_start */

    SHOPDATA_ERR_ARGUMENT = -1,    /* a call that cannot be right: NULL handle, wrong number of parameters, not UTF-8 */
    SHOPDATA_ERR_CONFIG = -2,      /* an unknown key, a malformed value, an unreadable file */
    SHOPDATA_ERR_NO_MEMORY = -3,   /* out of memory */
    SHOPDATA_ERR_SQL = -4,         /* PostgreSQL rejected it: shopdata_error_sqlstate says why */
    SHOPDATA_ERR_REFUSED = -5,     /* the library will not run this statement so; the message names the call to use */
    SHOPDATA_ERR_TIMEOUT = -6,     /* the deadline passed; a write's fate is SHOPDATA_ERR_AMBIGUOUS instead */
    SHOPDATA_ERR_BUSY = -7,        /* no connection within the wait limit, or the primary's admission limit reached */
    SHOPDATA_ERR_UNAVAILABLE = -8, /* no node that could answer can be reached; strict: nor the cache, for a write */
    SHOPDATA_ERR_AMBIGUOUS = -9,   /* the connection was lost after COMMIT was sent: it may or may not stand */
    SHOPDATA_ERR_TOO_LARGE = -10,  /* the result is over max_result_bytes */
    SHOPDATA_ERR_TRANSACTION = -11, /* not in this state: none open, one open already, or one that failed */
    SHOPDATA_ERR_RANGE = -12,       /* no such row or column */
    SHOPDATA_ERR_TYPE = -13,        /* the value is NULL, or not of the type that was asked for */
    SHOPDATA_ERR_FORKED = -14,      /* the client was made before fork(): call shopdata_after_fork in the child */
    SHOPDATA_ERR_INTERRUPTED = -15  /* the session's function ended the call: see shopdata_session_set_interrupt,
                                     * or shopdata_op_cancel an op */
};

/* shopdata_status_name returns the name of a status, "SHOPDATA_ERR_SQL" say; "unknown" for any other number. */
SHOPDATA_API const char *shopdata_status_name(int status);

/* shopdata_version returns the version of the library that runs; SHOPDATA_VERSION is the one compiled against. */
SHOPDATA_API const char *shopdata_version(void);

/* ---------------------------------------------------------------------------------------------------------- errors */

/* shopdata_error_status, _message: the status, and one line (UTF-8, no line break but between several faults of a
 * configuration) that says what is wrong, where, and what would be right. Both accept NULL: SHOPDATA_OK and "". */
SHOPDATA_API int shopdata_error_status(const shopdata_error *error);
SHOPDATA_API const char *shopdata_error_message(const shopdata_error *error);
/* shopdata_error_sqlstate returns PostgreSQL's five characters, "23505" say; "" if the server did not speak. */
SHOPDATA_API const char *shopdata_error_sqlstate(const shopdata_error *error);
/* shopdata_error_is_retriable is 1 if the same call may succeed later and repeating it can do no harm (a write that is
 * sure not to have run, any read), else 0. */
SHOPDATA_API int shopdata_error_is_retriable(const shopdata_error *error);
SHOPDATA_API void shopdata_error_free(shopdata_error *error);

/* --------------------------------------------------------------------------------------------------- configuration */

/* shopdata_config_new makes an empty configuration: every key at its default, no node. doc/configuration.md lists the
 * keys. */
SHOPDATA_API int shopdata_config_new(shopdata_config **config_out, shopdata_error **error_out);
/* shopdata_config_set sets one key: "node.NAME.conninfo", "cache.address", "policy.NAME.ttl"... The value is the
 * text that a file would have, without quotes around it. SHOPDATA_ERR_CONFIG for an unknown key or a value out of
 * range; nothing is changed then. */
SHOPDATA_API int shopdata_config_set(shopdata_config *config, const char *key, const char *value,
                                     shopdata_error **error_out);
/* shopdata_config_read_file reads a file of `[section]` and `key = value` lines on top of what is set. All faults of
 * the file are reported at once, each on its own line as FILE:LINE: ...; nothing is changed then. */
SHOPDATA_API int shopdata_config_read_file(shopdata_config *config, const char *path, shopdata_error **error_out);

enum shopdata_log_level {
    SHOPDATA_LOG_ERROR = 1,
    SHOPDATA_LOG_WARNING = 2,
    SHOPDATA_LOG_INFO = 3,
    SHOPDATA_LOG_DEBUG = 4
};

/* Takes one log line: UTF-8, no line break, `ts=... level=... event=...` and further key=value pairs (doc/logging.md
 * lists them). `level` is one of enum shopdata_log_level; `line` dies with the call. */
typedef void (*shopdata_log_function)(void *context, int level, const char *line);

/* shopdata_config_set_log names the function that takes the log lines of clients opened with this configuration; NULL,
 * the default: nobody. It is called while one of your own threads is in a call of the library, just before that
 * returns, with no lock held, and by one thread at a time; lines from the library's own threads wait for such a call
 * (256 at most, more are dropped and counted), or for shopdata_log_flush. So it should be quick. It may call the
 * library; what is raised meanwhile comes later. `context` is passed on; both must live as long as the client and what
 * was made from it. Which lines come: shopdata.log_level, shopdata.log_rate and shopdata.slow_query. */
SHOPDATA_API int shopdata_config_set_log(shopdata_config *config, shopdata_log_function function, void *context,
                                         shopdata_error **error_out);
SHOPDATA_API void shopdata_config_free(shopdata_config *config);

/* ---------------------------------------------------------------------------------------------------------- client */

/* shopdata_open makes a client of a configuration (copied; at least one node.*.conninfo). It checks, then starts to
 * look for the nodes in the background: an unreachable server is no error here, the first query waits for it. Threads:
 * the client starts one thread a node, with all signals blocked, that watches its role, lag and health;
 * shopdata_start starts more. */
SHOPDATA_API int shopdata_open(const shopdata_config *config, shopdata_client **client_out, shopdata_error **error_out);
/* shopdata_close drops the caller's reference. Sessions and statements that still stand keep working; the connections
 * close with the last of them. */
SHOPDATA_API void shopdata_close(shopdata_client *client);
/* shopdata_ready is SHOPDATA_OK if a node answers reads now, else SHOPDATA_ERR_UNAVAILABLE with the reason: what a load
 * balancer's health check wants to know. It waits at most `wait_ms` milliseconds (0: not at all) for a node. */
SHOPDATA_API int shopdata_ready(shopdata_client *client, int64_t wait_ms, shopdata_error **error_out);
/* shopdata_log_flush hands the log lines that wait to the function of shopdata_config_set_log, in this thread. For a
 * process that makes no other calls for a while. */
SHOPDATA_API int shopdata_log_flush(shopdata_client *client, shopdata_error **error_out);
/* shopdata_after_fork gives a forked child connections of its own. Call it in the child, before any other use and while
 * only one thread runs; until then every call answers SHOPDATA_ERR_FORKED. The parent is not touched. A transaction
 * that was open stays the parent's. */
SHOPDATA_API int shopdata_after_fork(shopdata_client *client, shopdata_error **error_out);

/* ------------------------------------------------------------------------------------------------------ parameters */

enum shopdata_kind {
    SHOPDATA_NULL = 0,
    SHOPDATA_BOOL = 1,
    SHOPDATA_INT64 = 2,
    SHOPDATA_DOUBLE = 3,
    SHOPDATA_TEXT = 4,
    SHOPDATA_BYTES = 5
};

/* A parameter: a kind and a value. Build it with the functions below; the layout is fixed for ever.
 * Text stands for every other SQL type too (numeric, date, uuid, arrays...): PostgreSQL reads it as that type. */
typedef struct shopdata_param {
    int kind;
    union {
        int64_t integer; /* SHOPDATA_BOOL (0 or 1), SHOPDATA_INT64 */
        double real;     /* SHOPDATA_DOUBLE */
        struct {
            const void *data;
            size_t length;
        } bytes; /* SHOPDATA_TEXT, SHOPDATA_BYTES */
    } value;
} shopdata_param;

static inline shopdata_param shopdata_null(void)
{
    shopdata_param param;
    param.kind = SHOPDATA_NULL;
    param.value.integer = 0;
    return param;
}

static inline shopdata_param shopdata_bool(int value)
{
    shopdata_param param;
    param.kind = SHOPDATA_BOOL;
    param.value.integer = value != 0;
    return param;
}

static inline shopdata_param shopdata_int64(int64_t value)
{
    shopdata_param param;
    param.kind = SHOPDATA_INT64;
    param.value.integer = value;
    return param;
}

static inline shopdata_param shopdata_double(double value)
{
    shopdata_param param;
    param.kind = SHOPDATA_DOUBLE;
    param.value.real = value;
    return param;
}

/* shopdata_text_n takes `length` bytes of UTF-8; shopdata_text a C string. A NULL pointer means SQL NULL. */
static inline shopdata_param shopdata_text_n(const char *text, size_t length)
{
    shopdata_param param;
    param.kind = text ? SHOPDATA_TEXT : SHOPDATA_NULL;
    param.value.bytes.data = text;
    param.value.bytes.length = length;
    return param;
}

static inline shopdata_param shopdata_text(const char *text)
{
    size_t length = 0;
    while (text && text[length])
        length++;
    return shopdata_text_n(text, length);
}

/* shopdata_bytes is a bytea. A NULL pointer means SQL NULL. */
static inline shopdata_param shopdata_bytes(const void *data, size_t length)
{
    shopdata_param param;
    param.kind = data ? SHOPDATA_BYTES : SHOPDATA_NULL;
    param.value.bytes.data = data;
    param.value.bytes.length = length;
    return param;
}

/* ------------------------------------------------------------------------------------------------------ statements */

/* shopdata_statement_new parses one SQL statement with parameters $1, $2... Which answers may be cached, on which tags
 * they hang and which tags a write bumps is worked out from the SQL. `policy` names a [policy NAME] of the
 * configuration; NULL means "default".
 * SHOPDATA_ERR_SQL for text that does not parse; SHOPDATA_ERR_REFUSED for more than one statement, and for what would
 * change a pooled connection (SET, BEGIN, LISTEN, PREPARE...). Does no I/O. Make a statement once and keep it. */
SHOPDATA_API int shopdata_statement_new(shopdata_client *client, const char *policy, const char *sql,
                                        shopdata_statement **statement_out, shopdata_error **error_out);
/* shopdata_statement_add_tag adds a tag of your own: "shelf/$1" is filled from the parameters ($$ is a dollar sign). A
 * read hangs on it, a write bumps it. It also declares what the SQL does not tell: a statement that would be refused or
 * not cached for that reason is then run, or cached, on the tags that you declared.
 * Before the statement's first use only: SHOPDATA_ERR_ARGUMENT afterwards. */
SHOPDATA_API int shopdata_statement_add_tag(shopdata_statement *statement, const char *tag_template,
                                            shopdata_error **error_out);
/* shopdata_statement_explain tells in a few lines what the library made of the SQL: cached or not and why, the tags a
 * read hangs on or a write bumps. *text_out belongs to the statement. Asks the database for the tables' keys if that is
 * not known yet. */
SHOPDATA_API int shopdata_statement_explain(shopdata_statement *statement, const char **text_out,
                                            shopdata_error **error_out);
/* shopdata_statement_is_read is 1 for what belongs into shopdata_query (SELECT, also FOR UPDATE, VALUES, TABLE, SHOW,
 * EXPLAIN), 0 for what belongs into shopdata_execute (what writes, a WITH or EXPLAIN ANALYZE of it, nextval()...), and
 * 0 for NULL. Does no I/O, so it goes by the SQL until the statement was first used, and then by what the database said
 * of its functions and views too. A SELECT that calls a function or reads a view which may write can thus be 1 before:
 * then shopdata_query runs nothing and answers SHOPDATA_ERR_REFUSED. shopdata_execute takes reads as well. */
SHOPDATA_API int shopdata_statement_is_read(const shopdata_statement *statement);
/* shopdata_statement_parameters is how many parameters a call must give: the highest n of any $n; 0 for NULL. */
SHOPDATA_API size_t shopdata_statement_parameters(const shopdata_statement *statement);
SHOPDATA_API void shopdata_statement_free(shopdata_statement *statement);

/* -------------------------------------------------------------------------------------------------------- sessions */

enum shopdata_flags {
    SHOPDATA_PRIMARY = 1, /* ask the primary, and nobody else; the answer is cached as ever */
    SHOPDATA_NO_CACHE = 2 /* neither look into the cache nor fill it */
};

/* shopdata_session_new makes a session: what one request or one user does. Cheap: make one for each request. It sees
 * its own writes, on every node, and what it asks of the nodes does not go back in time (doc/sessions.md has the one
 * exception); with shopdata_session_token that holds for the next request too, wherever it is answered. */
SHOPDATA_API int shopdata_session_new(shopdata_client *client, shopdata_session **session_out,
                                      shopdata_error **error_out);
/* shopdata_session_set_deadline gives every later call of the session `ms` milliseconds (from 1 to 86400000, a day) in
 * place of the configuration's `deadline`. */
SHOPDATA_API int shopdata_session_set_deadline(shopdata_session *session, int64_t ms, shopdata_error **error_out);
/* Asked while a call waits: 0 to go on, anything else to end it. */
typedef int (*shopdata_interrupt_function)(void *context);

/* shopdata_session_set_interrupt names a function that every later call of the session asks while it waits, for a
 * connection, a node, the cache, a server's answer or another call: in the calling thread, about every 50 ms and when a
 * signal ends a wait, never where nothing has to be waited for that long. NULL, the default: nobody. Once it answers
 * other than 0 it is not asked again, and the call ends as if its deadline had passed: the statement is ended on the
 * server, an open transaction is lost with its connection if that was waited for (then only shopdata_rollback is left),
 * and the status is SHOPDATA_ERR_INTERRUPTED, after which nothing was written. Not so where COMMIT was sent:
 * SHOPDATA_ERR_AMBIGUOUS, or what came of it; nor where the call could answer all the same. What is to be done after
 * that (telling the cache of a write, ending a backend) takes its time, half a second at most for each step, and asks
 * nobody. `context` is passed on. The function is called with no lock of the library held; it should be quick, must not
 * jump out of the call and must not call the library. Name look-ups ask nobody; nor do calls without a session, and
 * shopdata_session_free. */
SHOPDATA_API int shopdata_session_set_interrupt(shopdata_session *session, shopdata_interrupt_function function,
                                                void *context, shopdata_error **error_out);
/* shopdata_session_set_flags sets flags for every later read of the session, in place of those set before. */
SHOPDATA_API int shopdata_session_set_flags(shopdata_session *session, unsigned flags, shopdata_error **error_out);
/* shopdata_session_set_max_staleness lets every later read of the session outside a transaction answer with rows that
 * lack writes which returned up to `ms` milliseconds ago (from 0 to 2592000000, 30 days), so that more of them come
 * from the cache and from replicas: entries up to that age, which a write may have overtaken, and replicas up to that
 * far behind, in place of route.max_lag. 0, the default: what `cache.mode` promises. Never does an answer lack what the
 * session itself wrote, or come from before what it saw; shopdata_result_staleness_ms tells how old it may be. */
SHOPDATA_API int shopdata_session_set_max_staleness(shopdata_session *session, int64_t ms, shopdata_error **error_out);
/* shopdata_session_token tells in a short text what the session and those whose tokens it took wrote and saw, for the
 * next session of the same user, in this process or another: in a cookie, a header, a message. With the token a session
 * reads its user's writes, and nothing older than what he saw before, on any instance behind a load balancer, without
 * sticky sessions. What that is exactly, and what it is not: doc/sessions.md. The text is ASCII letters, digits, "-",
 * "_" and ".", usually under 200 bytes and at most 1536; with shopdata.token_keys it is signed. Take it when the
 * request is done, after the last call; within a transaction it does not tell of that yet. *text_out belongs to the
 * session, until the next call of this function or shopdata_session_free. Does no I/O. Errors: ARGUMENT, NO_MEMORY,
 * FORKED. */
SHOPDATA_API int shopdata_session_token(shopdata_session *session, const char **text_out, shopdata_error **error_out);
/* shopdata_session_advance takes a token: from now on the session reads as if it had done itself what the token tells.
 * Of several tokens, in any order, the latest of each thing counts; none takes anything back. A token of another
 * database cluster says nothing here: it is ignored, counted in shopdata_tokens_foreign_total, and SHOPDATA_OK.
 * SHOPDATA_ERR_ARGUMENT for a text that is no token, of another version, over 1536 bytes, or, where shopdata.token_keys
 * is set, not signed with one of these keys; the session is as it was then, and goes on: what comes from a visitor's
 * browser may be anything. Waits until the first node was reached, at most for the session's deadline: UNAVAILABLE. */
SHOPDATA_API int shopdata_session_advance(shopdata_session *session, const char *token, shopdata_error **error_out);
/* shopdata_session_set declares a setting of the session, for current_setting() in row-level security policies and in
 * statements: "app.tenant" and its value (text, at most 1024 bytes; NULL takes it back). The name is letters, digits
 * and _ with a dot between, at most 63 bytes; a session declares at most 16. It goes before everything that the session
 * asks and ends with it on the server: no connection keeps it for the next session. Answers that depend on it are
 * cached for each value by itself, and not at all for a session that has not declared it. SHOPDATA_ERR_ARGUMENT for a
 * name or value that cannot be, SHOPDATA_ERR_REFUSED for one of PostgreSQL's own settings, SHOPDATA_ERR_TRANSACTION
 * while one is open.
 */
SHOPDATA_API int shopdata_session_set(shopdata_session *session, const char *name, const char *value,
                                      shopdata_error **error_out);
/* shopdata_session_free ends the session, once its op is over if one is in flight. A transaction left open is rolled
 * back, and counted in shopdata_transactions_abandoned_total. */
SHOPDATA_API void shopdata_session_free(shopdata_session *session);

/* --------------------------------------------------------------------------------------------------- reads, writes */

/* shopdata_query runs a read: through the cache, else on a replica that is new enough, else on the primary. In a
 * transaction it runs on the transaction's own connection and touches no cache. `params` are $1..$count.
 * *result_out is yours. Errors: ARGUMENT, SQL, REFUSED (a statement that writes), TIMEOUT, BUSY, UNAVAILABLE,
 * TOO_LARGE, TRANSACTION (the transaction has failed), FORKED. */
SHOPDATA_API int shopdata_query(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params,
                                size_t count, shopdata_result **result_out, shopdata_error **error_out);

/* One read of shopdata_query_many; `flags` are added to the session's. The layout is fixed for ever. */
typedef struct shopdata_call {
    shopdata_statement *statement;
    const shopdata_param *params;
    size_t count;
    unsigned flags;
} shopdata_call;

/* shopdata_query_many runs `count` reads in as few round trips as there are tiers: one to the cache for all, then one
 * to each node for those that missed. All or nothing: results_out[0..count-1] are yours on success; on failure none is
 * written and the error names the call. Each read sees its own moment, as with shopdata_query. */
SHOPDATA_API int shopdata_query_many(shopdata_session *session, const shopdata_call *calls, size_t count,
                                     shopdata_result **results_out, shopdata_error **error_out);

/* shopdata_peek is shopdata_query where this process keeps the answer ([local] of the configuration) and the session
 * may have it: it asks nobody, waits for nothing, and is done in less than a microsecond. SHOPDATA_MISS, and nothing in
 * *result_out, where it does not: call shopdata_query then. Also within a transaction, and with SHOPDATA_NO_CACHE or
 * SHOPDATA_PRIMARY. Errors: ARGUMENT, FORKED. */
SHOPDATA_API int shopdata_peek(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params,
                               size_t count, shopdata_result **result_out, shopdata_error **error_out);

/* shopdata_execute runs a write on the primary, in a transaction of its own unless one is open, and bumps the tags of
 * what it changed before it returns: from then on no cached statement answers with older rows, in any process (what
 * another process keeps itself may trail by `local.coherence`, but not for a session with this one's token; in
 * `cache.mode` ttl: of this session; others may see older rows until their ttl is up).
 * A read is taken too: it runs on the primary and touches no cache, for the price of a write's round trip.
 * *result_out (may be NULL if it does not interest) has the rows of RETURNING and the count of changed rows.
 * SHOPDATA_UNFENCED: the write stands, the shared cache could not be told; it is told as soon as it answers again, and
 * until then this process takes from it nothing older than the write; others may see old answers until then, and if
 * this process dies before, for some TTLs ("until when" in doc/freshness.md).
 * SHOPDATA_ERR_AMBIGUOUS: the connection was lost after COMMIT was sent; the tags are bumped as if it stood.
 * In `cache.mode` strict the cache is told before COMMIT that the write is about to happen, and again after: then no
 * cached statement answers with older rows from the moment on that the write is visible on the primary, whether this
 * process lives to tell of it or not. What the cache does not take before COMMIT is rolled back:
 * SHOPDATA_ERR_UNAVAILABLE, or SHOPDATA_ERR_TIMEOUT if the deadline passed meanwhile, both retriable, and nothing was
 * written. SHOPDATA_UNFENCED does not occur: readers find out by themselves.
 * Other errors, after which nothing was written: ARGUMENT, SQL, REFUSED (the SQL does not tell what it writes: see
 * shopdata_statement_add_tag), TIMEOUT, BUSY, UNAVAILABLE, TRANSACTION, FORKED. Rows of RETURNING over
 * max_result_bytes: TOO_LARGE, or AMBIGUOUS where COMMIT was sent along. */
SHOPDATA_API int shopdata_execute(shopdata_session *session, shopdata_statement *statement,
                                  const shopdata_param *params, size_t count, shopdata_result **result_out,
                                  shopdata_error **error_out);

/* shopdata_invalidate bumps tags, for writes made elsewhere: "public.products/product_id=42", "public.products" (any
 * row), "pg_catalog.pg_proc" (what calls functions of yours), or tags of your own. SHOPDATA_UNFENCED as for
 * shopdata_execute; SHOPDATA_ERR_REFUSED in `cache.mode` ttl, where an answer is kept until its time is up. */
SHOPDATA_API int shopdata_invalidate(shopdata_client *client, const char *const *tags, size_t count,
                                     shopdata_error **error_out);

/* ------------------------------------------------------------------------------------------------- without waiting */

/* For a program that must not wait, such as one around poll() or an event loop: an op is a call of shopdata_query_many
 * or shopdata_execute that goes on while the caller does something else. Workers of the client (`async.threads`;
 * started with the first op, all signals blocked) run the ops, those that came first first. One that is over waits in
 * its queue, whose descriptor tells poll() so.
 *
 * A session has one op at a time, and until that is over every other call with the session, but for
 * shopdata_session_free, is SHOPDATA_ERR_ARGUMENT. Make a session for each. The session's deadline counts from the
 * start of the op, the time in which no worker was free included. Its function (shopdata_session_set_interrupt) is not
 * asked, for it would be in a thread that is not yours: shopdata_op_cancel is there for that. */

/* shopdata_queue_new makes a queue of ops that are over: one for each thread, or event loop, that wants to hear of its
 * own. After fork() a queue is the parent's, as are the ops that were in flight: make another one. */
SHOPDATA_API int shopdata_queue_new(shopdata_client *client, shopdata_queue **queue_out, shopdata_error **error_out);
/* shopdata_queue_fd is a descriptor that is readable while an op of the queue is over and was not handed out yet: for
 * poll, epoll, select, or whatever a loop takes. Never read it, nor close it: it is the queue's. -1 for NULL. */
SHOPDATA_API int shopdata_queue_fd(const shopdata_queue *queue);
/* shopdata_queue_next returns an op that is over, the one that was first, and takes it out of the queue; NULL if there
 * is none, and never waits. The op is yours since it was started, and stays so: take what it brought, and free it. */
SHOPDATA_API shopdata_op *shopdata_queue_next(shopdata_queue *queue);
/* shopdata_queue_free: ops of the queue go on, and are no longer told of. */
SHOPDATA_API void shopdata_queue_free(shopdata_queue *queue);

/* shopdata_start starts `count` reads as shopdata_query_many would run them, and never waits.
 *   queue    where the op is told of when it is over; NULL: nowhere, for who calls shopdata_op_wait
 *   calls    copied, with all parameters; the statements are kept alive
 *   context  for you: shopdata_op_context gives it back
 * SHOPDATA_PENDING: the op is on its way. SHOPDATA_OK: it is over already, and will not come out of the queue: take
 * what it brought. On an error there is no op: ARGUMENT (a parameter that cannot be, a session whose op is not over),
 * NO_MEMORY (no memory or no thread), FORKED. All others come with the op. */
SHOPDATA_API int shopdata_start(shopdata_session *session, shopdata_queue *queue, const shopdata_call *calls,
                                size_t count, void *context, shopdata_op **op_out, shopdata_error **error_out);
/* shopdata_start_execute starts a write as shopdata_execute would run it, else as shopdata_start. */
SHOPDATA_API int shopdata_start_execute(shopdata_session *session, shopdata_queue *queue, shopdata_statement *statement,
                                        const shopdata_param *params, size_t count, void *context, shopdata_op **op_out,
                                        shopdata_error **error_out);

enum shopdata_step {
    SHOPDATA_STEP_BEGIN = 1,
    SHOPDATA_STEP_COMMIT = 2,
    SHOPDATA_STEP_ROLLBACK = 3,
    SHOPDATA_STEP_SAVEPOINT = 4,
    SHOPDATA_STEP_ROLLBACK_TO = 5,
    SHOPDATA_STEP_RELEASE = 6
};

/* shopdata_start_step starts one step of a transaction as shopdata_begin, _commit, _rollback, _savepoint, _rollback_to
 * or _release would do it, else as shopdata_start. What a session does within a transaction does not wait for a worker:
 * all of them may be waiting for a lock that this transaction holds. So there is one more worker for each transaction.
 *   step       one of enum shopdata_step
 *   isolation  of a begin, as shopdata_begin has it; else 0
 *   name       of the three with savepoints; else NULL */
SHOPDATA_API int shopdata_start_step(shopdata_session *session, shopdata_queue *queue, int step, unsigned isolation,
                                     const char *name, void *context, shopdata_op **op_out, shopdata_error **error_out);

/* shopdata_op_wait waits until the op is over, at most `wait_ms` milliseconds (0: not at all): SHOPDATA_OK, or
 * SHOPDATA_PENDING if it is not. It stays in its queue until it is taken. Errors: ARGUMENT, FORKED. */
SHOPDATA_API int shopdata_op_wait(shopdata_op *op, int64_t wait_ms, shopdata_error **error_out);
/* shopdata_op_cancel asks an op to end. It comes to its end as ever, soon: one that waited for a worker at once, one
 * that runs as a call does whose function says stop (see shopdata_session_set_interrupt): the statement is ended on the
 * server, and the op brings SHOPDATA_ERR_INTERRUPTED, or what came of it all the same. Nothing happens to one that is
 * over. Errors: ARGUMENT, FORKED. */
SHOPDATA_API int shopdata_op_cancel(shopdata_op *op, shopdata_error **error_out);
/* shopdata_op_take returns what the call would have returned, and gives what it would have given:
 * results_out[0..count-1] of reads, one result of a write (NULL: they do not interest). SHOPDATA_PENDING while the op
 * is not over. Once: a second time it is SHOPDATA_ERR_ARGUMENT. Takes the op out of its queue if it is still there. */
SHOPDATA_API int shopdata_op_take(shopdata_op *op, shopdata_result **results_out, shopdata_error **error_out);
/* shopdata_op_context returns the `context` that the op was started with; NULL for NULL. */
SHOPDATA_API void *shopdata_op_context(const shopdata_op *op);
/* shopdata_op_free: one that is in flight is cancelled, ends by itself, and is not told of; a write may stand then. */
SHOPDATA_API void shopdata_op_free(shopdata_op *op);

/* ---------------------------------------------------------------------------------------------------- transactions */

enum shopdata_isolation {
    SHOPDATA_READ_COMMITTED = 0,
    SHOPDATA_REPEATABLE_READ = 1,
    SHOPDATA_SERIALIZABLE = 2,
    SHOPDATA_READ_ONLY = 256 /* may be or-ed to one of the above */
};

/* shopdata_begin opens a transaction on the primary; it holds a connection until commit, rollback or session_free.
 * Reads and writes of the session run inside it. Tags of its writes are bumped at commit. After an SQL error every call
 * but shopdata_rollback and shopdata_rollback_to answers SHOPDATA_ERR_TRANSACTION; so does, when the connection was
 * lost, every call until shopdata_rollback or shopdata_commit. */
SHOPDATA_API int shopdata_begin(shopdata_session *session, unsigned isolation, shopdata_error **error_out);
/* shopdata_commit: SHOPDATA_OK, SHOPDATA_UNFENCED and SHOPDATA_ERR_AMBIGUOUS as for shopdata_execute, and in mode
 * strict SHOPDATA_ERR_UNAVAILABLE and SHOPDATA_ERR_TIMEOUT as there. On any other error nothing was written. The
 * transaction is over in every case. */
SHOPDATA_API int shopdata_commit(shopdata_session *session, shopdata_error **error_out);
SHOPDATA_API int shopdata_rollback(shopdata_session *session, shopdata_error **error_out);
/* Savepoints: set one, go back to it (it stays set), or forget it. Names are 1 to 63 bytes and quoted for you. */
SHOPDATA_API int shopdata_savepoint(shopdata_session *session, const char *name, shopdata_error **error_out);
SHOPDATA_API int shopdata_rollback_to(shopdata_session *session, const char *name, shopdata_error **error_out);
SHOPDATA_API int shopdata_release(shopdata_session *session, const char *name, shopdata_error **error_out);

/* --------------------------------------------------------------------------------------------------------- results */

enum shopdata_source {
    SHOPDATA_FROM_CACHE = 1,
    SHOPDATA_FROM_REPLICA = 2,
    SHOPDATA_FROM_PRIMARY = 3,
    SHOPDATA_FROM_STALE = 4, /* an old answer of the cache, where the policy allows `stale` or `stale_overtaken`, or the
                              * session tolerates it (shopdata_session_set_max_staleness) */
    SHOPDATA_FROM_LOCAL = 5  /* the cache in this process ([local]) */
};

/* A result is immutable, counted by reference and complete in itself. rows and columns count from 0. These accept NULL:
 * 0 rows, 0 columns. */
SHOPDATA_API size_t shopdata_result_rows(const shopdata_result *result);
SHOPDATA_API size_t shopdata_result_columns(const shopdata_result *result);
/* shopdata_result_changed is how many rows a write inserted, updated or deleted; for a read, the rows it found. */
SHOPDATA_API uint64_t shopdata_result_changed(const shopdata_result *result);

/* shopdata_result_column_name, _column_type: the name ("" out of range), and PostgreSQL's type OID (0 out of range: 23
 * int4, 25 text...). shopdata_result_find_column returns the number of the first column of that name, -1 if none. */
SHOPDATA_API const char *shopdata_result_column_name(const shopdata_result *result, size_t column);
SHOPDATA_API uint32_t shopdata_result_column_type(const shopdata_result *result, size_t column);
SHOPDATA_API int shopdata_result_find_column(const shopdata_result *result, const char *name);

/* shopdata_result_is_null is 1 for SQL NULL, 0 for a value, SHOPDATA_ERR_RANGE where there is no such cell. */
SHOPDATA_API int shopdata_result_is_null(const shopdata_result *result, size_t row, size_t column);
/* shopdata_result_text gives a cell of any type as PostgreSQL writes it (dates in ISO form and UTC, bytea as hex), with
 * a zero byte behind; *length_out may be NULL. SQL NULL is SHOPDATA_OK with *text_out NULL. The text belongs to the
 * result. SHOPDATA_ERR_RANGE where there is no such cell. */
SHOPDATA_API int shopdata_result_text(const shopdata_result *result, size_t row, size_t column, const char **text_out,
                                      size_t *length_out, shopdata_error **error_out);
/* shopdata_result_int64, _double, _bool read a cell as that type: SHOPDATA_ERR_TYPE if it is NULL, or does not hold
 * such a value (int64: a whole number from -2^63 to 2^63-1; double: any number; bool: PostgreSQL's boolean). */
SHOPDATA_API int shopdata_result_int64(const shopdata_result *result, size_t row, size_t column, int64_t *value_out,
                                       shopdata_error **error_out);
SHOPDATA_API int shopdata_result_double(const shopdata_result *result, size_t row, size_t column, double *value_out,
                                        shopdata_error **error_out);
SHOPDATA_API int shopdata_result_bool(const shopdata_result *result, size_t row, size_t column, int *value_out,
                                      shopdata_error **error_out);
/* shopdata_result_bytes decodes a bytea into `buffer` of `size` bytes and gives its length in *length_out. With too
 * small a buffer (NULL and 0 to ask) only the length is given. SHOPDATA_ERR_TYPE if the cell is NULL or no bytea. */
SHOPDATA_API int shopdata_result_bytes(const shopdata_result *result, size_t row, size_t column, void *buffer,
                                       size_t size, size_t *length_out, shopdata_error **error_out);

/* shopdata_result_source: one of enum shopdata_source. shopdata_result_node: the [node NAME] that read the rows from
 * the database, also for an answer that came from the cache. shopdata_result_age_ms: how long ago that was (in
 * `cache.mode` ttl: how long ago its node had all that had been written). */
SHOPDATA_API int shopdata_result_source(const shopdata_result *result);
SHOPDATA_API const char *shopdata_result_node(const shopdata_result *result);
SHOPDATA_API int64_t shopdata_result_age_ms(const shopdata_result *result);
/* shopdata_result_staleness_ms bounds in milliseconds, as of the call's return, how long ago the rows may have been
 * overtaken by a write made through the library. 0: by none that had returned before the call began (the answer of a
 * cache or of a replica that passed its fences, an answer of the primary, also `stale` ones). Above 0: how far the
 * replica was behind, where there were no fences to ask (the statement is not cached, or the cache is down) or the
 * session did not insist; how long ago it was confirmed that what this process keeps has not been overtaken, for
 * SHOPDATA_FROM_LOCAL; the age of an answer served under `stale_overtaken` or shopdata_session_set_max_staleness, by
 * the clocks of this host and the one that stored it; in `cache.mode` ttl the age of every answer that may be kept, to
 * which is added how far its node was behind. -1: not known. */
SHOPDATA_API int64_t shopdata_result_staleness_ms(const shopdata_result *result);

/* shopdata_result_retain adds a reference and returns its argument; shopdata_result_free drops one. */
SHOPDATA_API shopdata_result *shopdata_result_retain(shopdata_result *result);
SHOPDATA_API void shopdata_result_free(shopdata_result *result);

/* --------------------------------------------------------------------------------------------------------- metrics */

enum shopdata_metric_type { SHOPDATA_COUNTER = 1, SHOPDATA_GAUGE = 2, SHOPDATA_HISTOGRAM = 3 };

/* shopdata_metrics_take copies all counters and gauges at one moment. doc/metrics.md lists them. A histogram appears as
 * Prometheus writes it: a cumulative `_bucket` value for each upper bound (label le), a `_sum` and a `_count`. */
SHOPDATA_API int shopdata_metrics_take(shopdata_client *client, shopdata_metrics **metrics_out,
                                       shopdata_error **error_out);
/* The values, numbered from 0 to shopdata_metrics_count - 1. Names, help, unit and labels (`source="cache"` or "")
 * belong to the snapshot; out of range they are "" and 0. */
SHOPDATA_API size_t shopdata_metrics_count(const shopdata_metrics *metrics);
SHOPDATA_API const char *shopdata_metrics_name(const shopdata_metrics *metrics, size_t index);
SHOPDATA_API const char *shopdata_metrics_help(const shopdata_metrics *metrics, size_t index);
SHOPDATA_API int shopdata_metrics_type(const shopdata_metrics *metrics, size_t index);
SHOPDATA_API const char *shopdata_metrics_unit(const shopdata_metrics *metrics, size_t index);
SHOPDATA_API const char *shopdata_metrics_labels(const shopdata_metrics *metrics, size_t index);
SHOPDATA_API double shopdata_metrics_value(const shopdata_metrics *metrics, size_t index);
/* shopdata_metrics_prometheus returns the snapshot in Prometheus' text format 0.0.4; it belongs to the snapshot. */
SHOPDATA_API const char *shopdata_metrics_prometheus(const shopdata_metrics *metrics);
/* shopdata_metrics_emf writes the snapshot in CloudWatch's embedded metric format: JSON documents, one a line, for
 * standard output (Lambda, ECS, EKS), a log file, or the CloudWatch agent. Counters and histograms are sent as what was
 * added since `previous`, an older snapshot of the same client, or since it was opened if that is NULL; gauges as they
 * are; shopdata_cache_hit_ratio, in percent, is computed of all and of each policy. Counters keep their name but for
 * _total; labels become dimensions. What has never been counted is left out.
 *   name_space  of the metrics in CloudWatch, "Shop" say: 1 to 255 letters, digits, blanks and . - _ / # :
 *   dimensions  further dimensions for all of them, "service=shop,host=web1"; at most 28; NULL or "": none
 * *text_out belongs to the snapshot, until the next call with it. Errors: ARGUMENT. The format: "Specification:
 * Embedded metric format" in the Amazon CloudWatch User Guide. */
SHOPDATA_API int shopdata_metrics_emf(shopdata_metrics *metrics, const shopdata_metrics *previous,
                                      const char *name_space, const char *dimensions, const char **text_out,
                                      shopdata_error **error_out);
SHOPDATA_API void shopdata_metrics_free(shopdata_metrics *metrics);

#ifdef __cplusplus
}
#endif

#endif
