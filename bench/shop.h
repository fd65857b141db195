/* shop.h - the table that is read and written: products of a size as a shop has them. */
#ifndef BENCH_SHOP_H
#define BENCH_SHOP_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* bench_sql runs a statement and tells what is wrong with it. bench_shop_await waits until each replica (a list that
 * ends with NULL) has all that the primary has. */
bool bench_sql(PGconn *database, const char *sql);
bool bench_shop_await(PGconn *primary, const char *const *replicas);

/* bench_shop_make makes products 1 to `products` on the primary, and waits until each replica (a list that ends with
 * NULL) has them. bench_shop_drop removes them. */
bool bench_shop_make(PGconn *primary, const char *const *replicas, int64_t products);
void bench_shop_drop(PGconn *primary);

/* One row, one parameter: the key. */
extern const char bench_shop_read[];
/* Parameters: the key, the new stock. */
extern const char bench_shop_write[];

#endif
