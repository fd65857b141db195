/* sql.h - what one SQL statement says, before anybody knows the tables: parsed once, by libpg_query.
 * Pure facts: which tables stand where, which columns are fixed by a parameter or constant, what is called. */
#ifndef SDI_MODEL_SQL_H
#define SDI_MODEL_SQL_H

#include <stdbool.h>

#include <shopdata/shopdata.h>

typedef struct sdi_sql sdi_sql;

/* sdi_sql_parse reads one statement. SHOPDATA_ERR_SQL (sqlstate 42601, with the place) if it does not parse,
 * SHOPDATA_ERR_REFUSED for none, for more than one, and for what would change a pooled connection; the message names
 * the call to use instead. */
int sdi_sql_parse(const char *text, sdi_sql **sql_out, shopdata_error **error_out);
void sdi_sql_free(sdi_sql *sql);
/* sdi_sql_parameters is the highest n of any $n. */
size_t sdi_sql_parameters(const sdi_sql *sql);
/* sdi_sql_is_read: nothing in it says that it writes. What the functions and views do that it names, only the database
 * knows. */
bool sdi_sql_is_read(const sdi_sql *sql);

#endif
