#include "handle.h"

#include "errors.h"
#include "interrupt.h"
#include "log.h"

#define KIND(name, free_function, is_exclusive, interrupt_function)                                                    \
    static void end_##name(void *pointer)                                                                              \
    {                                                                                                                  \
        free_function(pointer);                                                                                        \
    }                                                                                                                  \
    const sdb_kind sdb_##name##_kind = {#name, end_##name, is_exclusive, interrupt_function}

/* It fails for no session that is there. */
static int interrupt_session(void *session, shopdata_interrupt_function function, void *context)
{
    return shopdata_session_set_interrupt(session, function, context, NULL);
}

KIND(config, shopdata_config_free, true, NULL);
KIND(client, shopdata_close, false, NULL);
KIND(statement, shopdata_statement_free, false, NULL);
KIND(session, shopdata_session_free, true, interrupt_session);
KIND(metrics, shopdata_metrics_free, true, NULL);
KIND(queue, shopdata_queue_free, false, NULL);

static PyTypeObject handle_type;
static unsigned forks; /* that led to this process, since the module was loaded */

void sdb_after_fork(void)
{
    forks++;
}

PyObject *sdb_handle_new(const sdb_kind *kind, void *pointer)
{
    sdb_handle *handle = PyObject_New(sdb_handle, &handle_type);
    if (!handle) {
        kind->end(pointer);
        return NULL;
    }
    handle->kind = kind;
    handle->pointer = pointer;
    handle->users = 0;
    handle->forks = forks;
    handle->closed = false;
    handle->blocked = NULL;
    atomic_init(&handle->cancelled, false);
    if (kind->interrupt)
        kind->interrupt(pointer, sdb_interrupted, handle);
    return (PyObject *)handle;
}

/* Is somebody in it who did not follow into this process? Then a session is half changed. What threads share goes on:
 * the library sees to that. */
static bool is_stranded(const sdb_handle *handle)
{
    return handle->kind->exclusive && handle->users && handle->forks != forks;
}

/* Who did not follow will not come out of it. */
static void forget_strangers(sdb_handle *handle)
{
    if (handle->forks != forks && !handle->kind->exclusive)
        handle->users = 0;
    handle->forks = forks;
}

static void *refuse(const sdb_handle *handle)
{
    const char *name = handle->kind->name;
    if (handle->closed)
        return sdb_raise_as("Closed", "the %s is closed", name);
    if (is_stranded(handle))
        return sdb_raise_as("Forked", "another thread was using this %s when the process was forked; make one here",
                            name);
    if (handle->blocked)
        return sdb_raise_as("TransactionError", "%U", handle->blocked);
    return sdb_raise_as("ProgrammingError",
                        "the %s is in use by another call: one thread at a time; make a %s for each", name, name);
}

void *sdb_enter(PyObject *object, const sdb_kind *kind)
{
    sdb_handle *handle = (sdb_handle *)object;
    if (!PyObject_TypeCheck(object, &handle_type) || handle->kind != kind)
        return PyErr_Format(PyExc_TypeError, "a %s is wanted, not %s", kind->name, Py_TYPE(object)->tp_name);
    if (handle->closed || handle->blocked || is_stranded(handle) ||
        (kind->exclusive && handle->users && handle->forks == forks))
        return refuse(handle);
    forget_strangers(handle);
    handle->users++;
    return handle->pointer;
}

/* A free that may wait for threads must not hold up those that want to log in Python. */
static void free_pointer(sdb_handle *handle)
{
    void *pointer = handle->pointer;
    handle->pointer = NULL;
    if (!pointer || is_stranded(handle))
        return;
    PyThreadState *others = PyEval_SaveThread();
    handle->kind->end(pointer);
    PyEval_RestoreThread(others);
}

void sdb_leave(PyObject *object)
{
    sdb_handle *handle = (sdb_handle *)object;
    if (--handle->users == 0 && handle->closed)
        free_pointer(handle);
}

PyObject *sdb_close(PyObject *object)
{
    sdb_handle *handle = (sdb_handle *)object;
    if (!handle->closed && handle->kind->exclusive && handle->users && !is_stranded(handle))
        return refuse(handle);
    handle->closed = true;
    if (!is_stranded(handle))
        forget_strangers(handle);
    if (handle->users == 0 || is_stranded(handle))
        free_pointer(handle);
    return sdb_log_drain() ? NULL : Py_NewRef(Py_None);
}

/* Nobody is in it: whoever is holds a reference. No Python code runs here, for it may happen anywhere, within a logging
 * handler too: what the library has to say of the end is handed over with the next call. */
static void dealloc(PyObject *object)
{
    free_pointer((sdb_handle *)object);
    Py_CLEAR(((sdb_handle *)object)->blocked);
    PyObject_Free(object);
}

static PyObject *close_method(PyObject *object, PyObject *unused)
{
    (void)unused;
    return sdb_close(object);
}

/* cancel(true) ends calls that wait, until cancel(false). */
static PyObject *cancel_method(PyObject *object, PyObject *cancelled)
{
    atomic_store_explicit(&((sdb_handle *)object)->cancelled, cancelled == Py_True, memory_order_relaxed);
    Py_RETURN_NONE;
}

/* block(text) refuses calls, with TransactionError and this text, until block(None). */
static PyObject *block_method(PyObject *object, PyObject *reason)
{
    if (reason != Py_None && !PyUnicode_Check(reason))
        return PyErr_Format(PyExc_TypeError, "a str or None is wanted");
    Py_XSETREF(((sdb_handle *)object)->blocked, reason == Py_None ? NULL : Py_NewRef(reason));
    Py_RETURN_NONE;
}

static PyObject *get_closed(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((sdb_handle *)object)->closed);
}

static PyMethodDef methods[] = {{"close", close_method, METH_NOARGS, NULL},
                                {"cancel", cancel_method, METH_O, NULL},
                                {"block", block_method, METH_O, NULL},
                                {NULL, NULL, 0, NULL}};
static PyGetSetDef getters[] = {{"closed", get_closed, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};

static PyTypeObject handle_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shopdata._native.Handle",
    .tp_basicsize = sizeof(sdb_handle),
    .tp_dealloc = dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = methods,
    .tp_getset = getters,
};

int sdb_handle_ready(PyObject *module)
{
    if (PyType_Ready(&handle_type))
        return -1;
    return PyModule_AddObjectRef(module, "Handle", (PyObject *)&handle_type);
}
