/* schema.h - the shop's tables, in a schema of their own: shopbench.products and so on (FORMAT.md lists them). */
#ifndef LOAD_SCHEMA_H
#define LOAD_SCHEMA_H

#include "connection.h"

/* The tables that are filled, in this order. */
enum load_table {
    LOAD_CATEGORIES,
    LOAD_PRODUCTS,
    LOAD_CUSTOMERS,
    LOAD_CARTS,
    LOAD_ORDERS,
    LOAD_ORDER_LINES,
    LOAD_TABLES
};

extern const char *const load_table_names[LOAD_TABLES];
/* The COPY that fills each. What it does not name has a default: `version` 0, `written_at` now. */
extern const char *const load_table_copies[LOAD_TABLES];

/* load_schema_create makes schema and tables, without keys and indexes: rows come in faster so. */
bool load_schema_create(PGconn *database);
/* load_schema_finish adds the keys and indexes that are not there yet. `progress` is told of each; false: no more. */
bool load_schema_finish(PGconn *database, bool (*progress)(const char *what));
/* load_schema_drop drops these tables and no other; the schema too, if nothing of others stands in it. For a
 * transaction. */
bool load_schema_drop(PGconn *database, bool *schema_kept_out);

#endif
