#include "shop.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "library.h"

/* Takes the error. */
static bool failed(load_fault *fault, const char *what, shopdata_error *error)
{
    load_fail(fault, "%s: %s", what, shopdata_error_message(error));
    shopdata_error_free(error);
    return false;
}

/* ---- statements */

/* Its first line tells: "read, cached". */
static bool is_kept(shopdata_statement *statement, bool *kept_out, shopdata_error **error)
{
    const char *text = NULL;
    if (shopdata_statement_explain(statement, &text, error))
        return false;
    *kept_out = strncmp(text, "read, cached", strlen("read, cached")) == 0;
    return true;
}

static bool prepare(load_shop *shop, load_fault *fault)
{
    for (size_t i = 0; i < LOAD_STATEMENTS; i++) {
        const load_sql *sql = &load_sql_table[i];
        shopdata_error *error = NULL;
        if (sql->sql && (shopdata_statement_new(shop->client, sql->policy, sql->sql, &shop->statements[i], &error) ||
                         !is_kept(shop->statements[i], &shop->is_kept[i], &error)))
            return failed(fault, sql->name, error);
    }
    return true;
}

/* ---- what is loaded */

/* Asks the primary once, past all caches. */
static bool ask_once(load_shop *shop, const char *sql, const shopdata_param *param, shopdata_result **result_out,
                     shopdata_error **error)
{
    shopdata_statement *statement = NULL;
    shopdata_session *session = NULL;
    bool good = shopdata_statement_new(shop->client, NULL, sql, &statement, error) == SHOPDATA_OK &&
                shopdata_session_new(shop->client, &session, error) == SHOPDATA_OK &&
                shopdata_session_set_flags(session, SHOPDATA_PRIMARY | SHOPDATA_NO_CACHE, error) == SHOPDATA_OK &&
                shopdata_query(session, statement, param, param ? 1 : 0, result_out, error) == SHOPDATA_OK;
    shopdata_session_free(session);
    shopdata_statement_free(statement);
    return good;
}

static bool no_shop(load_fault *fault, shopdata_error *error)
{
    const char *state = shopdata_error_sqlstate(error);
    if (strcmp(state, "42P01") != 0 && strcmp(state, "3F000") != 0)
        return failed(fault, "shopbench.shopload_marker", error);
    shopdata_error_free(error);
    return load_fail(fault, "this database has no schema shopbench of ours: shopload load makes and fills it");
}

static bool read_marker(load_shop *shop, const shopdata_result *marker, load_fault *fault)
{
    load_scale *scale = &shop->scale;
    int complete = 0;
    int64_t format = 0;
    bool good = shopdata_result_int64(marker, 0, 0, &scale->products, NULL) == SHOPDATA_OK &&
                shopdata_result_int64(marker, 0, 1, &scale->customers, NULL) == SHOPDATA_OK &&
                shopdata_result_int64(marker, 0, 2, &scale->orders, NULL) == SHOPDATA_OK &&
                shopdata_result_int64(marker, 0, 3, &scale->categories, NULL) == SHOPDATA_OK &&
                shopdata_result_bool(marker, 0, 4, &complete, NULL) == SHOPDATA_OK &&
                shopdata_result_int64(marker, 0, 5, &format, NULL) == SHOPDATA_OK;
    if (good && format != LOAD_FORMAT)
        return load_fail(fault,
                         "the shop in schema shopbench was made by another version of shopbench: remove it with that "
                         "(shopbench clean), and load it with this one");
    if (!good || !complete || scale->products < 1 || scale->customers < 1 || scale->categories < 1)
        return load_fail(fault, "schema shopbench was not loaded to the end: run shopload load again");
    return true;
}

static bool look_at_scale(load_shop *shop, load_fault *fault)
{
    shopdata_result *marker = NULL;
    shopdata_error *error = NULL;
    if (!ask_once(shop,
                  "SELECT products, customers, orders, categories, complete, format FROM shopbench.shopload_marker",
                  NULL, &marker, &error))
        return no_shop(fault, error);
    bool good = read_marker(shop, marker, fault);
    shopdata_result_free(marker);
    return good;
}

/* ---- words */

/* The longest word of a name says most. */
static void keep_word(load_shop *shop, const char *name)
{
    const char *longest = name;
    size_t most = 0;
    for (size_t length; *name; name += length + (name[length] != '\0')) {
        length = strcspn(name, " ");
        if (length > most) {
            longest = name;
            most = length;
        }
    }
    if (most && most < LOAD_WORD_TEXT)
        snprintf(shop->words[shop->word_count++], LOAD_WORD_TEXT, "%.*s", (int)most, longest);
}

