/* metrics.h - a snapshot's values as Python's tuples. */
#ifndef SDB_METRICS_H
#define SDB_METRICS_H

#include "python.h"

/* metrics_values(metrics) -> [(name, labels, value, type, help, unit), ...]: labels as the library writes them, type
 * one of enum shopdata_metric_type. */
PyObject *sdb_metrics_values(PyObject *module, PyObject *metrics);

#endif
