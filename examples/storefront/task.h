/* task.h - requests that wait without a thread. A task runs on a stack of its own: where it has to wait for the
 * database, its thread goes on with other tasks, and comes back when the answer is there. So a page is written from top
 * to bottom, as if it waited.
 *
 * A loop belongs to one thread, and so do its tasks. What stands on a task's stack may be of any kind, but is small:
 * SHOP_STACK_SIZE for all of it. */
#ifndef SHOP_TASK_H
#define SHOP_TASK_H

#include <stdbool.h>

#include <event2/event.h>
#include <shopdata/shopdata.h>

enum { SHOP_STACK_SIZE = 256 * 1024 };

struct shop_loop;

/* shop_loop_new makes the loop of a thread that dispatches `base`. NULL if that cannot be. */
struct shop_loop *shop_loop_new(struct event_base *base, shopdata_client *client);
/* shop_loop_free: once no task is left. */
void shop_loop_free(struct shop_loop *loop);
/* shop_loop_busy: are there tasks that wait? */
bool shop_loop_busy(const struct shop_loop *loop);

/* shop_task_run runs a function as a task, in the loop's thread; it returns when the task first waits, or is over.
 * False if there is no memory for its stack; then it has not run. */
bool shop_task_run(struct shop_loop *loop, void (*function)(void *argument), void *argument);

/* For tasks. shop_task_queue is where the ops of the running task's loop belong, and shop_task_self their context.
 * shop_task_await waits for an op that was started so, and takes what it brought; `status` is what the start returned,
 * and returned itself if that is an error. shop_task_pause waits for so many milliseconds. shop_task_aside has another
 * thread run what cannot be waited for in any other way, and waits for it. */
shopdata_queue *shop_task_queue(void);
void *shop_task_self(void);
int shop_task_await(int status, shopdata_op *op, shopdata_result **results, shopdata_error **error);
void shop_task_pause(long ms);
void shop_task_aside(void (*function)(void *argument), void *argument);

#endif
