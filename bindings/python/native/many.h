/* many.h - a list of calls as the library wants them: for query_many, and for what does not wait. */
#ifndef SDB_MANY_H
#define SDB_MANY_H

#include "params.h"
#include "python.h"
#include <stdbool.h>

#include <shopdata/shopdata.h>

typedef struct sdb_batch {
    PyObject *session_object;
    PyObject *calls_object; /* a list of tuples (statement, values, names) */
    shopdata_session *session;
    size_t count;
    size_t filled; /* of the next two: parameters are there, the statement is entered */
    sdb_params *params;
    shopdata_call *calls;
} sdb_batch;

/* sdb_batch_begin enters the session and the statements, and fills in the calls; 0, or -1 with an exception set. In
 * every case sdb_batch_end follows, which leaves them. */
int sdb_batch_begin(sdb_batch *batch);
void sdb_batch_end(sdb_batch *batch);
/* sdb_batch_wrong: has one of them too few or too many parameters? */
bool sdb_batch_wrong(const sdb_batch *batch);
/* sdb_answers makes a list of answers, unless an exception is set; it takes the results over (in every case). */
PyObject *sdb_answers(shopdata_result **results, size_t count);

#endif
