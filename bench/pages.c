#include "pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bare.h"
#include "shop.h"

enum { PRODUCT, SHELF, SALE, SHELVES = 500, TYPE_BITS = 27, TYPES_A_SHELF = 3 };

/* What the next access is. */
struct access {
    int statement;
    int64_t key, stock;
};

static const char *const statements[BENCH_PAGE_STATEMENTS] = {
    [PRODUCT] = bench_shop_read,
    [SHELF] = "SELECT product_id, name, price FROM bench_shelf WHERE shelf = $1 ORDER BY product_id LIMIT 8",
    [SALE] = bench_shop_write};
static const char *const names[BENCH_PAGE_STATEMENTS] = {"product", "shelf", "sale"};

bool bench_pages_make(PGconn *primary, const char *const *replicas)
{
    char insert[256];
    snprintf(insert, sizeof insert,
             "INSERT INTO bench_shelf SELECT n %% %d, n, 'Product number ' || n, (n %% 10000) / 100.0 "
             "FROM generate_series(1, %d) n",
             SHELVES, SHELVES * 20);
    return bench_sql(primary, "DROP TABLE IF EXISTS bench_shelf") &&
           bench_sql(primary, "CREATE TABLE bench_shelf (shelf bigint NOT NULL, product_id bigint NOT NULL, name text "
                              "NOT NULL, price numeric(10,2) NOT NULL, PRIMARY KEY (shelf, product_id)) "
                              "WITH (autovacuum_enabled = off)") &&
           bench_sql(primary, insert) && bench_sql(primary, "VACUUM ANALYZE bench_shelf") &&
           bench_shop_await(primary, replicas);
}

void bench_pages_drop(PGconn *primary)
{
    bench_sql(primary, "DROP TABLE IF EXISTS bench_shelf");
}

/* ---- the accesses */

static struct access look_up(const bench_pages *pages, uint32_t object)
{
    if ((pages->recorded->distinct[object] >> TYPE_BITS) % TYPES_A_SHELF == 0)
        return (struct access){SHELF, object % SHELVES, 0};
    return (struct access){PRODUCT, 1 + (int64_t)object, 0};
}

/* Each thread is at a time of day of its own; both sides are as far as they have come. Of a sale's product the stock
 * changes, whatever the access would have read. */
static struct access next(bench_pages *pages, unsigned thread)
{
    const bench_recorded *recorded = pages->recorded;
    size_t number = pages->places[thread].next++;
    size_t place = (recorded->count / pages->threads * thread + number) % recorded->count;
    if (bench_random(thread, number) % 10000 < pages->writes)
        return (struct access){SALE, 1 + (int64_t)recorded->objects[place], (int64_t)(number % 1000)};
    return look_up(pages, recorded->objects[place]);
}

/* Does the first column hold the product that was asked for, or anything where a shelf was? */
static bool is_answer(struct access access, const char *text)
{
    char key[32];
    snprintf(key, sizeof key, "%" PRId64, access.key);
    return text && (access.statement != PRODUCT || strcmp(text, key) == 0);
}

/* ---- ours */

static bool take_ours(struct access access, int status, shopdata_result *result, shopdata_error *error)
{
    const char *text = NULL;
    bool good = status >= 0;
    if (access.statement == SALE)
        good = good && shopdata_result_changed(result) == 1;
    else
        good = good && shopdata_result_text(result, 0, 0, &text, NULL, NULL) == 0 && is_answer(access, text);
    if (!good)
        bench_complain(names[access.statement], status < 0 ? shopdata_error_message(error) : "not what was asked for");
    shopdata_result_free(result);
    shopdata_error_free(error);
    return good;
}

static bool ask_ours(bench_pages *pages, unsigned thread, struct access access)
{
    shopdata_param params[] = {shopdata_int64(access.key), shopdata_int64(access.stock)};
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    shopdata_statement *statement = pages->statements[access.statement];
    int status = access.statement == SALE
                     ? shopdata_execute(pages->sessions[thread], statement, params, 2, &result, &error)
                     : shopdata_query(pages->sessions[thread], statement, params, 1, &result, &error);
    return take_ours(access, status, result, error);
}

bool bench_pages_ours(void *self, unsigned thread, uint64_t number)
{
    (void)number; /* rounds begin anew, a day does not */
    return ask_ours(self, thread, next(self, thread));
}

bool bench_pages_open_ours(bench_pages *pages, shopdata_client *client)
{
    shopdata_error *error = NULL;
    bool good = true;
    for (unsigned i = 0; i < BENCH_PAGE_STATEMENTS && good; i++)
        good = shopdata_statement_new(client, NULL, statements[i], &pages->statements[i], &error) == 0;
    for (unsigned i = 0; i < pages->threads && good; i++)
        good = shopdata_session_new(client, &pages->sessions[i], &error) == 0;
    if (!good)
        bench_complain("pages", shopdata_error_message(error));
    shopdata_error_free(error);
    for (uint32_t i = 0; i < pages->recorded->object_count && good; i++)
        good = ask_ours(pages, 0, look_up(pages, i));
    return good;
}

/* ---- theirs */

/* The statement with its numbers in place of $1 and $2: pgpool-II takes whole text several times as fast as prepared
 * statements. */
static void spell(char *text, size_t size, const char *sql, struct access access)
{
    size_t used = 0;
    for (; *sql && used + 1 < size; sql++) {
        if (*sql == '$') {
            int64_t value = *++sql == '1' ? access.key : access.stock;
            used += (size_t)snprintf(text + used, size - used, "%" PRId64, value);
        } else {
            text[used++] = *sql;
        }
    }
    text[used < size ? used : size - 1] = '\0';
}

static bool ask_theirs(bench_pages *pages, unsigned thread, struct access access)
{
    char sql[256];
    spell(sql, sizeof sql, statements[access.statement], access);
    PGresult *result = PQexec(pages->connections[thread], sql);
    bool good = access.statement == SALE ? PQresultStatus(result) == PGRES_COMMAND_OK
                                         : PQntuples(result) > 0 && is_answer(access, PQgetvalue(result, 0, 0));
    if (!good)
        bench_complain("pgpool", PQresultErrorMessage(result));
    PQclear(result);
    return good;
}

bool bench_pages_theirs(void *self, unsigned thread, uint64_t number)
{
    (void)number;
    return ask_theirs(self, thread, next(self, thread));
}

bool bench_pages_open_theirs(bench_pages *pages, const char *conninfo)
{
    for (unsigned i = 0; i < pages->threads; i++)
        if (!(pages->connections[i] = bench_connect(conninfo)))
            return false;
    for (uint32_t i = 0; i < pages->recorded->object_count; i++)
        if (!ask_theirs(pages, 0, look_up(pages, i)))
            return false;
    return true;
}

void bench_pages_close(bench_pages *pages)
{
    for (unsigned i = 0; i < BENCH_THREADS_MAX; i++) {
        shopdata_session_free(pages->sessions[i]);
        PQfinish(pages->connections[i]);
    }
    for (unsigned i = 0; i < BENCH_PAGE_STATEMENTS; i++)
        shopdata_statement_free(pages->statements[i]);
}
