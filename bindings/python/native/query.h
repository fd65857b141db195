/* query.h - the calls that run statements. Methods of the module, called by the package's Session. */
#ifndef SDB_QUERY_H
#define SDB_QUERY_H

#include "params.h"
#include "python.h"
#include <stdbool.h>

/* sdb_params_of fills `params` from a tuple, which must live as long, and a tuple of names or None: as sdb_params_fill.
 */
int sdb_params_of(PyObject *values, PyObject *names, sdb_params *params);

/* sdb_params_wrong: are they not as many as the statement takes? The library says so itself, but as one of many faults.
 */
bool sdb_params_wrong(const sdb_params *params, const shopdata_statement *statement);

/* query(session, statement, values, names) -> Answer; execute(...) the same. `values` is a tuple of the parameters,
 * `names` a tuple of their names or None. */
PyObject *sdb_query(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *sdb_execute(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
/* query_many(session, [(statement, values, names), ...]) -> [Answer, ...] */
PyObject *sdb_query_many(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif
