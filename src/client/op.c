#include "client/op.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* -------------------------------------------------------------------------------------------------------- the copy */

static int check_call(const sdi_op_call *call, size_t index, shopdata_error **error_out)
{
    const shopdata_call *one = &call->calls[index];
    shopdata_error *error = NULL;
    int status = sdi_statement_check(one->statement, call->session->client, one->params, one->count, &error);
    if (status != SHOPDATA_OK && call->count > 1)
        sdi_error_prefix(error, "call %zu: ", index);
    sdi_error_move(error_out, error);
    return status;
}

static bool has_bytes(const shopdata_param *param)
{
    return param->kind == SHOPDATA_TEXT || param->kind == SHOPDATA_BYTES;
}

/* What a copy needs room for behind its calls. */
typedef struct room {
    size_t params;
    size_t bytes;
} room;

static int measure(const sdi_op_call *call, room *needed, shopdata_error **error_out)
{
    for (size_t i = 0; i < call->count; i++) {
        const shopdata_call *one = &call->calls[i];
        int status = check_call(call, i, error_out);
        if (status != SHOPDATA_OK)
            return status;
        needed->params += one->count;
        for (size_t k = 0; k < one->count; k++)
            needed->bytes += has_bytes(&one->params[k]) ? one->params[k].value.bytes.length : 0;
    }
    return SHOPDATA_OK;
}

/* Where the next parameter and its bytes go. */
typedef struct cursor {
    shopdata_param *params;
    char *bytes;
} cursor;

static void copy_param(cursor *to, const shopdata_param *param)
{
    *to->params = *param;
    if (has_bytes(param)) {
        to->params->value.bytes.data = to->bytes;
        memcpy(to->bytes, param->value.bytes.data, param->value.bytes.length);
        to->bytes += param->value.bytes.length;
    }
    to->params++;
}

static void copy_calls(shopdata_op *op, const sdi_op_call *call, room needed)
{
    op->results = (shopdata_result **)(op->calls + call->count);
    cursor to = {.params = (shopdata_param *)(op->results + call->count)};
    to.bytes = (char *)(to.params + needed.params);
    op->name = call->name ? memcpy(to.bytes, call->name, strlen(call->name) + 1) : NULL;
    to.bytes += call->name ? strlen(call->name) + 1 : 0;
    for (size_t i = 0; i < call->count; i++) {
        const shopdata_call *one = &call->calls[i];
        op->calls[i] = *one;
        op->calls[i].statement = sdi_statement_retain(one->statement);
        op->calls[i].params = to.params;
        for (size_t k = 0; k < one->count; k++)
            copy_param(&to, &one->params[k]);
    }
}

int sdi_op_new(const sdi_op_call *call, shopdata_op **op_out, shopdata_error **error_out)
{
    room needed = {.bytes = call->name ? strlen(call->name) + 1 : 0};
    int status = measure(call, &needed, error_out);
    if (status != SHOPDATA_OK)
        return status;
    shopdata_op *op = sdi_calloc(1, sizeof *op + call->count * (sizeof *op->calls + sizeof *op->results) +
                                        needed.params * sizeof(shopdata_param) + needed.bytes);
    if (!op)
        return sdi_no_memory(error_out);
    op->client = sdi_client_retain(call->session->client);
    op->generation = op->client->generation;
    op->session = call->session;
    op->queue = sdi_queue_retain(call->queue);
    op->context = call->context;
    op->began = sdi_now();
    op->kind = call->kind;
    op->step = call->step;
    op->isolation = call->isolation;
    op->urgent = sdi_in_transaction(call->session);
    op->count = call->count;
    copy_calls(op, call, needed);
    *op_out = op;
    return SHOPDATA_OK;
}

void sdi_op_destroy(shopdata_op *op)
{
    shopdata_client *client = op->client;
    for (size_t i = 0; i < op->count; i++) {
        shopdata_result_free(op->results[i]);
        sdi_statement_free(op->calls[i].statement);
    }
    shopdata_error_free(op->error);
    sdi_queue_release(op->queue);
    sdi_free(op);
    sdi_client_release(client);
}

/* --------------------------------------------------------------------------------------------------------- the run */

static int is_cancelled(void *context)
{
    shopdata_op *op = context;
    return atomic_load_explicit(&op->cancelled, memory_order_relaxed);
}

static int step(shopdata_op *op)
{
    switch (op->step) {
    case SHOPDATA_STEP_BEGIN:
        return sdi_begin(op->session, op->isolation, &op->error);
    case SHOPDATA_STEP_COMMIT:
        return sdi_commit(op->session, &op->error);
    case SHOPDATA_STEP_ROLLBACK:
        return sdi_rollback(op->session, &op->error);
    case SHOPDATA_STEP_SAVEPOINT:
        return sdi_savepoint(op->session, SDI_SAVEPOINT_SET, op->name, &op->error);
    case SHOPDATA_STEP_ROLLBACK_TO:
        return sdi_savepoint(op->session, SDI_SAVEPOINT_BACK, op->name, &op->error);
    default:
        return sdi_savepoint(op->session, SDI_SAVEPOINT_RELEASE, op->name, &op->error);
    }
}

static int call(shopdata_op *op)
{
    if (op->kind == SDI_OP_STEP)
        return step(op);
    if (op->kind == SDI_OP_WRITE)
        return sdi_write(op->session, op->calls->statement, op->calls->params, op->calls->count, op->results,
                         &op->error);
    return op->count ? sdi_read_many(op->session, op->calls, op->count, op->results, &op->error) : SHOPDATA_OK;
}

void sdi_op_give_up(shopdata_op *op)
{
    sdi_error_clear(&op->error);
    op->status = sdi_fail(&op->error, SHOPDATA_ERR_INTERRUPTED, "the op was cancelled by shopdata_op_cancel");
}

/* The deadline has counted since the start. */
static int out_of_time(shopdata_op *op, int64_t waited_ms)
{
    int status = sdi_fail(&op->error, SHOPDATA_ERR_TIMEOUT,
                          "no worker was free for %lld ms; raise async.threads, or start fewer ops at a time",
                          (long long)waited_ms);
    sdi_error_retriable(op->error);
    return status;
}

void sdi_op_run(shopdata_op *op)
{
    int64_t waited_ms = (sdi_now() - op->began) / 1000;
    if (waited_ms >= op->session->deadline_ms) {
        op->status = out_of_time(op, waited_ms);
        return;
    }
    op->session->waited_ms = waited_ms;
    sdi_interrupt_begin(&(sdi_interrupt){is_cancelled, op});
    op->status = sdi_interrupt_end(call(op), &op->error);
    op->session->waited_ms = 0;
    if (op->status == SHOPDATA_ERR_INTERRUPTED)
        sdi_op_give_up(op);
}

/* ------------------------------------------------------------------------------------------------------------ lists */

void sdi_ops_add(sdi_ops *list, shopdata_op *op)
{
    op->next = NULL;
    op->previous = list->last;
    if (list->last)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
    list->count++;
}

void sdi_ops_remove(sdi_ops *list, shopdata_op *op)
{
    if (op->previous)
        op->previous->next = op->next;
    else
        list->first = op->next;
    if (op->next)
        op->next->previous = op->previous;
    else
        list->last = op->previous;
    list->count--;
}
