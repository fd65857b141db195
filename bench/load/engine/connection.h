/* connection.h - to the primary by libpq, for what goes past the library: loading, the marker, clean-up. */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* load_connect opens the connection that the first line of a file describes, as libpq has it (`host=... dbname=...`).
 * A file, because a command line can be read by everybody on the machine; /dev/fd/N will do. NULL: it has complained,
 * and shown nothing of the line. The caller frees it with PQfinish. */
PGconn *load_connect(const char *path);

/* load_connect_primary is load_connect, which wants a server that can be written. */
PGconn *load_connect_primary(const char *path);

/* load_sql runs one or more statements; false: it has complained. */
bool load_sql(PGconn *database, const char *sql);

/* load_ask runs a query with one text parameter (NULL: none) that answers with one number, or a boolean as 0 and 1. */
bool load_ask(PGconn *database, const char *sql, const char *parameter, int64_t *answer_out);

/* load_checked gives a result back that is good; of any other it complains, frees it and returns NULL. */
PGresult *load_checked(PGconn *database, PGresult *result);

/* load_rows runs a query. NULL: it has complained. The caller frees it with PQclear. */
PGresult *load_rows(PGconn *database, const char *sql);

/* load_ask_text is load_ask for a text, which is cut to `size`; "" where there is no row. */
bool load_ask_text(PGconn *database, const char *sql, const char *parameter, char *text, size_t size);

#endif
