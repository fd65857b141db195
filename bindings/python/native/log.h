/* log.h - the library's log lines on their way to Python's logging.
 *
 * The library hands them out within a call, where the GIL is somebody else's. They are put on a list, and given to
 * Python when the call is over and has the GIL anyway: nothing waits for it, and a line that comes while the
 * interpreter ends does no harm. */
#ifndef SDB_LOG_H
#define SDB_LOG_H

#include "python.h"

#include <shopdata/shopdata.h>

/* sdb_log_of: the lines of clients opened with this configuration go onto the list. */
int sdb_log_of(shopdata_config *config, shopdata_error **error_out);
/* sdb_log_to names what is called with (level, line); NULL: nobody. */
void sdb_log_to(PyObject *function);
/* sdb_log_drain calls it for what is on the list; -1 if that raised (an exception that stood before stays). With the
 * GIL, and in no handle. */
int sdb_log_drain(void);
/* sdb_log_after_fork: in a forked child; the parent's lines are the parent's. */
void sdb_log_after_fork(void);

#endif