/* Of products that stand evenly over the table. */
static bool read_words(load_shop *shop, load_fault *fault)
{
    static const char sql[] = "SELECT name FROM shopbench.products WHERE product_id % greatest($1::bigint / 256, 1) = 0"
                              " ORDER BY product_id LIMIT 256";
    shopdata_param products = shopdata_int64(shop->scale.products);
    shopdata_result *names = NULL;
    shopdata_error *error = NULL;
    if (!ask_once(shop, sql, &products, &names, &error))
        return failed(fault, "the products' names", error);
    for (size_t row = 0; row < shopdata_result_rows(names); row++) {
        const char *name = NULL;
        if (shopdata_result_text(names, row, 0, &name, NULL, NULL) == SHOPDATA_OK && name)
            keep_word(shop, name);
    }
    shopdata_result_free(names);
    return shop->word_count > 0 || load_fail(fault, "the products in shopbench have no names");
}

/* ---- the rest */

static bool ask_version(load_shop *shop, load_fault *fault)
{
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    const char *text = NULL;
    if (!ask_once(shop, "SHOW server_version", NULL, &result, &error))
        return failed(fault, "server_version", error);
    if (shopdata_result_text(result, 0, 0, &text, NULL, NULL) == SHOPDATA_OK && text)
        snprintf(shop->server_version, sizeof shop->server_version, "%s", text);
    shopdata_result_free(result);
    return true;
}

/* NULL where nothing is lacking. */
static const char lacking[] =
    "SELECT string_agg(needed || ' on ' || name, ', ') FROM (VALUES ('products', 'UPDATE'), ('customers', 'UPDATE'), "
    "('carts', 'UPDATE'), ('orders', 'INSERT'), ('order_lines', 'INSERT')) AS wanted (name, needed) "
    "WHERE NOT has_table_privilege('shopbench.' || name, needed)";

bool load_shop_may_write(load_shop *shop, load_fault *fault)
{
    shopdata_result *result = NULL;
    shopdata_error *error = NULL;
    const char *text = NULL;
    if (!ask_once(shop, lacking, NULL, &result, &error))
        return failed(fault, "the role's rights", error);
    shopdata_result_text(result, 0, 0, &text, NULL, NULL);
    bool good = !text || load_fail(fault, "the workload writes, and the role lacks %s in schema shopbench", text);
    shopdata_result_free(result);
    return good;
}

static void look_at_cache(load_shop *shop)
{
    shopdata_metrics *metrics = load_library_take(shop->client);
    shop->has_cache = load_library_value(metrics, "shopdata_cache_kind", "kind=\"none\"") == 0;
    shopdata_metrics_free(metrics);
}

/* How many different questions there are of each statement that may be kept. */
static uint64_t questions_of(const load_shop *shop, enum load_statement statement)
{
    switch (statement) {
    case LOAD_PRODUCT:
        return (uint64_t)shop->scale.products;
    case LOAD_NEW_PRODUCTS:
    case LOAD_BEST_SELLERS:
        return (uint64_t)shop->scale.categories;
    case LOAD_SEARCH:
        return shop->word_count;
    case LOAD_CUSTOMER:
    case LOAD_CART:
    case LOAD_NEWEST_ORDER:
        return (uint64_t)shop->scale.customers;
    case LOAD_ORDER_LINES:
        return (uint64_t)shop->scale.orders;
    default:
        return 1;
    }
}

static bool make_room(load_shop *shop, load_fault *fault)
{
    uint64_t products = (uint64_t)shop->scale.products, customers = (uint64_t)shop->scale.customers;
    bool good = load_versions_open(&shop->versions[LOAD_PRODUCTS], products) &&
                load_versions_open(&shop->versions[LOAD_CUSTOMERS], customers) &&
                load_versions_open(&shop->versions[LOAD_CARTS], customers);
    for (int i = 0; i < LOAD_STATEMENTS && good; i++)
        good = load_stampedes_open(&shop->stampedes[i], questions_of(shop, (enum load_statement)i));
    return good || load_fail(fault, "no memory for the versions of so many rows");
}

bool load_shop_open(load_shop *shop, shopdata_client *client, load_keys *keys, const load_trace *trace,
                    load_fault *fault)
{
    *shop = (load_shop){.client = client, .keys = keys};
    look_at_cache(shop);
    return look_at_scale(shop, fault) && prepare(shop, fault) && read_words(shop, fault) && ask_version(shop, fault) &&
           make_room(shop, fault) && load_keys_open(keys, (uint64_t)shop->scale.products, trace, fault);
}

void load_shop_close(load_shop *shop)
{
    for (size_t i = 0; i < LOAD_STATEMENTS; i++) {
        shopdata_statement_free(shop->statements[i]);
        load_stampedes_close(&shop->stampedes[i]);
    }
    for (size_t i = 0; i < LOAD_VERSIONED; i++)
        load_versions_close(&shop->versions[i]);
    shopdata_close(shop->client);
}

bool load_shop_flush(load_shop *shop, load_fault *fault)
{
    static const char *const tags[] = {"shopbench.products", "shopbench.categories", "shopbench.customers",
                                       "shopbench.carts",    "shopbench.orders",     "shopbench.order_lines"};
    shopdata_error *error = NULL;
    int status = shopdata_invalidate(shop->client, tags, sizeof tags / sizeof *tags, &error);
    if (status == SHOPDATA_UNFENCED)
        return load_fail(fault, "flush: the shared cache could not be told");
    return status == SHOPDATA_OK || failed(fault, "flush", error);
}
