#include "module.h"

#include "answer.h"
#include "handle.h"
#include "interrupt.h"
#include "log.h"
#include "metrics.h"
#include "op.h"
#include "query.h"
#include "row.h"
#include "types.h"

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL

static PyObject *log_to(PyObject *module, PyObject *function)
{
    (void)module;
    sdb_log_to(function == Py_None ? NULL : function);
    Py_RETURN_NONE;
}

static PyObject *forked(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    sdb_after_fork();
    sdb_log_after_fork();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"query", FAST(sdb_query), NULL},
                                  {"execute", FAST(sdb_execute), NULL},
                                  {"query_many", FAST(sdb_query_many), NULL},
                                  {"start", FAST(sdb_start), NULL},
                                  {"start_step", FAST(sdb_start_step), NULL},
                                  {"queue_ready", sdb_queue_ready, METH_O, NULL},
                                  {"queue_fd", sdb_queue_fd, METH_O, NULL},
                                  {"answers_are", sdb_answer_made_as, METH_O, NULL},
                                  {"interrupt_here", sdb_interrupt_here, METH_O, NULL},
                                  {"metrics_values", sdb_metrics_values, METH_O, NULL},
                                  {"log_to", log_to, METH_O, NULL},
                                  {"forked", forked, METH_NOARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

int sdb_module_ready(PyObject *module)
{
    if (sdb_types_init() || sdb_handle_ready(module) || sdb_answer_ready(module) || sdb_op_ready(module))
        return -1;
    if (PyModule_AddObjectRef(module, "Row", (PyObject *)&sdb_row_type))
        return -1;
    return PyModule_AddFunctions(module, functions);
}
