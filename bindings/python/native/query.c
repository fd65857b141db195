#include "query.h"

#include "answer.h"
#include "errors.h"
#include "handle.h"
#include "log.h"

/* What one call works on: both handles entered, the values as the library wants them. */
typedef struct call {
    PyObject *session_object, *statement_object;
    shopdata_session *session;
    shopdata_statement *statement;
    sdb_params params;
} call;

/* A tuple, which nobody can change while the library looks into its values. */
int sdb_params_of(PyObject *values, PyObject *names, sdb_params *params)
{
    if (!PyTuple_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "parameters are a tuple");
        return -1;
    }
    return sdb_params_fill(PySequence_Fast_ITEMS(values), PyTuple_GET_SIZE(values), names == Py_None ? NULL : names,
                           params);
}

bool sdb_params_wrong(const sdb_params *params, const shopdata_statement *statement)
{
    return params->count != shopdata_statement_parameters(statement);
}

/* 0; or -1 with an exception set, and nothing entered. */
static int begin(call *one, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "session, statement, values and names are wanted");
        return -1;
    }
    if (sdb_params_of(arguments[2], arguments[3], &one->params))
        return -1;
    one->session_object = arguments[0];
    one->statement_object = arguments[1];
    one->session = sdb_enter(one->session_object, &sdb_session_kind);
    one->statement = one->session ? sdb_enter(one->statement_object, &sdb_statement_kind) : NULL;
    if (one->statement)
        return 0;
    if (one->session)
        sdb_leave(one->session_object);
    sdb_params_free(&one->params);
    return -1;
}

/* The answer, or NULL with an exception set: what the library says, or what a signal's handler or a log line's receiver
 * raised meanwhile. */
static PyObject *finish(call *one, int status, shopdata_result *result, shopdata_error *error)
{
    PyObject *answer = NULL;
    bool wrong = status == SHOPDATA_ERR_ARGUMENT && sdb_params_wrong(&one->params, one->statement);
    sdb_leave(one->statement_object);
    sdb_leave(one->session_object);
    sdb_params_free(&one->params);
    if (wrong)
        sdb_raise_parameters(error);
    else if (status < 0)
        sdb_raise_status(status, error);
    else if (PyErr_Occurred())
        shopdata_result_free(result);
    else
        answer = sdb_answer_new(result, status != SHOPDATA_UNFENCED);
    if (sdb_log_drain())
        Py_CLEAR(answer);
    return answer;
}

typedef int run_function(shopdata_session *, shopdata_statement *, const shopdata_param *, size_t, shopdata_result **,
                         shopdata_error **);

static PyObject *run(call *one, run_function *function)
{
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    PyThreadState *others = PyEval_SaveThread();
    int status = function(one->session, one->statement, one->params.list, one->params.count, &result, &error);
    PyEval_RestoreThread(others);
    return finish(one, status, result, error);
}

/* What the process keeps is there in less time than it takes to let other threads run, and to be let run again. */
PyObject *sdb_query(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    call one;
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    (void)module;
    if (begin(&one, arguments, count))
        return NULL;
    int status = shopdata_peek(one.session, one.statement, one.params.list, one.params.count, &result, &error);
    return status == SHOPDATA_MISS ? run(&one, shopdata_query) : finish(&one, status, result, error);
}

PyObject *sdb_execute(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    call one;
    (void)module;
    return begin(&one, arguments, count) ? NULL : run(&one, shopdata_execute);
}
