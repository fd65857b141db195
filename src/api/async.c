#include "api/guard.h"
#include "client/op.h"

int shopdata_queue_new(shopdata_client *client, shopdata_queue **queue_out, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    status = status ? status : sdi_wanted(queue_out, "queue_out", error_out);
    return status ? status : sdi_queue_new(client, queue_out, error_out);
}

int shopdata_queue_fd(const shopdata_queue *queue)
{
    return queue ? sdi_queue_fd(queue) : -1;
}

shopdata_op *shopdata_queue_next(shopdata_queue *queue)
{
    if (!queue)
        return NULL;
    shopdata_op *op = sdi_queue_next(queue);
    sdi_client_deliver(queue->client);
    return op;
}

void shopdata_queue_free(shopdata_queue *queue)
{
    sdi_queue_free(queue);
}

static int start(const sdi_op_call *call, shopdata_op **op_out, shopdata_error **error_out)
{
    shopdata_op *op;
    int status = sdi_wanted(op_out, "op_out", error_out);
    status = status ? status : sdi_queue_check(call->queue, call->session->client, error_out);
    status = status ? status : sdi_check_calls(call->calls, call->count, error_out);
    status = status ? status : sdi_op_new(call, &op, error_out);
    status = status ? status : sdi_start(op, error_out);
    if (status >= SHOPDATA_OK)
        *op_out = op;
    return sdi_counted_status(call->session->client, status);
}

int shopdata_start(shopdata_session *session, shopdata_queue *queue, const shopdata_call *calls, size_t count,
                   void *context, shopdata_op **op_out, shopdata_error **error_out)
{
    int status = sdi_session_check(session, error_out);
    sdi_op_call call = {.session = session, .queue = queue, .calls = calls, .count = count, .context = context};
    return status ? status : start(&call, op_out, error_out);
}

int shopdata_start_execute(shopdata_session *session, shopdata_queue *queue, shopdata_statement *statement,
                           const shopdata_param *params, size_t count, void *context, shopdata_op **op_out,
                           shopdata_error **error_out)
{
    int status = sdi_session_check(session, error_out);
    shopdata_call write = {.statement = statement, .params = params, .count = count};
    sdi_op_call call = {
        .session = session, .queue = queue, .calls = &write, .count = 1, .kind = SDI_OP_WRITE, .context = context};
    return status ? status : start(&call, op_out, error_out);
}

static int check_step(int step, const char *name, shopdata_error **error_out)
{
    if (step < SHOPDATA_STEP_BEGIN || step > SHOPDATA_STEP_RELEASE)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "no step %d; there are SHOPDATA_STEP_BEGIN and five more",
                        step);
    return step < SHOPDATA_STEP_SAVEPOINT ? SHOPDATA_OK : sdi_wanted(name, "name", error_out);
}

int shopdata_start_step(shopdata_session *session, shopdata_queue *queue, int step, unsigned isolation,
                        const char *name, void *context, shopdata_op **op_out, shopdata_error **error_out)
{
    int status = sdi_session_check(session, error_out);
    status = status ? status : check_step(step, name, error_out);
    sdi_op_call call = {.session = session,
                        .queue = queue,
                        .kind = SDI_OP_STEP,
                        .step = step,
                        .isolation = isolation,
                        .name = name,
                        .context = context};
    return status ? status : start(&call, op_out, error_out);
}

int shopdata_op_wait(shopdata_op *op, int64_t wait_ms, shopdata_error **error_out)
{
    int status = sdi_op_check(op, error_out);
    status = status ? status : sdi_check_wait(wait_ms, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_op_wait(op, wait_ms);
    sdi_client_deliver(op->client);
    return status;
}

int shopdata_op_cancel(shopdata_op *op, shopdata_error **error_out)
{
    int status = sdi_op_check(op, error_out);
    if (status == SHOPDATA_OK)
        sdi_op_cancel(op);
    return status;
}

int shopdata_op_take(shopdata_op *op, shopdata_result **results_out, shopdata_error **error_out)
{
    int status = sdi_op_check(op, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_op_take(op, results_out, error_out);
    sdi_client_deliver(op->client);
    return status;
}

void *shopdata_op_context(const shopdata_op *op)
{
    return op ? op->context : NULL;
}

void shopdata_op_free(shopdata_op *op)
{
    sdi_op_free(op);
}
