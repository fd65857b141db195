#include "client/async.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "client/op.h"
#include "client/peek.h"

/* Of this worker: the front went away with the op that it ran. */
static _Thread_local bool dismissed;

typedef struct worker {
    sdi_async *async;
    pthread_t thread;
} worker;

struct sdi_async {
    sdi_metrics *metrics;
    sdi_mutex lock;      /* guards what follows, and what op.h says */
    sdi_condition work;  /* an op waits, or all is to stop */
    sdi_condition ended; /* an op is over */
    sdi_ops urgent;      /* that wait for a worker: those of transactions */
    sdi_ops line;        /* the others */
    size_t running;      /* all */
    size_t ordinary;     /* of them the others, which are `threads` at most */
    size_t watched;      /* callers who wait for `ended` */
    bool stopping;
    size_t idle;
    size_t threads;
    size_t count, limit; /* one more for each transaction that there can be */
    worker workers[];
};

sdi_async *sdi_async_new(size_t threads, size_t transactions, sdi_metrics *metrics)
{
    size_t limit = threads + transactions;
    sdi_async *async = sdi_calloc(1, sizeof *async + limit * sizeof *async->workers);
    if (!async)
        return NULL;
    async->metrics = metrics;
    async->threads = threads;
    async->limit = limit;
    sdi_mutex_init(&async->lock);
    sdi_condition_init(&async->work);
    sdi_condition_init(&async->ended);
    return async;
}

sdi_mutex *sdi_async_lock(sdi_async *async)
{
    return &async->lock;
}

void sdi_async_gauges(sdi_async *async)
{
    sdi_lock(&async->lock);
    sdi_gauge(async->metrics, SDI_M_OPS_WAITING, 0, (double)(async->line.count + async->urgent.count));
    sdi_gauge(async->metrics, SDI_M_OPS_RUNNING, 0, (double)async->running);
    sdi_unlock(&async->lock);
}

/* ----------------------------------------------------------------------------------------------------- to their end */

static sdi_ops *line_of(sdi_async *async, const shopdata_op *op)
{
    return op->urgent ? &async->urgent : &async->line;
}

/* Out of the line: whoever does this ends it. With the lock. */
static void claim(sdi_async *async, shopdata_op *op)
{
    sdi_ops_remove(line_of(async, op), op);
    op->state = SDI_OP_RUNNING;
}

/* From the moment on that the lock is given back, who started the op may free it and all that it was made of. */
static void end(sdi_async *async, shopdata_op *op, bool by_worker)
{
    shopdata_session *session = op->session;
    if (op->status < 0)
        sdi_count_error(async->metrics, op->status);
    sdi_lock(&async->lock);
    async->running -= by_worker;
    async->ordinary -= by_worker && !op->urgent;
    op->state = SDI_OP_OVER;
    op->session = NULL;
    bool orphaned = sdi_session_come_back(session), freed = op->freed;
    if (!freed)
        sdi_queue_add(op->queue, op);
    if (async->watched)
        sdi_wake_all(&async->ended);
    sdi_unlock(&async->lock);
    if (orphaned)
        sdi_session_destroy(session);
    if (freed)
        sdi_op_destroy(op);
}

/* --------------------------------------------------------------------------------------------------------- workers */

/* All that is not urgent may be waiting for the locks of transactions, which therefore go on in any case. */
static shopdata_op *next(const sdi_async *async)
{
    if (async->urgent.first)
        return async->urgent.first;
    return async->ordinary < async->threads ? async->line.first : NULL;
}

static shopdata_op *await_op(sdi_async *async)
{
    shopdata_op *op;
    sdi_lock(&async->lock);
    async->idle++;
    while (!(op = next(async)) && !async->stopping)
        sdi_wait(&async->work, &async->lock, SDI_NEVER);
    async->idle--;
    if (op) {
        claim(async, op);
        async->running++;
        async->ordinary += !op->urgent;
    }
    sdi_unlock(&async->lock);
    return op;
}

static void *work(void *argument)
{
    worker *self = argument;
    sdi_async *async = self->async;
    shopdata_op *op;
    while (!dismissed && (op = await_op(async))) {
        sdi_op_run(op);
        end(async, op, true);
    }
    return NULL;
}

/* How many ops could be taken at once. */
static size_t takeable(const sdi_async *async)
{
    size_t room = async->threads - async->ordinary;
    return async->urgent.count + (async->line.count < room ? async->line.count : room);
}

/* With the lock. False: there is no worker, and none can be had. */
static bool staff(sdi_async *async)
{
    if (takeable(async) > async->idle && async->count < async->limit) {
        worker *next = &async->workers[async->count];
        next->async = async;
        async->count += sdi_thread_start(&next->thread, 0, work, next);
    }
    sdi_wake_one(&async->work);
    return async->count > 0;
}

/* The client lets go of its core when nobody holds it, so no op is there any more; a worker whose op was the last to
 * hold it ends by itself. */
static bool dismiss(worker *one)
{
    if (!pthread_equal(one->thread, pthread_self())) {
        pthread_join(one->thread, NULL);
        return false;
    }
    pthread_detach(one->thread);
    dismissed = true;
    return true;
}

