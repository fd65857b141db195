#include "task.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { SPARE_MAX = 64 };

struct task {
    struct shop_loop *loop;
    void (*function)(void *argument);
    void *argument;
    void *stack; /* below it a page that nobody may touch: who needs more stack shall end, and not write elsewhere */
    bool over;
    ucontext_t context; /* where it waits */
    struct task *next;  /* of the spare ones */
};

struct shop_loop {
    struct event_base *base;
    shopdata_queue *queue;
    struct event *ready; /* an op of the queue is over */
    ucontext_t context;  /* where it waits for the running task to wait */
    struct task *spare;  /* with their stacks */
    int spares;
    int waiting; /* tasks */
};

static _Thread_local struct task *running;

/* ----------------------------------------------------------------------------------------------------------- tasks */

static size_t guard_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static struct task *new_task(struct shop_loop *loop)
{
    struct task *task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->loop = loop;
    task->stack = mmap(NULL, SHOP_STACK_SIZE + guard_size(), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (task->stack != MAP_FAILED && mprotect(task->stack, guard_size(), PROT_NONE) == 0)
        return task;
    if (task->stack != MAP_FAILED)
        munmap(task->stack, SHOP_STACK_SIZE + guard_size());
    free(task);
    return NULL;
}

static struct task *take_task(struct shop_loop *loop)
{
    struct task *task = loop->spare;
    if (!task)
        return new_task(loop);
    loop->spare = task->next;
    loop->spares--;
    return task;
}

static void free_task(struct task *task)
{
    munmap(task->stack, SHOP_STACK_SIZE + guard_size());
    free(task);
}

static void give_back(struct task *task)
{
    struct shop_loop *loop = task->loop;
    if (loop->spares == SPARE_MAX) {
        free_task(task);
        return;
    }
    task->next = loop->spare;
    loop->spare = task;
    loop->spares++;
}

/* Where a task begins; when it returns its thread is back in the loop (uc_link). */
static void begin(void)
{
    struct task *self = running;
    self->function(self->argument);
    self->over = true;
}

static void resume(struct task *task)
{
    running = task;
    swapcontext(&task->loop->context, &task->context);
    running = NULL;
    if (task->over)
        give_back(task);
}

/* Until somebody resumes it. */
static void wait_here(void)
{
    struct task *self = running;
    self->loop->waiting++;
    swapcontext(&self->context, &self->loop->context);
    self->loop->waiting--;
}

/* By itself: getcontext counts as a function that returns twice, and gcc -O3 fears for the locals of whoever calls it.
 */
static __attribute__((noinline)) void prepare(struct task *task)
{
    getcontext(&task->context);
    task->context.uc_stack.ss_sp = (char *)task->stack + guard_size();
    task->context.uc_stack.ss_size = SHOP_STACK_SIZE;
    task->context.uc_link = &task->loop->context;
    makecontext(&task->context, begin, 0);
}

bool shop_task_run(struct shop_loop *loop, void (*function)(void *argument), void *argument)
{
    struct task *task = take_task(loop);
    if (!task)
        return false;
    task->function = function;
    task->argument = argument;
    task->over = false;
    prepare(task);
    resume(task);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- what it
 * awaits */

shopdata_queue *shop_task_queue(void)
{
    return running->loop->queue;
}

void *shop_task_self(void)
{
    return running;
}

int shop_task_await(int status, shopdata_op *op, shopdata_result **results, shopdata_error **error)
{
    if (status < 0)
        return status;
    if (status == SHOPDATA_PENDING)
        wait_here();
    status = shopdata_op_take(op, results, error);
    shopdata_op_free(op);
    return status;
}

static void is_time(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    resume(argument);
}

void shop_task_pause(long ms)
{
    struct timeval pause = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (event_base_once(running->loop->base, -1, EV_TIMEOUT, is_time, running, &pause) == 0)
        wait_here();
}

struct errand {
    void (*function)(void *argument);
    void *argument;
    struct event *back;
};

static void *run_errand(void *argument)
{
    struct errand *errand = argument;
    errand->function(errand->argument);
    event_active(errand->back, EV_TIMEOUT, 0);
    return NULL;
}

/* Where there is no thread it is done here, and the others wait. */
void shop_task_aside(void (*function)(void *argument), void *argument)
{
    pthread_t thread;
    struct errand errand = {function, argument, event_new(running->loop->base, -1, 0, is_time, running)};
    if (errand.back && pthread_create(&thread, NULL, run_errand, &errand) == 0) {
        wait_here();
        pthread_join(thread, NULL);
    } else {
        function(argument);
    }
    if (errand.back)
        event_free(errand.back);
}

/* ------------------------------------------------------------------------------------------------------------ loops */

static void hand_out(evutil_socket_t fd, short what, void *argument)
{
    struct shop_loop *loop = argument;
    shopdata_op *op;
    (void)fd, (void)what;
    while ((op = shopdata_queue_next(loop->queue)))
        resume(shopdata_op_context(op));
}

static bool listen_to(struct shop_loop *loop, struct event_base *base, shopdata_client *client)
{
    loop->base = base;
    if (shopdata_queue_new(client, &loop->queue, NULL) != SHOPDATA_OK)
        return false;
    loop->ready = event_new(base, shopdata_queue_fd(loop->queue), EV_READ | EV_PERSIST, hand_out, loop);
    return loop->ready && event_add(loop->ready, NULL) == 0;
}

struct shop_loop *shop_loop_new(struct event_base *base, shopdata_client *client)
{
    struct shop_loop *loop = calloc(1, sizeof *loop);
    if (!loop || listen_to(loop, base, client))
        return loop;
    shop_loop_free(loop);
    return NULL;
}

void shop_loop_free(struct shop_loop *loop)
{
    if (!loop)
        return;
    while (loop->spare) {
        struct task *task = loop->spare;
        loop->spare = task->next;
        free_task(task);
    }
    if (loop->ready)
        event_free(loop->ready);
    shopdata_queue_free(loop->queue);
    free(loop);
}

bool shop_loop_busy(const struct shop_loop *loop)
{
    return loop->waiting > 0;
}
