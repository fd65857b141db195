#include "op.h"

#include "answer.h"
#include "errors.h"
#include "handle.h"
#include "log.h"
#include "many.h"

/* The library keeps the statements and the parameters by itself; the session it is in, as a call would be. Its context
 * is the object itself, which is not held for that: whoever frees the object frees the op before, and both have the
 * GIL. */
typedef struct op {
    PyObject_HEAD shopdata_op *pointer; /* NULL: taken */
    PyObject *session_object;
    PyObject *future; /* of whoever awaits it */
    enum brings { AN_ANSWER, ANSWERS, WHETHER_FENCED } brings;
    size_t count;
} op;

static PyTypeObject op_type;

static op *new_op(PyObject *session_object, enum brings brings, size_t count, PyObject *future)
{
    op *self = PyObject_GC_New(op, &op_type);
    if (!self)
        return NULL;
    self->pointer = NULL;
    self->session_object = Py_NewRef(session_object);
    self->future = Py_NewRef(future);
    self->brings = brings;
    self->count = count;
    PyObject_GC_Track(self);
    return self;
}

static int start(op *self, const sdb_batch *batch, shopdata_queue *queue, bool write, shopdata_error **error)
{
    const shopdata_call *call = batch->calls;
    return write ? shopdata_start_execute(batch->session, queue, call->statement, call->params, call->count, self,
                                          &self->pointer, error)
                 : shopdata_start(batch->session, queue, call, batch->count, self, &self->pointer, error);
}

/* With the batch begun. The session stays entered while the op is there. */
static PyObject *start_op(sdb_batch *batch, PyObject *queue_object, PyObject *kind, PyObject *future)
{
    shopdata_error *error = NULL;
    bool write = PyUnicode_CompareWithASCIIString(kind, "write") == 0;
    bool many = PyUnicode_CompareWithASCIIString(kind, "many") == 0;
    op *self = new_op(batch->session_object, many ? ANSWERS : AN_ANSWER, batch->count, future);
    shopdata_queue *queue = self ? sdb_enter(queue_object, &sdb_queue_kind) : NULL;
    if (!queue) {
        Py_XDECREF(self);
        return NULL;
    }
    int status = start(self, batch, queue, write, &error);
    sdb_leave(queue_object);
    if (status >= 0) {
        batch->session = NULL;
        return (PyObject *)self;
    }
    Py_DECREF(self);
    if (status == SHOPDATA_ERR_ARGUMENT && sdb_batch_wrong(batch))
        sdb_raise_parameters(error);
    else
        sdb_raise_status(status, error);
    return NULL;
}

PyObject *sdb_start(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 5 || !PyList_Check(arguments[2]) || !PyUnicode_Check(arguments[3]))
        return PyErr_Format(PyExc_TypeError, "session, queue, a list of calls, kind and future are wanted");
    sdb_batch batch = {.session_object = arguments[0], .calls_object = arguments[2]};
    PyObject *started = NULL;
    if (sdb_batch_begin(&batch) == 0)
        started = start_op(&batch, arguments[1], arguments[3], arguments[4]);
    sdb_batch_end(&batch);
    if (sdb_log_drain())
        Py_CLEAR(started);
    return started;
}

typedef struct step {
    int what;
    unsigned isolation;
    const char *name; /* NULL: it wants none */
} step;

static int read_step(PyObject *const *arguments, Py_ssize_t count, step *step_out)
{
    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "session, queue, step, isolation, name and future are wanted");
        return -1;
    }
    step_out->what = (int)PyLong_AsLong(arguments[2]);
    step_out->isolation = (unsigned)PyLong_AsLong(arguments[3]);
    step_out->name = arguments[4] == Py_None ? NULL : PyUnicode_AsUTF8(arguments[4]);
    return PyErr_Occurred() ? -1 : 0;
}

/* With the session entered, which it stays while the op is there. */
static PyObject *start_step(shopdata_session *session, PyObject *const *arguments, const step *wanted)
{
    shopdata_error *error = NULL;
    op *self = new_op(arguments[0], WHETHER_FENCED, 0, arguments[5]);
    shopdata_queue *queue = self ? sdb_enter(arguments[1], &sdb_queue_kind) : NULL;
    if (!queue) {
        Py_XDECREF(self);
        return NULL;
    }
    int status = shopdata_start_step(session, queue, wanted->what, wanted->isolation, wanted->name, self,
                                     &self->pointer, &error);
    sdb_leave(arguments[1]);
    if (status >= 0)
        return (PyObject *)self;
    Py_DECREF(self);
    sdb_raise_status(status, error);
    return NULL;
}

