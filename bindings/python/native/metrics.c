#include "metrics.h"

#include "handle.h"

static PyObject *value_at(const shopdata_metrics *metrics, size_t index)
{
    return Py_BuildValue("ssdiss", shopdata_metrics_name(metrics, index), shopdata_metrics_labels(metrics, index),
                         shopdata_metrics_value(metrics, index), shopdata_metrics_type(metrics, index),
                         shopdata_metrics_help(metrics, index), shopdata_metrics_unit(metrics, index));
}

static PyObject *values_of(const shopdata_metrics *metrics)
{
    size_t count = shopdata_metrics_count(metrics);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *value = value_at(metrics, i);
        if (value)
            PyList_SET_ITEM(list, (Py_ssize_t)i, value);
        else
            Py_CLEAR(list);
    }
    return list;
}

PyObject *sdb_metrics_values(PyObject *module, PyObject *object)
{
    (void)module;
    const shopdata_metrics *metrics = sdb_enter(object, &sdb_metrics_kind);
    PyObject *list = metrics ? values_of(metrics) : NULL;
    if (metrics)
        sdb_leave(object);
    return list;
}
