/* handle.h - what Python holds of the library: an object that owns one of its handles, and knows who is in it.
 *
 * All of this happens with the GIL, which is the lock of the fields. A call goes in (sdb_enter), lets other threads run
 * while the library works, and comes out (sdb_leave). Who closes meanwhile does so for those that come later: the last
 * one out frees. So no thread, no order of collection and no destructor at the interpreter's end frees what is in use.
 */
#ifndef SDB_HANDLE_H
#define SDB_HANDLE_H

#include "python.h"
#include <stdatomic.h>
#include <stdbool.h>

#include <shopdata/shopdata.h>

typedef struct sdb_kind {
    const char *name;    /* for messages: "session" */
    void (*end)(void *); /* may wait for threads: called without the GIL */
    bool exclusive;      /* one call at a time; else any number of threads */
    int (*interrupt)(void *pointer, shopdata_interrupt_function function, void *context); /* NULL: nothing to end */
} sdb_kind;

typedef struct sdb_handle {
    PyObject_HEAD const sdb_kind *kind;
    void *pointer;  /* NULL: closed, and nobody is in it any more */
    unsigned users; /* calls that are in it */
    unsigned forks; /* the forks there had been when the last of them went in */
    bool closed;
    PyObject *blocked;     /* a str, why calls are refused for now; NULL: they are not */
    atomic_bool cancelled; /* the calls that are in it shall end: see interrupt.h */
} sdb_handle;

extern const sdb_kind sdb_config_kind, sdb_client_kind, sdb_statement_kind, sdb_session_kind, sdb_metrics_kind,
    sdb_queue_kind;

/* sdb_handle_ready prepares the type and adds it to the module as `Handle`; 0 or -1. */
int sdb_handle_ready(PyObject *module);
/* sdb_handle_new takes the pointer over (in every case). */
PyObject *sdb_handle_new(const sdb_kind *kind, void *pointer);
/* sdb_enter returns the pointer, until sdb_leave; or NULL with Closed, Forked or (exclusive, and another call is in it)
 * ProgrammingError set. An object of another kind is a TypeError: the package checks before. */
void *sdb_enter(PyObject *object, const sdb_kind *kind);
void sdb_leave(PyObject *object);
/* sdb_close closes it for good: new reference to None; ProgrammingError if it is exclusive and in use. */
PyObject *sdb_close(PyObject *object);

/* sdb_after_fork says in a forked child that calls which other threads were in will never come out. */
void sdb_after_fork(void);

#endif
