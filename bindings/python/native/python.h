/* python.h - Python's C interface, with what later versions have and we use. */
#ifndef SDB_PYTHON_H
#define SDB_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#if PY_VERSION_HEX < 0x030a0000
static inline PyObject *Py_NewRef(PyObject *object)
{
    Py_INCREF(object);
    return object;
}

static inline PyObject *Py_XNewRef(PyObject *object)
{
    Py_XINCREF(object);
    return object;
}

static inline int PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *object)
{
    Py_INCREF(object);
    int status = PyModule_AddObject(module, name, object);
    if (status < 0)
        Py_DECREF(object);
    return status;
}
#endif

#if PY_VERSION_HEX < 0x030d0000
#define Py_IsFinalizing _Py_IsFinalizing
#endif

#endif
