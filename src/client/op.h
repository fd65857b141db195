/* op.h - what an op is made of: a copy of the call, so that the caller's may go, and what came of it. */
#ifndef SDI_CLIENT_OP_H
#define SDI_CLIENT_OP_H

#include <stdatomic.h>

#include "client/session.h"

enum sdi_op_kind { SDI_OP_READS, SDI_OP_WRITE, SDI_OP_STEP };
enum sdi_op_state { SDI_OP_WAITING, SDI_OP_RUNNING, SDI_OP_OVER };

/* In one block of memory with its calls, their parameters and the room for the results. */
struct shopdata_op {
    shopdata_client *client;
    unsigned generation;       /* of the client when it was started: after fork it is the parent's */
    shopdata_session *session; /* until it is over */
    shopdata_queue *queue;     /* NULL: nobody is told of it */
    void *context;
    int64_t began;
    enum sdi_op_kind kind;
    int step; /* with `isolation` and `name`: see shopdata_start_step */
    unsigned isolation;
    const char *name;
    bool urgent; /* its session is in a transaction, for whose locks others may wait */
    atomic_bool cancelled;

    enum sdi_op_state state; /* with all that follows up to `status` guarded by the front's lock */
    bool ready;              /* it is in its queue */
    bool freed;              /* nobody waits for it any more: whoever ends it frees it */
    bool taken;
    shopdata_op *next, *previous; /* in the line or in its queue */

    int status; /* from here on: of who runs it, then of who takes it */
    shopdata_error *error;
    shopdata_result **results;
    size_t count;
    shopdata_call calls[];
};

/* What an op is made of; a write is one call, a step none. */
typedef struct sdi_op_call {
    shopdata_session *session;
    shopdata_queue *queue;
    const shopdata_call *calls;
    size_t count;
    enum sdi_op_kind kind;
    int step;
    unsigned isolation;
    const char *name;
    void *context;
} sdi_op_call;

/* sdi_op_new checks and copies a call. */
int sdi_op_new(const sdi_op_call *call, shopdata_op **op_out, shopdata_error **error_out);
/* sdi_op_run runs it in this thread, to the end: its status and results are there then. */
void sdi_op_run(shopdata_op *op);
/* sdi_op_give_up: it was cancelled before it ran. */
void sdi_op_give_up(shopdata_op *op);
/* sdi_op_destroy frees it, and what was not taken of it; it may have been the last to hold the client. */
void sdi_op_destroy(shopdata_op *op);

/* A list of ops, first come first. */
typedef struct sdi_ops {
    shopdata_op *first, *last;
    size_t count;
} sdi_ops;

void sdi_ops_add(sdi_ops *list, shopdata_op *op);
void sdi_ops_remove(sdi_ops *list, shopdata_op *op);

/* ---------------------------------------------------------------------------------------------------------- queues */

struct shopdata_queue {
    atomic_uint references; /* the caller's, and one of each op */
    shopdata_client *client;
    unsigned generation; /* as an op's */
    int fd;              /* an eventfd; guarded by the front's lock, as `ready`; -1: freed by the caller */
    sdi_ops ready;
};

shopdata_queue *sdi_queue_retain(shopdata_queue *queue); /* NULL is fine, here and below */
void sdi_queue_release(shopdata_queue *queue);
/* sdi_queue_add tells of an op, sdi_queue_remove takes one out; with the front's lock. */
void sdi_queue_add(shopdata_queue *queue, shopdata_op *op);
void sdi_queue_remove(shopdata_queue *queue, shopdata_op *op);
/* sdi_async_lock is the front's lock. */
sdi_mutex *sdi_async_lock(sdi_async *async);

#endif
