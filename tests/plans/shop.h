/* shop.h - plans without a server: the catalog questions are answered from recorded.h. */
#ifndef SDI_TESTS_SHOP_H
#define SDI_TESTS_SHOP_H

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "catalog_key.h"
#include "model/plan.h"
#include "model/result.h"
#include "model/sql_facts.h"
#include "recorded.h"

#ifndef SHOP_HOLDS /* a fuzz target has its own */
#include <check.h>
#define SHOP_HOLDS(condition) ck_assert(condition)
#endif

static const struct {
    const char *const *rows;
    size_t columns;
} shop_recorded[SDI_CATALOG_QUESTIONS] = {{recorded_columns, 26},
                                          {recorded_names, 5},
                                          {recorded_bounds, 6},
                                          {recorded_behind, 8},
                                          {recorded_circumstances, 3}};

/* A recorded line is the key, then cells, each behind a tab. */
static inline void shop_row(sdi_result_builder *builder, size_t ord, const char *cells)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", ord);
    sdi_result_cell(builder, number, strlen(number));
    while (*cells++ == '\t') {
        size_t length = strcspn(cells, "\t");
        bool null = length == 2 && !memcmp(cells, "\\N", 2);
        sdi_result_cell(builder, null ? NULL : cells, length);
        cells += length;
    }
}

/* The rows recorded for a name, which come first on each line. */
static inline void shop_rows(sdi_result_builder *builder, size_t question, size_t ord, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *row = shop_recorded[question].rows; *row; row++)
        if (!strncmp(*row, name, length) && (*row)[length] == '\t')
            shop_row(builder, ord, *row + length);
}

static inline shopdata_result *shop_answer(const sdi_catalog_question *asked, size_t question)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    for (size_t i = 0; i < shop_recorded[question].columns; i++)
        sdi_result_column(&builder, "?column?", 25);
    sdi_buffer key = SDI_BUFFER_INIT;
    for (size_t ord = 1; catalog_key(asked, ord, &key); ord++) {
        shop_rows(&builder, question, ord, key.data);
        sdi_buffer_free(&key);
    }
    sdi_buffer_free(&key);
    return sdi_result_build(&builder);
}

static inline int shop_ask(void *context, const sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                           shopdata_result *answers[SDI_CATALOG_QUESTIONS], shopdata_error **error_out)
{
    (void)context, (void)error_out;
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        answers[i] = shop_answer(&questions[i], i);
    return SHOPDATA_OK;
}

static inline sdi_sql *shop_sql(const char *text)
{
    sdi_sql *sql = NULL;
    shopdata_error *error = NULL;
    if (sdi_sql_parse(text, &sql, &error))
        fprintf(stderr, "%s: %s\n", text, shopdata_error_message(error));
    SHOP_HOLDS(sql);
    return sql;
}

static inline sdi_catalog *shop_catalog(const sdi_sql *sql)
{
    sdi_catalog *catalog = NULL;
    SHOP_HOLDS(sdi_catalog_load(sql, shop_ask, NULL, &catalog, NULL) == SHOPDATA_OK);
    return catalog;
}

static inline sdi_plan *shop_plan_with(const char *text, const char *const *own, size_t own_count)
{
    sdi_sql *sql = shop_sql(text);
    sdi_catalog *catalog = shop_catalog(sql);
    sdi_plan *plan = NULL;
    SHOP_HOLDS(sdi_plan_make(sql, catalog, own, own_count, &plan, NULL) == SHOPDATA_OK);
    sdi_catalog_free(catalog);
    sdi_sql_free(sql);
    return plan;
}

static inline sdi_plan *shop_plan(const char *text)
{
    return shop_plan_with(text, NULL, 0);
}

#endif