bool sdi_async_free(sdi_async *async)
{
    bool by_worker = false;
    if (!async)
        return false;
    sdi_lock(&async->lock);
    async->stopping = true;
    sdi_wake_all(&async->work);
    sdi_unlock(&async->lock);
    for (size_t i = 0; i < async->count; i++)
        by_worker |= dismiss(&async->workers[i]);
    sdi_condition_destroy(&async->work);
    sdi_condition_destroy(&async->ended);
    sdi_mutex_destroy(&async->lock);
    sdi_free(async);
    return by_worker;
}

/* ------------------------------------------------------------------------------------------------------------- ops */

static sdi_async *front_of(const shopdata_op *op)
{
    return op->client->core->async;
}

/* What this process keeps needs no worker. */
static bool is_over(shopdata_op *op)
{
    if (op->kind != SDI_OP_READS || op->count == 0 || !sdi_local_hits(op->session, op->calls, op->count, op->results))
        return false;
    op->state = SDI_OP_OVER;
    op->session = NULL;
    return true;
}

int sdi_start(shopdata_op *op, shopdata_error **error_out)
{
    sdi_async *async = front_of(op);
    if (is_over(op)) {
        sdi_count(async->metrics, SDI_M_OPS, 0, 1);
        return SHOPDATA_OK;
    }
    sdi_session_go(op->session);
    sdi_lock(&async->lock);
    sdi_ops_add(line_of(async, op), op);
    bool staffed = staff(async);
    if (!staffed)
        sdi_ops_remove(line_of(async, op), op);
    sdi_count(async->metrics, SDI_M_OPS, 0, staffed);
    sdi_unlock(&async->lock);
    if (staffed)
        return SHOPDATA_PENDING;
    sdi_session_come_back(op->session);
    sdi_op_destroy(op);
    return sdi_fail(error_out, SHOPDATA_ERR_NO_MEMORY, "no thread to run an op: the system's limit is reached");
}

static bool is_parents(const shopdata_op *op)
{
    return sdi_client_check(op->client, NULL) != SHOPDATA_OK || op->generation != op->client->generation;
}

int sdi_op_check(const shopdata_op *op, shopdata_error **error_out)
{
    if (!op)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the op is NULL; start one with shopdata_start");
    if (is_parents(op))
        return sdi_fail(error_out, SHOPDATA_ERR_FORKED, "the op was started before fork(), and is the parent's");
    return SHOPDATA_OK;
}

int sdi_op_wait(shopdata_op *op, int64_t wait_ms)
{
    sdi_async *async = front_of(op);
    int64_t deadline = sdi_deadline_in(wait_ms);
    sdi_lock(&async->lock);
    async->watched++;
    while (op->state != SDI_OP_OVER && sdi_wait(&async->ended, &async->lock, deadline))
        continue;
    async->watched--;
    bool over = op->state == SDI_OP_OVER;
    sdi_unlock(&async->lock);
    return over ? SHOPDATA_OK : SHOPDATA_PENDING;
}

/* Says stop, and takes it out of the line if no worker has it: true then, and the caller has to end it. With the lock.
 */
static bool stop(sdi_async *async, shopdata_op *op)
{
    bool waits = op->state == SDI_OP_WAITING;
    atomic_store_explicit(&op->cancelled, true, memory_order_relaxed);
    if (waits)
        claim(async, op);
    return waits;
}

void sdi_op_cancel(shopdata_op *op)
{
    sdi_async *async = front_of(op);
    sdi_lock(&async->lock);
    bool ours = stop(async, op);
    sdi_unlock(&async->lock);
    if (!ours)
        return;
    sdi_op_give_up(op);
    end(async, op, false);
}

/* Hands out what came of it. Its error goes to whoever wants it; the status is told again without one. */
static int take(shopdata_op *op, shopdata_result **results_out, shopdata_error **error_out)
{
    for (size_t i = 0; results_out && op->status >= SHOPDATA_OK && i < op->count; i++) {
        results_out[i] = op->results[i];
        op->results[i] = NULL;
    }
    sdi_error_move(error_out, op->error);
    op->error = NULL;
    return op->status;
}

int sdi_op_take(shopdata_op *op, shopdata_result **results_out, shopdata_error **error_out)
{
    sdi_async *async = front_of(op);
    sdi_lock(&async->lock);
    bool over = op->state == SDI_OP_OVER, again = op->taken;
    op->taken |= over;
    sdi_queue_remove(op->queue, op);
    sdi_unlock(&async->lock);
    if (again)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the op was taken already: what it brought is gone");
    return over ? take(op, results_out, error_out) : SHOPDATA_PENDING;
}

/* In a child: nobody runs it here, and what the parent's worker was just writing is left behind. */
static void leave(shopdata_op *op)
{
    bool over = op->state == SDI_OP_OVER;
    op->error = over ? op->error : NULL;
    for (size_t i = 0; i < op->count && !over; i++)
        op->results[i] = NULL;
    sdi_op_destroy(op);
}

void sdi_op_free(shopdata_op *op)
{
    if (!op)
        return;
    if (is_parents(op)) {
        leave(op);
        return;
    }
    sdi_async *async = front_of(op);
    sdi_lock(&async->lock);
    bool over = op->state == SDI_OP_OVER;
    bool ours = stop(async, op);
    op->freed = true;
    sdi_queue_remove(op->queue, op);
    sdi_unlock(&async->lock);
    if (over)
        sdi_op_destroy(op);
    else if (ours)
        end(async, op, false);
}
