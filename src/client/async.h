/* async.h - calls that go on while their caller does something else: an op waits in line, a worker runs it as
 * shopdata_query_many or shopdata_execute would, and its queue tells when it is over.
 *
 * One lock, the front's, guards the line, the queues and where each op is. Whoever still needs an op, or a session that
 * was freed while it was away with one, holds the client; so the last one to let go of it may be a worker. */
#ifndef SDI_CLIENT_ASYNC_H
#define SDI_CLIENT_ASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

typedef struct sdi_metrics sdi_metrics;
typedef struct sdi_async sdi_async;

/* sdi_async_new makes the front of one core, with `threads` workers at most and one more for each of the transactions
 * that can be open, none of which is started yet. NULL without memory. */
sdi_async *sdi_async_new(size_t threads, size_t transactions, sdi_metrics *metrics);
/* sdi_async_free ends the workers; NULL is fine. True if the caller is one of them, who must touch nothing of the core
 * any more when he returns. */
bool sdi_async_free(sdi_async *async);
/* sdi_async_gauges sets SDI_M_OPS_WAITING and _RUNNING. */
void sdi_async_gauges(sdi_async *async);

/* See shopdata_queue_new and the rest. */
int sdi_queue_new(shopdata_client *client, shopdata_queue **queue_out, shopdata_error **error_out);
int sdi_queue_fd(const shopdata_queue *queue);
shopdata_op *sdi_queue_next(shopdata_queue *queue);
void sdi_queue_free(shopdata_queue *queue);
/* sdi_queue_check: NULL is fine; else of this client, and not the parent's after fork. */
int sdi_queue_check(const shopdata_queue *queue, const shopdata_client *client, shopdata_error **error_out);

/* sdi_start takes the op over, in every case but success. */
int sdi_start(shopdata_op *op, shopdata_error **error_out);
/* sdi_op_check: not NULL, and not the parent's after fork. */
int sdi_op_check(const shopdata_op *op, shopdata_error **error_out);
int sdi_op_wait(shopdata_op *op, int64_t wait_ms);
void sdi_op_cancel(shopdata_op *op);
int sdi_op_take(shopdata_op *op, shopdata_result **results_out, shopdata_error **error_out);
void sdi_op_free(shopdata_op *op);

#endif
