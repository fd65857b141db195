/* many.c - shopdata_query_many: as query.c, for a list of reads. */
#include "answer.h"
#include "errors.h"
#include "handle.h"
#include "log.h"
#include "query.h"

typedef struct batch {
    PyObject *session_object;
    PyObject *calls_object; /* a list of tuples (statement, values, names) */
    shopdata_session *session;
    size_t count;
    size_t filled; /* of the next three: parameters are there, the statement is entered */
    sdb_params *params;
    shopdata_call *calls;
    shopdata_result **results;
} batch;

static PyObject *part(const batch *all, size_t index, Py_ssize_t which)
{
    return PyTuple_GET_ITEM(PyList_GET_ITEM(all->calls_object, (Py_ssize_t)index), which);
}

static int fill_one(batch *all, size_t index)
{
    PyObject *one = PyList_GET_ITEM(all->calls_object, (Py_ssize_t)index);
    sdb_params *params = &all->params[index];
    if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) != 3) {
        PyErr_SetString(PyExc_TypeError, "a call is a tuple of statement, values and names");
        return -1;
    }
    if (sdb_params_of(part(all, index, 1), part(all, index, 2), params))
        return -1;
    shopdata_statement *statement = sdb_enter(part(all, index, 0), &sdb_statement_kind);
    if (!statement) {
        sdb_params_free(params);
        return -1;
    }
    all->calls[index] = (shopdata_call){.statement = statement, .params = params->list, .count = params->count};
    all->filled = index + 1;
    return 0;
}

static int allocate(batch *all)
{
    size_t room = all->count ? all->count : 1;
    all->params = PyMem_Calloc(room, sizeof *all->params);
    all->calls = PyMem_Calloc(room, sizeof *all->calls);
    all->results = PyMem_Calloc(room, sizeof(shopdata_result *));
    if (all->params && all->calls && all->results)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int begin(batch *all)
{
    if (allocate(all))
        return -1;
    for (size_t i = 0; i < all->count; i++)
        if (fill_one(all, i))
            return -1;
    all->session = sdb_enter(all->session_object, &sdb_session_kind);
    return all->session ? 0 : -1;
}

static void end(batch *all)
{
    if (all->session)
        sdb_leave(all->session_object);
    for (size_t i = 0; i < all->filled; i++) {
        sdb_leave(part(all, i, 0));
        sdb_params_free(&all->params[i]);
    }
    PyMem_Free(all->params);
    PyMem_Free(all->calls);
}

/* Takes the results over; what comes behind one that cannot be decoded is let go. */
static PyObject *answers(batch *all)
{
    PyObject *list = PyErr_Occurred() ? NULL : PyList_New((Py_ssize_t)all->count);
    for (size_t i = 0; i < all->count; i++) {
        PyObject *answer = list ? sdb_answer_new(all->results[i], true) : NULL;
        if (answer)
            PyList_SET_ITEM(list, (Py_ssize_t)i, answer);
        else if (list)
            Py_CLEAR(list);
        else
            shopdata_result_free(all->results[i]);
    }
    return list;
}

static bool any_wrong(const batch *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (sdb_params_wrong(&all->params[i], all->calls[i].statement))
            return true;
    return false;
}

static PyObject *run(batch *all)
{
    PyObject *list = NULL;
    shopdata_error *error = NULL;
    PyThreadState *others = PyEval_SaveThread();
    int status = shopdata_query_many(all->session, all->calls, all->count, all->results, &error);
    PyEval_RestoreThread(others);
    bool wrong = status == SHOPDATA_ERR_ARGUMENT && any_wrong(all);
    end(all);
    if (wrong)
        sdb_raise_parameters(error);
    else if (status < 0)
        sdb_raise_status(status, error);
    else
        list = answers(all);
    PyMem_Free(all->results);
    if (sdb_log_drain())
        Py_CLEAR(list);
    return list;
}

PyObject *sdb_query_many(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyList_Check(arguments[1]))
        return PyErr_Format(PyExc_TypeError, "session and a list of calls are wanted");
    batch all = {
        .session_object = arguments[0], .calls_object = arguments[1], .count = (size_t)PyList_GET_SIZE(arguments[1])};
    if (begin(&all) == 0)
        return run(&all);
    end(&all);
    PyMem_Free(all.results);
    return NULL;
}
