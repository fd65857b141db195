#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
    struct line *next;
    int level;
    char text[];
} line;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list; held for a few instructions */
static line *first, **last = &first;
static atomic_bool waiting;
static PyObject *receiver;

/* Without memory for it a line is lost, not the call that it came in. */
static void take(void *context, int level, const char *text)
{
    size_t size = strlen(text) + 1;
    line *taken = malloc(sizeof *taken + size);
    (void)context;
    if (!taken)
        return;
    taken->next = NULL;
    taken->level = level;
    memcpy(taken->text, text, size);
    pthread_mutex_lock(&lock);
    *last = taken;
    last = &taken->next;
    atomic_store(&waiting, true);
    pthread_mutex_unlock(&lock);
}

int sdb_log_of(shopdata_config *config, shopdata_error **error_out)
{
    return shopdata_config_set_log(config, take, NULL, error_out);
}

static line *take_all(void)
{
    pthread_mutex_lock(&lock);
    line *all = first;
    first = NULL;
    last = &first;
    atomic_store(&waiting, false);
    pthread_mutex_unlock(&lock);
    return all;
}

void sdb_log_to(PyObject *function)
{
    Py_XSETREF(receiver, Py_XNewRef(function));
}

/* A faulty handler is told of, and fails no call; whoever wants the program to end (KeyboardInterrupt) does. */
static void hand_over(const line *one)
{
    PyObject *done = receiver ? PyObject_CallFunction(receiver, "is", one->level, one->text) : Py_NewRef(Py_None);
    Py_XDECREF(done);
    if (!done && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_WriteUnraisable(receiver);
}

static int drain(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (Py_IsFinalizing()) /* logging may be gone already */
        sdb_log_to(NULL);
    for (line *one = take_all(), *next; one; one = next) {
        next = one->next;
        if (!PyErr_Occurred())
            hand_over(one);
        free(one);
    }
    int raised = PyErr_Occurred() ? -1 : 0;
    if (type)
        PyErr_Restore(type, value, traceback);
    return raised;
}

int sdb_log_drain(void)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed) ? drain() : 0;
}

void sdb_log_after_fork(void)
{
    pthread_mutex_init(&lock, NULL);
    first = NULL;
    last = &first;
    atomic_store(&waiting, false);
}
