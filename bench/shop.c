#include "shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bare.h"

const char bench_shop_read[] = "SELECT product_id, name, description, price, stock FROM bench_product "
                               "WHERE product_id = $1";
const char bench_shop_write[] = "UPDATE bench_product SET stock = $2 WHERE product_id = $1";

bool bench_sql(PGconn *database, const char *sql)
{
    PGresult *result = PQexec(database, sql);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!good)
        bench_complain(sql, PQerrorMessage(database));
    PQclear(result);
    return good;
}

/* No vacuum of its own accord may begin in the middle of the measurement. */
static bool make_table(PGconn *primary, int64_t products)
{
    char insert[512];
    snprintf(insert, sizeof insert,
             "INSERT INTO bench_product SELECT n, 'Product number ' || n, repeat(md5(n::text), 6), "
             "(n %% 10000) / 100.0, n %% 1000 FROM generate_series(1, %" PRId64 ") n",
             products);
    return bench_sql(primary, "SET client_min_messages = warning") &&
           bench_sql(primary, "DROP TABLE IF EXISTS bench_product") &&
           bench_sql(primary, "CREATE TABLE bench_product (product_id bigint PRIMARY KEY, name text NOT NULL, "
                              "description text NOT NULL, price numeric(10,2) NOT NULL, stock integer NOT NULL) "
                              "WITH (autovacuum_enabled = off)") &&
           bench_sql(primary, insert) && bench_sql(primary, "VACUUM ANALYZE bench_product");
}

/* True if the replica has replayed to this position. */
static bool has_replayed(PGconn *replica, const char *position)
{
    PGresult *result =
        PQexecParams(replica, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", 1, NULL, &position, NULL, NULL, 0);
    bool there = PQresultStatus(result) == PGRES_TUPLES_OK && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    PQclear(result);
    return there;
}

static bool wait_for(const char *conninfo, const char *position)
{
    static const struct timespec pause = {0, 10000000};
    PGconn *replica = bench_connect(conninfo);
    bool there = false;
    for (int attempt = 0; replica && attempt < 3000 && !(there = has_replayed(replica, position)); attempt++)
        nanosleep(&pause, NULL);
    if (replica && !there)
        bench_complain("replica", "it does not catch up with the primary");
    PQfinish(replica);
    return there;
}

bool bench_shop_await(PGconn *primary, const char *const *replicas)
{
    PGresult *result = PQexec(primary, "SELECT pg_current_wal_lsn()");
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
    for (; good && *replicas; replicas++)
        good = wait_for(*replicas, PQgetvalue(result, 0, 0));
    PQclear(result);
    return good;
}

bool bench_shop_make(PGconn *primary, const char *const *replicas, int64_t products)
{
    return make_table(primary, products) && bench_shop_await(primary, replicas);
}

void bench_shop_drop(PGconn *primary)
{
    bench_sql(primary, "DROP TABLE IF EXISTS bench_product");
}
