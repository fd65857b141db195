#include "interrupt.h"

#include "handle.h"

static unsigned long main_thread; /* of Python: no other runs signal handlers */

PyObject *sdb_interrupt_here(PyObject *module, PyObject *ident)
{
    (void)module;
    unsigned long thread = PyLong_AsUnsignedLong(ident);
    if (PyErr_Occurred())
        return NULL;
    main_thread = thread;
    Py_RETURN_NONE;
}

/* An exception that was raised before is still to be told: no further handler runs. */
static int run_handlers(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int raised = PyErr_Occurred() || PyErr_CheckSignals();
    PyGILState_Release(state);
    return raised;
}

int sdb_interrupted(void *context)
{
    sdb_handle *handle = context;
    if (atomic_load_explicit(&handle->cancelled, memory_order_relaxed))
        return 1;
    return PyThread_get_thread_ident() == main_thread ? run_handlers() : 0;
}
