/* op.h - calls that an event loop awaits: started, told of by a queue's descriptor, and taken. */
#ifndef SDB_OP_H
#define SDB_OP_H

#include "python.h"

/* sdb_op_ready prepares the type and adds it to the module as `Op`; 0 or -1. */
int sdb_op_ready(PyObject *module);

/* start(session, queue, calls, kind, future) -> Op, which is in its session until it is taken. `kind` is "one", "many"
 * or "write"; `calls` as query_many has them, one but for "many". */
PyObject *sdb_start(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
/* start_step(session, queue, step, isolation, name, future) -> Op of one step of a transaction: one of STEP_*, with the
 * isolation of a begin and the name of a savepoint, else 0 and None. It brings False if what was committed is unfenced.
 */
PyObject *sdb_start_step(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
/* queue_ready(queue) -> the futures of all ops that are over and were not told of yet. */
PyObject *sdb_queue_ready(PyObject *module, PyObject *queue);
/* queue_fd(queue) -> the descriptor that is readable while there are such. */
PyObject *sdb_queue_fd(PyObject *module, PyObject *queue);

#endif
