#include "many.h"

#include "answer.h"
#include "errors.h"
#include "handle.h"
#include "log.h"
#include "query.h"

static PyObject *part(const sdb_batch *batch, size_t index, Py_ssize_t which)
{
    return PyTuple_GET_ITEM(PyList_GET_ITEM(batch->calls_object, (Py_ssize_t)index), which);
}

static int fill_one(sdb_batch *batch, size_t index)
{
    PyObject *one = PyList_GET_ITEM(batch->calls_object, (Py_ssize_t)index);
    sdb_params *params = &batch->params[index];
    if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) != 3) {
        PyErr_SetString(PyExc_TypeError, "a call is a tuple of statement, values and names");
        return -1;
    }
    if (sdb_params_of(part(batch, index, 1), part(batch, index, 2), params))
        return -1;
    shopdata_statement *statement = sdb_enter(part(batch, index, 0), &sdb_statement_kind);
    if (!statement) {
        sdb_params_free(params);
        return -1;
    }
    batch->calls[index] = (shopdata_call){.statement = statement, .params = params->list, .count = params->count};
    batch->filled = index + 1;
    return 0;
}

static int allocate(sdb_batch *batch)
{
    size_t room = batch->count ? batch->count : 1;
    batch->params = PyMem_Calloc(room, sizeof *batch->params);
    batch->calls = PyMem_Calloc(room, sizeof *batch->calls);
    if (batch->params && batch->calls)
        return 0;
    PyErr_NoMemory();
    return -1;
}

int sdb_batch_begin(sdb_batch *batch)
{
    batch->count = (size_t)PyList_GET_SIZE(batch->calls_object);
    if (allocate(batch))
        return -1;
    for (size_t i = 0; i < batch->count; i++)
        if (fill_one(batch, i))
            return -1;
    batch->session = sdb_enter(batch->session_object, &sdb_session_kind);
    return batch->session ? 0 : -1;
}

void sdb_batch_end(sdb_batch *batch)
{
    if (batch->session)
        sdb_leave(batch->session_object);
    for (size_t i = 0; i < batch->filled; i++) {
        sdb_leave(part(batch, i, 0));
        sdb_params_free(&batch->params[i]);
    }
    PyMem_Free(batch->params);
    PyMem_Free(batch->calls);
}

bool sdb_batch_wrong(const sdb_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (sdb_params_wrong(&batch->params[i], batch->calls[i].statement))
            return true;
    return false;
}

/* What comes behind one that cannot be decoded is let go. */
PyObject *sdb_answers(shopdata_result **results, size_t count)
{
    PyObject *list = PyErr_Occurred() ? NULL : PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count; i++) {
        PyObject *answer = list ? sdb_answer_new(results[i], true) : NULL;
        if (answer)
            PyList_SET_ITEM(list, (Py_ssize_t)i, answer);
        else if (list)
            Py_CLEAR(list);
        else
            shopdata_result_free(results[i]);
    }
    return list;
}

static PyObject *run(sdb_batch *batch, shopdata_result **results)
{
    PyObject *list = NULL;
    shopdata_error *error = NULL;
    PyThreadState *others = PyEval_SaveThread();
    int status = shopdata_query_many(batch->session, batch->calls, batch->count, results, &error);
    PyEval_RestoreThread(others);
    bool wrong = status == SHOPDATA_ERR_ARGUMENT && sdb_batch_wrong(batch);
    sdb_batch_end(batch);
    if (wrong)
        sdb_raise_parameters(error);
    else if (status < 0)
        sdb_raise_status(status, error);
    else
        list = sdb_answers(results, batch->count);
    if (sdb_log_drain())
        Py_CLEAR(list);
    return list;
}

PyObject *sdb_query_many(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyList_Check(arguments[1]))
        return PyErr_Format(PyExc_TypeError, "session and a list of calls are wanted");
    sdb_batch batch = {.session_object = arguments[0], .calls_object = arguments[1]};
    shopdata_result **results = PyMem_Calloc((size_t)PyList_GET_SIZE(arguments[1]) + 1, sizeof(shopdata_result *));
    PyObject *list = NULL;
    if (!results)
        PyErr_NoMemory();
    else if (sdb_batch_begin(&batch) == 0)
        list = run(&batch, results);
    else
        sdb_batch_end(&batch);
    PyMem_Free(results);
    return list;
}
