/* Answers of any shape to the catalog's questions, as a proxy in between may make them: a plan comes of it, whatever
 * it says. */
#include "fuzz.h"

#define SHOP_HOLDS(condition) HOLDS(condition)
#include "../plans/shop.h"

static const char *const STATEMENTS[] = {
    "SELECT * FROM products WHERE product_id = $1",
    "UPDATE order_lines SET quantity = abs($3) WHERE order_id = $1 AND line_no = $2",
    "WITH gone AS (DELETE FROM orders RETURNING order_id) SELECT sum(order_id) FROM gone",
    "TRUNCATE categories CASCADE",
};
enum { STATEMENT_COUNT = 4, COLUMNS_MAX = 16, ROWS_MAX = 12 };

static shopdata_result *answer_of(fuzz_input *in)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    size_t columns = fuzz_below(in, COLUMNS_MAX), rows = fuzz_below(in, ROWS_MAX);
    for (size_t i = 0; i < columns; i++)
        sdi_result_column(&builder, "?column?", 25);
    for (size_t i = 0; i < columns * rows; i++) {
        uint64_t length = fuzz_number(in, 1);
        size_t most = length % 16 < in->left ? length % 16 : in->left;
        sdi_result_cell(&builder, length == 255 ? NULL : (const char *)in->data, most);
        in->data += most;
        in->left -= most;
    }
    return sdi_result_build(&builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const shopdata_param params[] = {{SHOPDATA_INT64, {.integer = 1}}, {SHOPDATA_TEXT, {.bytes = {"2", 1}}}};
    fuzz_input in = {data, size};
    shopdata_result *answers[SDI_CATALOG_QUESTIONS];
    sdi_catalog *catalog = NULL;
    sdi_plan *plan = NULL;
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_sql *sql = shop_sql(STATEMENTS[fuzz_below(&in, STATEMENT_COUNT)]);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        answers[i] = answer_of(&in);
    HOLDS(sdi_catalog_read(sql, answers, &catalog, NULL) == SHOPDATA_OK);
    HOLDS(sdi_plan_make(sql, catalog, NULL, 0, &plan, NULL) == SHOPDATA_OK);
    sdi_plan_tags(plan, params, sizeof params / sizeof *params, &tags);
    HOLDS(!sdi_tags_failed(&tags) && *sdi_plan_explain(plan));
    sdi_tags_free(&tags);
    sdi_plan_free(plan);
    sdi_catalog_free(catalog);
    sdi_sql_free(sql);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        shopdata_result_free(answers[i]);
    return 0;
}
