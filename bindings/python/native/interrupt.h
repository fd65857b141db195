/* interrupt.h - what ends a call that waits: a signal whose handler raises (KeyboardInterrupt), or the cancelling of
 * the asyncio task that it runs for. */
#ifndef SDB_INTERRUPT_H
#define SDB_INTERRUPT_H

#include "python.h"

/* sdb_interrupted is asked by the library, in the thread whose call waits, every now and then. `context` is the
 * session's handle. Not 0: the call shall end; an exception is set then, unless the call was cancelled. */
int sdb_interrupted(void *context);
/* sdb_interrupt_here(module, ident) names the thread that runs signal handlers; None. */
PyObject *sdb_interrupt_here(PyObject *module, PyObject *ident);

#endif
