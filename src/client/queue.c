/* queue.c - where ops that are over wait for whoever started them. The descriptor is touched only when the first op
 * comes and when the last one goes, so many that end together cost one system call. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "client/async.h"
#include "client/op.h"

static bool is_parents(const shopdata_queue *queue)
{
    return sdi_client_check(queue->client, NULL) != SHOPDATA_OK || queue->generation != queue->client->generation;
}

int sdi_queue_new(shopdata_client *client, shopdata_queue **queue_out, shopdata_error **error_out)
{
    shopdata_queue *queue = sdi_calloc(1, sizeof *queue);
    if (!queue)
        return sdi_no_memory(error_out);
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0) {
        sdi_free(queue);
        return sdi_fail(error_out, SHOPDATA_ERR_NO_MEMORY, "no descriptor for a queue: the limit is reached");
    }
    atomic_init(&queue->references, 1);
    queue->client = sdi_client_retain(client);
    queue->generation = client->generation;
    *queue_out = queue;
    return SHOPDATA_OK;
}

int sdi_queue_check(const shopdata_queue *queue, const shopdata_client *client, shopdata_error **error_out)
{
    if (queue && queue->client != client)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the queue was made of another client than the session");
    if (queue && is_parents(queue))
        return sdi_fail(error_out, SHOPDATA_ERR_FORKED,
                        "the queue was made before fork() and is the parent's; make another one here");
    return SHOPDATA_OK;
}

int sdi_queue_fd(const shopdata_queue *queue)
{
    return queue->fd;
}

shopdata_queue *sdi_queue_retain(shopdata_queue *queue)
{
    if (queue)
        atomic_fetch_add_explicit(&queue->references, 1, memory_order_relaxed);
    return queue;
}

void sdi_queue_release(shopdata_queue *queue)
{
    if (!queue || atomic_fetch_sub_explicit(&queue->references, 1, memory_order_acq_rel) != 1)
        return;
    sdi_client_release(queue->client);
    sdi_free(queue);
}

static void make_readable(const shopdata_queue *queue)
{
    while (eventfd_write(queue->fd, 1) < 0 && errno == EINTR)
        continue;
}

static void make_unreadable(const shopdata_queue *queue)
{
    eventfd_t value;
    while (eventfd_read(queue->fd, &value) < 0 && errno == EINTR)
        continue;
}

void sdi_queue_add(shopdata_queue *queue, shopdata_op *op)
{
    if (!queue || queue->fd < 0)
        return;
    op->ready = true;
    sdi_ops_add(&queue->ready, op);
    if (queue->ready.count == 1)
        make_readable(queue);
}

void sdi_queue_remove(shopdata_queue *queue, shopdata_op *op)
{
    if (!op->ready)
        return;
    op->ready = false;
    sdi_ops_remove(&queue->ready, op);
    if (queue->ready.count == 0)
        make_unreadable(queue);
}

shopdata_op *sdi_queue_next(shopdata_queue *queue)
{
    if (is_parents(queue))
        return NULL;
    sdi_mutex *lock = sdi_async_lock(queue->client->core->async);
    sdi_lock(lock);
    shopdata_op *op = queue->ready.first;
    if (op)
        sdi_queue_remove(queue, op);
    sdi_unlock(lock);
    return op;
}

/* Of the parent's only the copy of the descriptor is this process's. */
void sdi_queue_free(shopdata_queue *queue)
{
    if (!queue)
        return;
    sdi_mutex *lock = is_parents(queue) ? NULL : sdi_async_lock(queue->client->core->async);
    if (lock)
        sdi_lock(lock);
    while (lock && queue->ready.first)
        sdi_queue_remove(queue, queue->ready.first);
    close(queue->fd);
    queue->fd = -1;
    if (lock)
        sdi_unlock(lock);
    sdi_queue_release(queue);
}
