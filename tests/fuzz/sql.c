/* Any text as a statement: analysed, or refused with one line. What is analysed gets the same plan when it is written
 * with another blank behind; a cached answer hangs on a tag for each table; what writes is never taken for a read. */
#include "fuzz.h"

#define SHOP_HOLDS(condition) HOLDS(condition)
#include "../plans/shop.h"

static bool may_be_cached(const sdi_sql *sql, const sdi_plan *plan)
{
    return sdi_plan_kind(plan) != SDI_PLAN_CACHED || sql->kind == SDI_SQL_READ || sql->kind == SDI_SQL_STATUS;
}

static void check_tags(const sdi_sql *sql, const sdi_plan *plan)
{
    static const shopdata_param params[] = {
        {SHOPDATA_INT64, {.integer = 42}},
        {SHOPDATA_TEXT, {.bytes = {"today", 5}}},
        {SHOPDATA_NULL, {0}},
        {SHOPDATA_DOUBLE, {.real = 1e300}},
    };
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_plan_tags(plan, params, sizeof params / sizeof *params, &tags);
    HOLDS(!sdi_tags_failed(&tags) && tags.required <= tags.count);
    for (size_t i = 0; i < tags.count; i++)
        HOLDS(sdi_tags_at(&tags, i).length > 0 && sdi_tags_at(&tags, i).length <= SDI_TAG_MAX);
    if (sdi_plan_kind(plan) == SDI_PLAN_CACHED && SDI_COUNT(sql->relations, sdi_sql_relation))
        HOLDS(tags.required > 0);
    sdi_tags_free(&tags);
}

static sdi_plan *plan_of(const sdi_sql *sql)
{
    sdi_plan *plan = NULL;
    sdi_catalog *catalog = shop_catalog(sql);
    HOLDS(sdi_plan_make(sql, catalog, NULL, 0, &plan, NULL) == SHOPDATA_OK);
    sdi_catalog_free(catalog);
    HOLDS(may_be_cached(sql, plan));
    check_tags(sql, plan);
    return plan;
}

static void check_questions(const sdi_sql *sql)
{
    sdi_catalog_question questions[SDI_CATALOG_QUESTIONS];
    HOLDS(sdi_catalog_ask(sql, questions, NULL) == SHOPDATA_OK);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        sdi_catalog_question_free(&questions[i]);
}

static void check_again(const char *text, const sdi_plan *plan)
{
    sdi_buffer longer = SDI_BUFFER_INIT;
    sdi_buffer_printf(&longer, " %s\n", text);
    sdi_sql *sql = NULL;
    if (sdi_sql_parse(longer.data, &sql, NULL) == SHOPDATA_OK) { /* else it has become too long */
        sdi_plan *again = plan_of(sql);
        HOLDS(!strcmp(sdi_plan_explain(plan), sdi_plan_explain(again)));
        sdi_plan_free(again);
        sdi_sql_free(sql);
    }
    sdi_buffer_free(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = sdi_memdup0(data ? (const char *)data : "", size);
    sdi_sql *sql = NULL;
    shopdata_error *error = NULL;
    HOLDS(text);
    int status = sdi_sql_parse(text, &sql, &error);
    HOLDS(status == SHOPDATA_OK || status == SHOPDATA_ERR_SQL || status == SHOPDATA_ERR_REFUSED);
    fuzz_error(status, &error);
    if (sql) {
        check_questions(sql);
        sdi_plan *plan = plan_of(sql);
        check_again(text, plan);
        sdi_plan_free(plan);
        sdi_sql_free(sql);
    }
    sdi_free(text);
    return 0;
}