PyObject *sdb_start_step(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    step wanted;
    shopdata_session *session =
        read_step(arguments, count, &wanted) ? NULL : sdb_enter(arguments[0], &sdb_session_kind);
    if (!session)
        return NULL;
    PyObject *started = start_step(session, arguments, &wanted);
    if (!started)
        sdb_leave(arguments[0]);
    if (sdb_log_drain())
        Py_CLEAR(started);
    return started;
}

/* The op's part of the object is over; log lines are handed over by who calls. */
static void let_go(op *self)
{
    shopdata_op *pointer = self->pointer;
    self->pointer = NULL;
    if (!pointer)
        return;
    shopdata_op_free(pointer);
    sdb_leave(self->session_object);
}

static PyObject *answer_of(const op *self, int status, shopdata_result **results)
{
    switch (self->brings) {
    case ANSWERS:
        return sdb_answers(results, self->count);
    case WHETHER_FENCED:
        return PyBool_FromLong(status != SHOPDATA_UNFENCED);
    default:
        return sdb_answer_new(results[0], status != SHOPDATA_UNFENCED);
    }
}

/* What the call would have returned, or raised. */
static PyObject *take(PyObject *object, PyObject *unused)
{
    (void)unused;
    op *self = (op *)object;
    PyObject *answer = NULL;
    shopdata_error *error = NULL;
    shopdata_result **results = PyMem_Calloc(self->count + 1, sizeof(shopdata_result *));
    if (!results)
        return PyErr_NoMemory();
    int status = shopdata_op_take(self->pointer, results, &error);
    if (status != SHOPDATA_PENDING)
        let_go(self);
    if (status == SHOPDATA_PENDING)
        PyErr_SetString(PyExc_RuntimeError, "the op is not over yet");
    else if (status < 0)
        sdb_raise_status(status, error);
    else
        answer = answer_of(self, status, results);
    PyMem_Free(results);
    if (sdb_log_drain())
        Py_CLEAR(answer);
    return answer;
}

static PyObject *cancel(PyObject *object, PyObject *unused)
{
    (void)unused;
    shopdata_op_cancel(((op *)object)->pointer, NULL);
    Py_RETURN_NONE;
}

static PyObject *get_over(PyObject *object, void *unused)
{
    (void)unused;
    const op *self = (const op *)object;
    return PyBool_FromLong(!self->pointer || shopdata_op_wait(self->pointer, 0, NULL) != SHOPDATA_PENDING);
}

static PyObject *get_future(PyObject *object, void *unused)
{
    (void)unused;
    return Py_NewRef(((op *)object)->future);
}

static int set_future(PyObject *object, PyObject *future, void *unused)
{
    (void)unused;
    Py_XSETREF(((op *)object)->future, Py_NewRef(future ? future : Py_None));
    return 0;
}

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(((op *)object)->session_object);
    Py_VISIT(((op *)object)->future);
    return 0;
}

static int clear(PyObject *object)
{
    Py_CLEAR(((op *)object)->future);
    return 0;
}

/* Nobody awaits it any more: it is cancelled if it is not over. */
static void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    let_go((op *)object);
    Py_CLEAR(((op *)object)->future);
    Py_CLEAR(((op *)object)->session_object);
    PyObject_GC_Del(object);
}

PyObject *sdb_queue_ready(PyObject *module, PyObject *queue_object)
{
    (void)module;
    shopdata_op *pointer;
    shopdata_queue *queue = sdb_enter(queue_object, &sdb_queue_kind);
    PyObject *list = queue ? PyList_New(0) : NULL;
    while (list && (pointer = shopdata_queue_next(queue))) {
        op *self = shopdata_op_context(pointer);
        if (PyList_Append(list, self->future))
            Py_CLEAR(list);
    }
    if (queue)
        sdb_leave(queue_object);
    if (sdb_log_drain())
        Py_CLEAR(list);
    return list;
}

PyObject *sdb_queue_fd(PyObject *module, PyObject *queue_object)
{
    (void)module;
    shopdata_queue *queue = sdb_enter(queue_object, &sdb_queue_kind);
    if (!queue)
        return NULL;
    long fd = shopdata_queue_fd(queue);
    sdb_leave(queue_object);
    return PyLong_FromLong(fd);
}

static PyMethodDef methods[] = {
    {"take", take, METH_NOARGS, NULL}, {"cancel", cancel, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyGetSetDef getters[] = {{"over", get_over, NULL, NULL, NULL},
                                {"future", get_future, set_future, NULL, NULL},
                                {NULL, NULL, NULL, NULL, NULL}};

static PyTypeObject op_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "shopdata._native.Op",
    .tp_basicsize = sizeof(op),
    .tp_dealloc = dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = traverse,
    .tp_clear = clear,
    .tp_methods = methods,
    .tp_getset = getters,
};

int sdb_op_ready(PyObject *module)
{
    if (PyType_Ready(&op_type))
        return -1;
    return PyModule_AddObjectRef(module, "Op", (PyObject *)&op_type);
}
