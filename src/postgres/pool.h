/* pool.h - the connections to one node: so many at most, callers wait in line until a deadline. */
#ifndef SDI_POSTGRES_POOL_H
#define SDI_POSTGRES_POOL_H

#include "model/metrics.h"
#include "model/settings.h"
#include "postgres/connection.h"

typedef struct sdi_pool sdi_pool;

/* sdi_pool_new makes an empty pool (no I/O) for node number `node`. Settings and metrics outlive it. */
sdi_pool *sdi_pool_new(const sdi_node_settings *node_settings, const sdi_pool_settings *settings, size_t node,
                       sdi_metrics *metrics);
void sdi_pool_free(sdi_pool *pool);
/* sdi_pool_abandon: after fork, in the child: no locks, no words to the servers. */
void sdi_pool_abandon(sdi_pool *pool);

/* sdi_pool_take gives a usable connection: an idle one (the last used first), a new one while there is room, else it
 * waits in line. SHOPDATA_ERR_BUSY past wait_limit or wait_timeout, TIMEOUT past the deadline, UNAVAILABLE if
 * connecting failed. */
int sdi_pool_take(sdi_pool *pool, int64_t deadline, sdi_pg_connection **connection_out, shopdata_error **error_out);
/* sdi_pool_take_idle is an idle one, or NULL: nothing is waited for. */
sdi_pg_connection *sdi_pool_take_idle(sdi_pool *pool);
/* sdi_pool_give takes it back. A broken one, or one with a transaction left open, is closed. */
void sdi_pool_give(sdi_pool *pool, sdi_pg_connection *connection);
/* sdi_pool_give_running takes back one whose command timed out: it stays open in a list until sdi_pool_reap ends its
 * backend through `by`, another connection to the server, so that nobody else can be hit. Returns how many were ended.
 * by NULL closes them all without a word. */
void sdi_pool_give_running(sdi_pool *pool, sdi_pg_connection *connection);
size_t sdi_pool_reap(sdi_pool *pool, sdi_pg_connection *by, int64_t deadline);
/* sdi_pool_expendable: what runs on it until it is given back is a read, and may be given up for another node.
 * sdi_pool_give_up ends those, with UNAVAILABLE: the server does not answer any more, though nothing was lost. */
void sdi_pool_expendable(sdi_pool *pool, sdi_pg_connection *connection);
void sdi_pool_give_up(sdi_pool *pool);
/* sdi_pool_flush closes idle connections and lets those in use close when they come back: after a node was lost or
 * changed its role. */
void sdi_pool_flush(sdi_pool *pool);
/* sdi_pool_out_of_time is SHOPDATA_ERR_TIMEOUT: while waiting for a connection, or, `sent`, for an answer. */
int sdi_pool_out_of_time(const sdi_pool *pool, bool sent, shopdata_error **error_out);
/* sdi_pool_gauges sets SDI_M_POOL_CONNECTIONS, _BUSY, _SIZE and _WAITING; `elsewhere`: who waits for a connection that
 * is shared. */
void sdi_pool_gauges(sdi_pool *pool, size_t elsewhere);

#endif
